"""Merging changes no pixel that shows, where the document says it can."""

from dataclasses import replace

import numpy as np
import pytest

from editor.edits import merging
from editor.layers.layer import BlendMode, Layer
from editor.layers.state import DocumentState
from editor.rendering.compositing import composite
from inference.errors import EditorError
from tests.editor.edits.trees import layer, mask, names, tree


def shown(state: DocumentState) -> np.ndarray:
    return composite(state.layers, state.area).astype(int)


def same_look(one: DocumentState, other: DocumentState, tolerance: int = 1) -> bool:
    before, after = shown(one), shown(other)
    visible = before[..., 3:] / 255
    return bool((np.abs(before - after) * np.maximum(visible, before == after)).max() <= tolerance)


def test_flattening_and_merging_what_shows_keeps_the_look() -> None:
    flat = merging.flattened(tree())
    assert names(flat) == "Flattened"
    assert np.array_equal(shown(flat), shown(tree()))
    hidden = tree().with_node(tree().node("top").changed(visible=False))
    merged = merging.merged_visible(hidden)
    assert names(merged) == "invert top"
    assert np.array_equal(shown(merged), shown(hidden))


def test_merging_down_keeps_the_lower_layers_place_name_and_mode() -> None:
    upper = layer("upper", 8, x=3, opacity=0.6, mask=mask())
    lower = layer("lower", 9, blend_mode=BlendMode.MULTIPLY)
    state = DocumentState(width=13, height=9, layers=(layer("base", 7), lower, upper), active="upper")
    merged = merging.merged_down(state, "upper")
    assert names(merged) == "base lower"
    result = merged.layer("lower")
    assert (result.blend_mode, result.opacity, result.mask) == (BlendMode.MULTIPLY, 1.0, None)
    plain = replace(state, layers=(lower.changed(blend_mode=BlendMode.NORMAL), upper))
    alone = replace(merged, layers=(result.changed(blend_mode=BlendMode.NORMAL),))
    assert np.array_equal(shown(plain), shown(alone))


def test_a_clipped_layer_merges_into_its_base_and_an_adjustment_into_what_it_changes() -> None:
    state = tree()
    merged = merging.merged_down(state, "clipped")
    assert names(merged) == "bottom group(inner) invert top"
    assert same_look(state, merged, 2)
    state = state.with_node(state.node("group").changed(visible=True, opacity=1.0))
    assert names(merging.merged_down(state, "invert")) == "bottom group top"


def test_merging_chosen_layers_and_groups() -> None:
    assert names(merging.merged(tree(), ["bottom", "inner", "top"])) == "group(clipped) invert top"
    state = tree()
    merged = merging.merged_group(state, "group")
    assert names(merged) == "bottom group invert top"
    assert isinstance(merged.node("group"), Layer)
    assert same_look(state, merged, 2)
    assert names(merging.stamped(state, "bottom")) == "bottom Visible group(inner clipped) invert top"


def test_sixteen_bits_are_kept() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (9, 13, 4), np.uint16)
    samples[..., 3] = 65535
    deep = Layer.of_pixels(name="deep", pixels=samples)
    state = DocumentState(width=13, height=9, layers=(deep, layer("bottom", 1, opacity=0.0)))
    assert np.array_equal(merging.flattened(state).layers[0].raster.array(), samples)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda s: merging.merged_down(s, "bottom"), "nothing below"),
        (lambda s: merging.merged_down(s, "top"), "adjustment"),
        (lambda s: merging.merged(s, ["top"]), "Only one"),
        (lambda s: merging.merged_group(s, "top"), "no group"),
        (
            lambda s: merging.merged_down(s.with_node(s.node("group").changed(visible=False)), "group"),
            "hidden",
        ),
        (lambda s: merging.flattened(s.with_node(s.node("inner").changed(locked=True))), "locked"),
    ],
)
def test_what_cannot_be_merged_is_said(edit, reason: str) -> None:
    with pytest.raises(EditorError, match=reason):
        edit(tree())
