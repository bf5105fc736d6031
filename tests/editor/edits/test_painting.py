import numpy as np
import pytest

from editor.edits import painting
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.rendering.compositing import composite
from inference.errors import EditorError
from tests.editor.edits.trees import layer, mask, tree

RED = (200, 10, 20, 255)


def pixels(state: DocumentState, node_id: str) -> np.ndarray:
    """A layer's own pixels over the document's area."""
    return composite([state.layer(node_id).changed(opacity=1.0, clipped=False)], state.area).astype(int)


def test_without_a_selection_a_fill_covers_the_picture() -> None:
    filled = painting.filled(tree(), "inner", RED)
    assert np.array_equal(np.unique(pixels(filled, "inner").reshape(-1, 4), axis=0), [RED])


def test_a_fill_goes_as_far_as_the_selection() -> None:
    state = tree(selection=mask(5))
    share = mask(5).read(state.area)[..., None] / 255
    before, after = pixels(state, "bottom"), pixels(painting.filled(state, "bottom", RED), "bottom")
    alpha = share * 255 + before[..., 3:] * (1 - share)
    assert np.abs(after[..., 3:] - alpha).max() <= 1
    premultiplied = share * 255 * np.array(RED[:3]) + before[..., 3:] * (1 - share) * before[..., :3]
    assert np.abs(after[..., :3] * after[..., 3:] - premultiplied).max() <= 2 * 255
    assert np.array_equal(after[share[..., 0] == 0], before[share[..., 0] == 0])


def test_locked_transparency_stays_as_it_is() -> None:
    state = tree()
    state = state.with_node(state.node("bottom").changed(alpha_locked=True))
    after = painting.filled(state, "bottom", RED).layer("bottom").raster.array()
    assert np.array_equal(after[..., 3], state.layer("bottom").raster.array()[..., 3])
    assert (after[..., 0] == 200).all()
    with pytest.raises(EditorError, match="transparency of “bottom” is locked"):
        painting.cleared(state, "bottom")


def test_a_mask_is_filled_with_the_colours_lightness() -> None:
    state = tree(selection=mask(5))
    filled = painting.filled(state, "invert", (255, 255, 255, 255), mask=True).node("invert").mask
    old = state.node("invert").mask
    assert filled is not None
    assert old is not None
    share = mask(5).read(state.area) / 255
    expected = old.read(state.area) * (1 - share) + 255 * share
    assert np.abs(filled.read(state.area) - expected).max() <= 1


def test_clearing_takes_away_what_is_selected() -> None:
    state = tree(selection=mask(5))
    share = mask(5).read(state.area) / 255
    before, after = pixels(state, "bottom"), pixels(painting.cleared(state, "bottom"), "bottom")
    assert np.abs(after[..., 3] - before[..., 3] * (1 - share)).max() <= 1
    assert painting.cleared(tree(), "bottom").layer("bottom").raster.array()[..., 3].max() == 0


def test_cutting_to_a_layer_moves_every_pixel_once() -> None:
    state = tree(selection=mask(5))
    cut = painting.layer_by_cut(state, "bottom")
    part = cut.node(cut.active)
    assert isinstance(part, Layer)
    assert part.area == mask(5).area
    total = pixels(cut, "bottom")[..., 3] + composite([part], state.area)[..., 3]
    assert np.abs(total - pixels(state, "bottom")[..., 3]).max() <= 1
    copied = painting.layer_by_copy(state, "bottom")
    assert copied.layer("bottom") is state.layer("bottom")


def test_sixteen_bits_stay() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (9, 13, 4), np.uint16)
    state = DocumentState.of_layer(Layer.of_pixels(name="deep", id="deep", pixels=samples))
    filled = painting.filled(state, "deep", RED).layer("deep").raster
    assert filled.read(state.area)[0, 0].tolist() == [value * 257 for value in RED]


def test_what_cannot_be_done_is_said() -> None:
    away = tree(selection=mask(5, x=900))
    for edit in (painting.layer_by_copy, painting.layer_by_cut):
        with pytest.raises(EditorError, match="Nothing of"):
            edit(away, "bottom")
    with pytest.raises(EditorError, match="outside the picture"):
        painting.filled(away, "bottom", RED)
    with pytest.raises(EditorError, match="no pixels of its own"):
        painting.filled(tree(), "group", RED)
    locked = tree().with_node(layer("bottom", 1, locked=True))
    with pytest.raises(EditorError, match="locked"):
        painting.cleared(locked, "bottom")
