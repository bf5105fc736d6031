"""Frames, turns and flips move all that is in the picture by the same rule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.edits import geometry
from editor.layers.state import DocumentState, Guide
from editor.layers.text import TextContent
from editor.pixels.raster import Area
from editor.rendering.compositing import composite
from inference.errors import EditorError
from tests.editor.edits.trees import mask, tree
from tests.editor.samples import MAN, generated


def shown(state: DocumentState, area: Area | None = None) -> np.ndarray:
    return composite(state.layers, area or state.area)


def selected(state: DocumentState) -> np.ndarray:
    assert state.selection is not None
    return state.selection.read(state.area)


@given(st.integers(-5, 12), st.integers(-5, 8), st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_a_crop_shows_what_was_there(x: int, y: int, width: int, height: int, keep: bool) -> None:
    state, area = tree(selection=mask(5)), Area(x, y, width, height)
    if area.intersected(state.area).is_empty:
        with pytest.raises(EditorError, match="outside"):
            geometry.cropped_to(state, area)
        return
    cut = geometry.cropped_to(state, area, keep_outside=keep)
    assert (cut.width, cut.height) == (width, height)
    assert np.array_equal(shown(cut), shown(state, area))
    assert np.array_equal(selected(cut), mask(5).read(area))
    assert cut.guides[0].position == 3.0 - x
    if keep:
        assert cut.layers[0].raster is state.layers[0].raster  # type: ignore[attr-defined]
    else:
        assert all(cut.area.contains(layer.area) for layer in cut.rasters())


@given(st.sampled_from(sorted(geometry.ANCHORS)), st.integers(1, 30), st.integers(1, 30))
def test_a_canvas_of_another_size_keeps_the_anchor_in_place(anchor: str, width: int, height: int) -> None:
    state = tree()
    resized = geometry.resized_canvas(state, width, height, anchor)
    across, down = geometry.ANCHORS[anchor]
    left, top = round((state.width - width) * across), round((state.height - height) * down)
    assert np.array_equal(shown(resized), shown(state, Area(left, top, width, height)))


@pytest.mark.parametrize("quarters", range(-1, 6))
def test_turning_turns_the_picture(quarters: int) -> None:
    state = tree(selection=mask(5), dpi=(300.0, 150.0))
    turned = geometry.turned(state, quarters)
    assert np.array_equal(shown(turned), np.rot90(shown(state), -quarters))
    assert np.array_equal(selected(turned), np.rot90(selected(state), -quarters))
    assert turned.dpi == ((150.0, 300.0) if quarters % 2 else (300.0, 150.0))


def test_four_quarters_are_nothing() -> None:
    turned = geometry.turned(geometry.turned(tree(), 1), 3)
    assert turned.guides == tree().guides
    assert np.array_equal(shown(turned), shown(tree()))


@pytest.mark.parametrize("across", [True, False])
def test_flipping_mirrors_the_picture(across: bool) -> None:
    state = tree(selection=mask(5))
    flipped = geometry.flipped(state, across=across)
    assert np.array_equal(shown(flipped), np.flip(shown(state), int(across)))
    assert np.array_equal(selected(flipped), np.flip(selected(state), int(across)))
    positions = [10.0, 4.0] if across else [3.0, 5.0]
    assert [guide.position for guide in flipped.guides] == positions


def test_a_layer_turns_about_its_own_middle() -> None:
    state = tree()
    flipped = geometry.flipped_nodes(state, ["inner"], across=True)
    assert flipped.layer("inner").area == state.layer("inner").area
    assert np.array_equal(flipped.layer("inner").raster.array(), state.layer("inner").raster.array()[:, ::-1])
    turned = geometry.turned_nodes(state, ["inner"], 1)
    assert turned.layer("inner").area == Area(3, -2, 5, 7)
    back = geometry.turned_nodes(turned, ["inner"], 3)
    assert np.array_equal(back.layer("inner").raster.array(), state.layer("inner").raster.array())
    fixed = state.with_node(state.node("inner").changed(position_locked=True))
    for node in ("inner", "group"):
        with pytest.raises(EditorError, match="position of “inner” is locked"):
            geometry.turned_nodes(fixed, [node], 1)
    with pytest.raises(EditorError, match="have no pixels"):
        geometry.flipped_nodes(state, ["invert"], across=True)


def test_text_stays_text_where_it_can_be_set() -> None:
    text = TextContent(text="a", x=2.0, y=3.0)
    state = tree()
    state = state.with_node(state.layer("top").changed(text=text))
    turned = geometry.turned(state, 1).layer("top").text
    assert turned is not None
    assert (turned.x, turned.y, turned.angle) == (6.0, 2.0, 90.0)
    assert geometry.flipped(state, across=True).layer("top").text is None
    moved = geometry.framed(state, Area(1, 1, 5, 5)).layer("top").text
    assert moved is not None
    assert (moved.x, moved.y) == (1.0, 2.0)


def test_trimming_to_what_shows_and_to_the_selection() -> None:
    state = tree()
    inner = state.layer("inner").changed(x=4, y=3)
    alone = replace(state, layers=(inner,), selection=mask(5))
    assert (geometry.trimmed(alone).width, geometry.trimmed(alone).height) == (7, 5)
    cut = geometry.cropped_to_selection(alone)
    assert (cut.width, cut.height) == (6, 5)
    assert cut.guides[0] == Guide(vertical=True, position=2.0)
    with pytest.raises(EditorError, match="is empty"):
        geometry.trimmed(replace(alone, layers=(inner.changed(visible=False),)))
    with pytest.raises(EditorError, match="Nothing is selected"):
        geometry.cropped_to_selection(state)


def test_all_of_every_layer_can_be_shown() -> None:
    state = geometry.revealed(tree())
    assert (state.width, state.height) == (15, 13)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 300_001), (60_000, 60_000)])
def test_impossible_sizes_are_refused(width: int, height: int) -> None:
    with pytest.raises(EditorError, match=f"{width} × {height}"):
        geometry.resized_canvas(tree(), width, height, "centre")


def test_what_was_turned_is_no_longer_what_its_recipe_makes() -> None:
    """The next move of a slider turned a generated picture back."""
    state = generated(MAN).state
    ids = [state.layers[0].id]
    for after in (
        geometry.turned(state, 1),
        geometry.flipped(state, across=True),
        geometry.flipped_nodes(state, ids, across=False),
        geometry.turned_nodes(state, ids, 2),
    ):
        assert after.layers[0].recipe is None
    assert geometry.turned(geometry.turned(state, 4), 0).layers[0].recipe == state.layers[0].recipe
