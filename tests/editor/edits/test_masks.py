import numpy as np
import pytest

from editor.edits import masks
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.rendering.compositing import composite
from inference.errors import EditorError
from tests.editor.edits.trees import mask, tree


def mask_values(state: DocumentState, node_id: str) -> np.ndarray:
    found = state.node(node_id).mask
    assert found is not None
    return found.read(state.area)


def premultiplied(state: DocumentState) -> np.ndarray:
    shown = composite(state.layers, state.area) / 255
    return np.concatenate([shown[..., :3] * shown[..., 3:], shown[..., 3:]], axis=2) * 255


@pytest.mark.parametrize("kind", ["white", "black", "selection", "outside"])
def test_a_new_mask_shows_what_was_asked_for(kind: str) -> None:
    state = tree(selection=mask(5))
    selected = mask(5).read(state.area)
    expected = {"white": 255, "black": 0, "selection": selected, "outside": 255 - selected}[kind]
    assert np.array_equal(mask_values(masks.mask_added(state, "bottom", kind), "bottom"),
                          np.broadcast_to(expected, selected.shape))  # fmt: skip


def test_applying_a_mask_keeps_the_look() -> None:
    state = tree()
    state = state.with_node(state.node("top").changed(mask=mask(6, outside=40)))
    applied = masks.mask_applied(state, "top")
    assert applied.node("top").mask is None
    before, after = (premultiplied(s) for s in (state, applied))
    assert np.abs(before - after).max() <= 1.5


def test_a_mask_from_the_transparency_keeps_the_look() -> None:
    state = tree()
    taken = masks.mask_added(state, "top", "alpha")
    top = taken.layer("top")
    assert top.raster.array()[..., 3].min() == 255
    before, after = (premultiplied(s) for s in (state, taken))
    assert np.abs(before - after).max() <= 1.5


def test_inverting_twice_changes_nothing() -> None:
    state = tree()
    once = masks.mask_inverted(state, "invert")
    assert np.array_equal(mask_values(once, "invert"), 255 - mask_values(state, "invert"))
    twice = masks.mask_inverted(once, "invert")
    assert np.array_equal(mask_values(twice, "invert"), mask_values(state, "invert"))


def test_disabling_unlinking_and_deleting() -> None:
    state = masks.mask_changed(tree(), "invert", enabled=False, linked=False)
    found = state.node("invert").mask
    assert found is not None
    assert (found.enabled, found.linked) == (False, False)
    assert masks.mask_deleted(state, "invert").node("invert").mask is None


def test_what_is_disabled_hides_nothing_when_it_is_applied() -> None:
    state = tree()
    hidden = mask(6).changed(enabled=False)
    state = state.with_node(state.node("top").changed(mask=hidden))
    applied = masks.mask_applied(state, "top").node("top")
    assert isinstance(applied, Layer)
    assert applied.raster is state.layer("top").raster


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda s: masks.mask_added(s, "invert", "white"), "has a mask already"),
        (lambda s: masks.mask_added(s, "top", "selection"), "Nothing is selected"),
        (lambda s: masks.mask_added(s, "group", "alpha"), "no pixels of its own"),
        (lambda s: masks.mask_applied(s, "invert"), "no pixels of its own"),
        (lambda s: masks.mask_inverted(s, "top"), "has no mask"),
        (
            lambda s: masks.mask_deleted(s.with_node(s.node("invert").changed(locked=True)), "invert"),
            "locked",
        ),
    ],
)
def test_what_cannot_be_done_is_said(edit, reason: str) -> None:
    with pytest.raises(EditorError, match=reason):
        edit(tree())
