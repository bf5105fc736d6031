"""Declarations: validation, JSON, and every operation's declaration."""

import json
import math
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import EditorError
from inference.operations import OPERATIONS, Attribute, AttributeSweep, Operation, SubjectEdit
from inference.parameters import Parameters, param
from inference.request import Request


@dataclass(frozen=True, kw_only=True)
class Point:
    x: int
    y: float


@dataclass(frozen=True, kw_only=True)
class Example(Parameters):
    strength: float = param(0.5, "Strength", min=0, max=1)
    count: int | None = param(None, "Count", min=1)
    mode: str = param("soft", "Mode", choices=("soft", "hard"))
    on: bool = param(True, "On")
    points: tuple[Point, ...] = param((), "Points")
    pair: tuple[int, str] = param((1, "a"), "Pair")


def test_declared_lists_fields_in_order_with_their_types() -> None:
    assert [(item.name, item.type, item.optional) for item in Example.declared()] == [
        ("strength", float, False),
        ("count", int, True),
        ("mode", str, False),
        ("on", bool, False),
        ("points", tuple[Point, ...], False),
        ("pair", tuple[int, str], False),
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"strength": 1.5}, "Strength is 1.5: allowed is 0 to 1"),
        ({"strength": math.nan}, "allowed is 0 to 1"),
        ({"strength": "much"}, "expected a number"),
        ({"strength": None}, "a value is needed"),
        ({"count": 0}, "allowed is 1 or more"),
        ({"count": 2.5}, "expected a whole number"),
        ({"count": True}, "expected a whole number"),
        ({"mode": "loud"}, "choose one of: soft, hard"),
        ({"on": 1}, "expected yes or no"),
    ],
)
def test_refuses_what_the_declaration_does_not_allow(values: dict[str, object], said: str) -> None:
    with pytest.raises(EditorError, match=said):
        Example(**values)  # type: ignore[arg-type]


def test_whole_numbers_are_floats_where_a_float_is_declared() -> None:
    assert isinstance(Example(strength=1).strength, float)


def test_unknown_names_are_named_with_what_there_is() -> None:
    with pytest.raises(EditorError, match=r"Unknown parameter size.*strength, count"):
        Example.from_json({"size": 3})


@pytest.mark.parametrize(
    "values",
    [{"points": 5}, {"points": [{"x": 1}]}, {"points": [{"x": 1, "y": 2.0, "z": 3}]}],
)
def test_malformed_nested_values_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(EditorError):
        Example.from_json(values)


@given(
    strength=st.floats(0, 1),
    count=st.none() | st.integers(1, 10**6),
    points=st.lists(
        st.builds(
            Point, x=st.integers(-(2**63) + 1, 2**63 - 1), y=st.floats(allow_nan=False, allow_infinity=False)
        )
    ),
)
def test_json_round_trip(strength: float, count: int | None, points: list[Point]) -> None:
    example = Example(strength=strength, count=count, points=tuple(points))
    assert Example.from_json(json.loads(json.dumps(example.to_json()))) == example


def _sample(kind: Any, name: str) -> Any:
    """A value of a required parameter: a content of that name, a tuple of one, or a text."""
    return (get_args(kind)[0](name),) if get_origin(kind) is tuple else kind(name)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
class TestEveryOperation:
    def test_defaults_are_valid_and_survive_json(self, operation: Operation) -> None:
        required = {
            item.name: _sample(item.type, f"{number:064x}")
            for number, item in enumerate(operation.parameters.declared())
            if item.required
        }
        parameters = operation.parameters(**required)
        again = operation.parameters.from_json(json.loads(json.dumps(parameters.to_json())))
        assert again == parameters

    def test_every_field_is_declared_with_a_label(self, operation: Operation) -> None:
        declared = operation.parameters.declared()
        assert declared
        assert all(item.declaration.label for item in declared)

    def test_method_is_a_dotted_name_below_methods(self, operation: Operation) -> None:
        module, _, function = operation.method.partition(":")
        assert module.startswith("inference.methods.")
        assert function.isidentifier()


def test_request_round_trip_with_edits() -> None:
    edits = (SubjectEdit(start=11, end=14, attribute="age", value=0.64),)
    request = Request(
        operation="attribute-sweep",
        parameters=AttributeSweep(prompt="a photo of a man", edits=edits, positions=(-2.0, 0.0, 2.0)),
        model="mini-sdxl",
        model_hash="abc",
    )
    assert Request.from_json(json.loads(json.dumps(request.to_json()))) == request


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "lacks 'operation'"),
        ({"operation": "dance", "parameters": {}, "model": "m"}, "Unknown operation “dance”.*generate"),
        ({"operation": "generate", "parameters": {"steps": 0}, "model": "m"}, "Steps is 0:"),
    ],
)
def test_broken_recipes_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(EditorError, match=said):
        Request.from_json(values)


def test_an_edit_from_json_is_an_edit() -> None:
    edit = {"start": 0, "end": 3, "attribute": "age", "value": 1.0}
    assert Attribute.from_json({"edits": [edit]}).edits == (SubjectEdit(**edit),)
