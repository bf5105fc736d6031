"""Values of files: what is taken, what is refused, and that nothing but an error for people comes out."""

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import EditorError
from inference.operations import Attribute, Family, Generate, RefineSubject, SubjectEdit
from inference.values import Bounds, json_object, mended_text, number, shown, text, typed, whole

EDIT = {"start": 0, "end": 3, "attribute": "age", "value": 1}


@pytest.mark.parametrize(
    ("hint", "value", "read"),
    [
        (int, 5, 5),
        (float, 5, 5.0),
        (int | None, None, None),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Literal["a", "b"], "b", "b"),
        (Family, "sdxl", Family.SDXL),
        (Mapping[str, str], {"a": "b"}, {"a": "b"}),
        (SubjectEdit, EDIT, SubjectEdit(start=0, end=3, attribute="age", value=1.0)),
        (
            RefineSubject,
            {"start": 0, "end": 3, "modifiers": [[1, 2]]},
            RefineSubject(start=0, end=3, modifiers=((1, 2),)),
        ),
    ],
)
def test_json_values_become_what_is_declared(hint: Any, value: object, read: object) -> None:
    found = typed(hint, value, "it")
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("hint", "value", "said"),
    [
        (int, True, "it is True: expected a whole number"),
        (int, 1.0, "expected a whole number"),
        (int, 2**63, "at most 64 bits"),
        (int, 10**400, "it is a number of many digits: expected a number"),
        (float, False, "expected a number"),
        (float, "1", "expected a number"),
        (float, math.nan, "it is nan"),
        (float, math.inf, "it is inf"),
        (float, 10**400, "at most 64 bits"),
        (bool, 1, "expected yes or no"),
        (str, 5, "expected a text"),
        (str, "a\ud800", "half a character"),
        (str, "x" * 100_001, "100001 characters"),
        (tuple[int, ...], [0] * 1001, "1001 items: allowed are 1000"),
        (tuple[int, ...], "12", "expected a list"),
        (tuple[int, int], [1], "expected 2"),
        (Literal["a"], "b", "choose one of: a"),
        (Literal[1], True, "choose one of: 1"),
        (Family, "sd9", "choose one of: sd1, sdxl, sd3"),
        (Mapping[str, str], {"a": 1}, "expected a text"),
        (Mapping[str, str], [], "expected an object"),
        (SubjectEdit, {**EDIT, "more": 1}, "Unknown field more"),
        (SubjectEdit, {"start": 0}, "lacks attribute, end, value"),
        (SubjectEdit, {**EDIT, "value": math.nan}, "it.value is nan"),
        (SubjectEdit, {**EDIT, "value": 1e300}, r"allowed is -100 to 100"),
        (SubjectEdit, {**EDIT, "start": -1}, "allowed is 0 to"),
        (int, None, "it is None"),
    ],
)
def test_anything_else_is_refused(hint: Any, value: object, said: str) -> None:
    with pytest.raises(EditorError, match=said):
        typed(hint, value, "it")


def test_too_many_edits_are_refused_before_one_is_looked_at() -> None:
    with pytest.raises(EditorError, match="3000 items: allowed are 64"):
        Attribute.from_json({"edits": [None] * 3000})


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_ends_in_the_declared_type_or_an_error(value: Any) -> None:
    for hint in (int, float, str, bool, SubjectEdit, tuple[float, ...], Family, Attribute):
        try:
            found = Attribute.from_json(value) if hint is Attribute else typed(hint, value, "it")
        except EditorError:
            continue
        assert isinstance(found, getattr(hint, "__origin__", hint))


def test_ranges_hold_for_items_of_tuples_too() -> None:
    with pytest.raises(EditorError, match="allowed is 0 to 1"):
        typed(tuple[tuple[float, float], ...], [[0, 0.5], [1, 2]], "curve", Bounds(min=0, max=1))


def test_names_are_mended_and_numbers_bounded() -> None:
    assert mended_text("a\udcffb", "name") == "a\ufffdb"
    assert text("ü", "name") == "ü"
    assert (whole(3, "n", 3, 3), number(3, "n", 3, 3)) == (3, 3.0)
    with pytest.raises(EditorError, match="allowed is 4 to 5"):
        whole(3, "n", 4, 5)


@pytest.mark.parametrize("content", ["[" * 100_000, "5", "nope", "{" * 1000, b"\xff", "1" * 5000])
def test_what_is_no_json_object_is_said(content: str | bytes) -> None:
    with pytest.raises(EditorError):
        json_object(content, "recipe")


@pytest.mark.parametrize(
    "content", ['{"a": 1, "b": 2, "a": 1}', '{"b": [{"a": 1, "a": 2}]}', '{"a":1,"\\u0061":2}']
)
def test_a_name_that_is_there_twice_decides_nothing(content: str) -> None:
    with pytest.raises(EditorError, match="it says “a” twice"):
        json_object(content, "recipe")
    assert json_object('{"a": {"a": 1}, "b": {"a": 2}}', "recipe") == {"a": {"a": 1}, "b": {"a": 2}}


def test_too_long_a_json_is_refused_unread() -> None:
    with pytest.raises(EditorError, match="too long"):
        json_object(json.dumps({"a": "b" * 100}), "recipe", 50)


@pytest.mark.parametrize("value", [[[[]]], {"a": 1}, "x" * 10**6, object(), math.nan])
def test_values_in_errors_are_short(value: object) -> None:
    assert len(shown(value)) <= 41
    assert str(shown(10**5000)) == "a number of many digits"  # Python refuses to write it out


def test_large_bounds_are_told_to_the_last_digit() -> None:
    with pytest.raises(EditorError, match="Seed is 4294967296: allowed is 0 to 4294967295"):
        Generate(prompt="a cat", seed=2**32)
