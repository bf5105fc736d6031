import json
import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from editor.adjustments.invert import Invert
from editor.document.state_json import source_from_json, source_to_json, state_from_json, state_to_json
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask, Node
from editor.layers.state import DocumentState, Guide, SourceMetadata
from editor.layers.text import TextContent
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import Message
from tests.editor.samples import MAN, noise, recipe

THIRD = Guide(vertical=False, position=3)


class Memory:
    """Keeps pixels by number."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def keep_raster(self, raster: Raster) -> int:
        self.kept.append(raster)
        return len(self.kept) - 1

    def keep_map(self, values: NDArray[np.float32]) -> int:
        self.kept.append(values)
        return len(self.kept) - 1

    def keep_content(self, name: str, blob: Any) -> int:
        self.kept.append(blob)
        return len(self.kept) - 1

    def content(self, name: str, reference: Any) -> Any:
        return self.kept[reference]

    def raster(self, reference: Any) -> Raster:
        return self.kept[reference]

    map = raster


def mask(seed: int) -> Mask:
    return Mask(
        raster=Raster.of(noise(seed, channels=4)[..., :1].copy()),
        x=-3,
        y=4,
        outside=200,
        enabled=False,
        linked=False,
    )


def everything() -> DocumentState:
    """A state in which no field has its default."""
    layer = Layer(
        name="Schicht „ä“",
        raster=Raster.of(noise(1)),
        visible=False,
        opacity=0.25,
        blend_mode=BlendMode.HARD_MIX,
        locked=True,
        alpha_locked=True,
        position_locked=True,
        clipped=True,
        mask=mask(2),
        x=5,
        y=-6,
        made=recipe(MAN),
        maps={"attention/4-7": np.ones((2, 2), np.float32)},
        text=TextContent(text="Grüße", colour=(1, 2, 3, 4), alignment="right"),
    )
    adjustment = Adjustment(name="Invert", settings=Invert(), mask=mask(3))
    inner = Group(name="Inner", children=(layer, adjustment), isolated=False, opacity=0.5)
    return DocumentState(
        width=30,
        height=20,
        layers=(Layer.of_pixels(name="Background", pixels=noise(4)), Group(name="Outer", children=(inner,))),
        active=layer.id,
        chosen=frozenset({adjustment.id}),
        selection=mask(5),
        guides=(Guide(vertical=True, position=2.5), Guide(vertical=False, position=7)),
        dpi=(300.0, 299.5),
        icc_profile=b"\0profile",
    )


def plain(value: Any) -> Any:
    """Values that compare by content: nodes do not."""
    if isinstance(value, Node | Mask | DocumentState):
        return type(value).__name__, {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return id(value) if isinstance(value, Raster | np.ndarray) else value


def test_everything_comes_back() -> None:
    memory, state, notes = Memory(), everything(), list[Message]()
    text = json.dumps(state_to_json(state, memory))
    assert plain(state_from_json(json.loads(text), memory, notes)) == plain(state)
    assert notes == []


def test_no_field_is_at_its_default_in_the_sample() -> None:
    """So that a field that is added later and forgotten here is noticed."""
    layer = next(item for item in everything().rasters() if item.text is not None)
    empty = Layer(name="", id="", raster=layer.raster)
    same = [
        item.name
        for item in fields(layer)
        if plain(getattr(layer, item.name)) == plain(getattr(empty, item.name))
    ]
    assert same == ["raster"]
    bare = DocumentState(width=1, height=1)
    same = [
        item.name for item in fields(bare) if getattr(everything(), item.name) == getattr(bare, item.name)
    ]
    assert same == ["frame"], "which canvas of this session it is, no file keeps"


def test_source_comes_back() -> None:
    source = SourceMetadata(
        exif=b"e\0", text={"a": "ü"}, xmp=b"<x/>", photoshop=b"8BIM", others=("FLIR",), photo=True
    )
    assert source_from_json(json.loads(json.dumps(source_to_json(source)))) == source


def test_what_is_no_part_of_the_picture_is_dropped_with_a_note() -> None:
    memory, notes = Memory(), list[Message]()
    values = json.loads(json.dumps(state_to_json(everything(), memory)))
    layer = values["layers"][1]["children"][0]["children"][0]
    layer["recipe"]["version"] = 99
    layer["blend_mode"] = "none:such"
    layer["text"]["size_px"] = 0
    restored = next(item for item in state_from_json(values, memory, notes).rasters() if item.x == 5)
    assert restored.recipe is None
    assert restored.text is None
    assert restored.blend_mode is BlendMode.NORMAL
    assert len(notes) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("height", "8"),
        ("layers", {}),
        ("layers", [{"kind": "cube"}]),
        ("layers", ["x"]),
        ("selection", 3),
        ("guides", 3),
        ("chosen", [5]),
        ("width", True),
        ("icc_profile", "§"),
        ("icc_profile", 5),
    ],
)
def test_wrong_values_are_refused(name: str, value: object) -> None:
    memory = Memory()
    values = state_to_json(everything(), memory)
    with pytest.raises(EditorError):
        state_from_json(values | {name: value}, memory, [])


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("dpi", [math.nan, 72], None),
        ("dpi", [math.inf, 72], None),
        ("dpi", [1], None),
        ("dpi", 5, None),
        ("dpi", [True, 72], None),
        ("guides", [{"vertical": True}, {"vertical": False, "position": 3}], (THIRD,)),
        ("guides", [{"vertical": True, "position": math.nan}, {"position": "far"}, 5], ()),
    ],
)  # fmt: skip
def test_what_no_picture_can_have_is_left_out(name: str, value: object, kept: object) -> None:
    memory = Memory()
    values = state_to_json(everything(), memory) | {name: value}
    assert getattr(state_from_json(values, memory, []), name) == kept


def test_what_a_user_may_have_made_is_cut_and_not_refused() -> None:
    memory = Memory()
    values = json.loads(json.dumps(state_to_json(everything(), memory)))
    values["layers"][0]["name"] = "n" * 20_000
    values["guides"] = [{"vertical": True, "position": 1.0}] * 2000
    read = state_from_json(values, memory, [])
    assert (len(read.layers[0].name), len(read.guides)) == (10_000, 1000)


def test_half_characters_in_names_are_shown_as_such() -> None:
    memory = Memory()
    values = json.loads(json.dumps(state_to_json(everything(), memory)))
    values["layers"][0]["name"] = "a\ud800b"
    assert state_from_json(values, memory, []).layers[0].name == "a\ufffdb"


def test_groups_without_end_are_refused() -> None:
    memory = Memory()
    node: Node = Group(name="g")
    for _ in range(101):
        node = Group(name="g", children=(node,))
    values = state_to_json(DocumentState(width=1, height=1, layers=(node,)), memory)
    with pytest.raises(EditorError, match="deep"):
        state_from_json(values, memory, [])


def test_an_adjustment_of_a_newer_version_is_left_out_and_said() -> None:
    memory, notes, state = Memory(), list[Any](), everything()
    values = state_to_json(state, memory)
    newer = {"kind": "adjustment", "adjustment": "of 2031", "name": "Sepia"}
    read = state_from_json({**values, "layers": [*values["layers"], newer]}, memory, notes)
    assert plain(read) == plain(state)
    assert [str(note) for note in notes if "Sepia" in str(note)] == [
        "The adjustment “Sepia” is of a kind that Attune lacks; it was left out."
    ]
