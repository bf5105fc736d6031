"""Finding commands by a few letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.actions.fuzzy import match


def best(query: str, names: list[str]) -> str:
    found = [(hit.score, name) for name in names if (hit := match(query, name)) is not None]
    return max(found)[1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("exp", "Export"),
        ("zi", "Zoom in"),
        ("dup", "Duplicate layer"),
        ("layer dup", "Duplicate layer"),
        ("SAVE AS", "Save project as"),
        ("图层", "新建图层"),
        ("复层", "复制图层"),
    ],
)
def test_the_meant_name_comes_first(query: str, expected: str) -> None:
    names = [
        "Export",
        "Expand selection… next",
        "Zoom in",
        "Zoom out",
        "Resize",
        "Duplicate layer",
        "Delete layer",
        "Save project",
        "Save project as",
        "新建图层",
        "复制图层",
    ]
    assert best(query, names) == expected


def test_letters_in_another_order_do_not_fit() -> None:
    assert match("pxe", "Export") is None
    assert match("layer zzz", "Duplicate layer") is None


def test_nothing_typed_fits_everything() -> None:
    found = match("", "Anything")
    assert found is not None
    assert found.positions == ()


@given(st.text(max_size=12), st.text(max_size=30))
def test_found_letters_are_those_that_were_typed(query: str, text: str) -> None:
    found = match(query, text)
    if found is None or len(query.split()) > 1:
        return
    letters = "".join(text[place] for place in found.positions)
    assert letters.lower() == "".join(query.split()).lower() or letters == "".join(query.split())


@given(st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip())))
def test_a_name_finds_itself(text: str) -> None:
    assert match(text, text) is not None
