"""The dirty area: whatever changed lies inside it, and little else."""

from dataclasses import replace

import numpy as np
import pytest

from editor.adjustments.invert import Invert
from editor.document.changes import dirty_area
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask, Node
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite

DOCUMENT = Area(0, 0, 700, 300)


def layer(seed: int, name: str, **fields: object) -> Layer:
    pixels = np.random.default_rng(seed).integers(0, 255, (100, 120, 4), np.uint8)
    return Layer(name=name, id=name, raster=Raster.of(pixels), **fields)  # type: ignore[arg-type]


@pytest.fixture
def state() -> DocumentState:
    group = Group(
        name="g",
        id="g",
        children=(layer(1, "a", x=40, blend_mode=BlendMode.SCREEN), layer(2, "b", x=300, y=60, opacity=0.5)),
    )
    top = layer(3, "top", x=500, y=150, blend_mode=BlendMode.MULTIPLY)
    return DocumentState(width=700, height=300, layers=(layer(4, "bottom"), group, top))


def mask() -> Mask:
    return Mask(raster=Raster.filled(30, 20, 128, channels=1), x=320, y=80, outside=255)


CHANGES = {
    "stroke": lambda s: s.with_node(
        s.layer("a").changed(raster=s.layer("a").raster.written(5, 5, np.full((4, 4, 4), 9, np.uint8)))
    ),
    "move": lambda s: s.with_node(s.node("b").moved(10, 20)),
    "opacity": lambda s: s.with_node(s.node("g").changed(opacity=0.4)),
    "hide": lambda s: s.with_node(s.node("top").changed(visible=False)),
    "mask": lambda s: s.with_node(s.node("b").changed(mask=mask())),
    "remove": lambda s: s.without(["b"]),
    "add": lambda s: s.inserted([layer(9, "new", x=200)], parent="g"),
    "adjust": lambda s: s.inserted([Adjustment(name="i", settings=Invert())], index=1),
    "order": lambda s: replace(s, layers=s.layers[::-1]),
    "clip": lambda s: s.with_node(s.node("b").changed(clipped=True)),
    "pass through": lambda s: s.with_node(s.node("g").changed(isolated=False)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_changes_outside(state: DocumentState, name: str) -> None:
    after = CHANGES[name](state)
    dirty = dirty_area(state.layers, after.layers, DOCUMENT)
    old, new = composite(state.layers, DOCUMENT).copy(), composite(after.layers, DOCUMENT).copy()
    assert not np.array_equal(old, new)
    old[dirty.within(DOCUMENT)] = new[dirty.within(DOCUMENT)] = 0
    assert np.array_equal(old, new)


def test_an_untouched_tree_is_clean(state: DocumentState) -> None:
    assert dirty_area(state.layers, state.layers, DOCUMENT).is_empty
    renamed: tuple[Node, ...] = state.with_node(state.node("a").changed(name="new")).layers
    assert dirty_area(state.layers, renamed, DOCUMENT).is_empty


def test_small_changes_stay_small(state: DocumentState) -> None:
    dirty = dirty_area(state.layers, CHANGES["hide"](state).layers, DOCUMENT)
    assert dirty == Area(500, 150, 120, 100)
