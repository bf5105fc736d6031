"""Layers made from what is below them: where they go, and whether they still fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from editor.edits.geometry import cropped_to, flipped, turned
from editor.edits.resampling import resized
from editor.generating.pictures_below import (
    is_outdated,
    made_from_below,
    nodes_below,
    picture_at,
    place_above,
)
from editor.layers.layer import Group, Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.pixels.raster import Area
from inference.content import Picture, content_hash
from inference.operations import Edit
from inference.request import Request

PHOTO = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)


def recipe_of(picture: np.ndarray) -> Recipe:
    name = content_hash(picture)
    request = Request(operation="edit", parameters=Edit(image=Picture(name), prompt="a man"), model="m")
    return Recipe(request=request, contents={name: picture}, from_below=True)


def edited(photo: np.ndarray = PHOTO, *, x: int = 0, y: int = 0, part: Area | None = None) -> DocumentState:
    below = Layer.of_pixels(name="photo", pixels=photo)
    state = DocumentState.of_layer(below)
    picture = picture_at(state.layers, part or state.area, b"", state.area)
    place = part or state.area
    layer = Layer.of_pixels(
        name="edit", pixels=picture, recipe=recipe_of(picture), x=place.x + x, y=place.y + y
    )
    return replace(state.inserted([layer]), active=layer.id)


def top(state: DocumentState) -> Layer:
    layer = state.layers[-1]
    assert isinstance(layer, Layer)
    return layer


def retouched(state: DocumentState) -> DocumentState:
    photo = state.layers[0]
    assert isinstance(photo, Layer)
    patch = np.zeros((1, 1, 4), np.uint8)
    return state.with_layer(photo.changed(raster=photo.raster.written(59, 39, patch)))


def moved(state: DocumentState) -> DocumentState:
    return state.with_node(state.layers[0].moved(1, 0))


def test_as_it_was_made_it_fits() -> None:
    assert not is_outdated(edited(), top(edited()))
    part = edited(part=Area(7, 9, 20, 16))
    assert not is_outdated(part, top(part))


@pytest.mark.parametrize(
    "change",
    [
        retouched,
        moved,
        lambda state: cropped_to(state, Area(5, 5, 30, 30)),
        lambda state: resized(state, 120, 80, "lanczos"),
        lambda state: turned(state, 1),
        lambda state: flipped(state, across=True),
        lambda state: state.with_node(top(state).moved(3, 0)),
    ],
    ids=["retouched", "moved", "cropped", "resized", "turned", "mirrored", "the layer moved"],
)
def test_another_picture_below_makes_it_outdated(change: Callable[[DocumentState], DocumentState]) -> None:
    after = change(edited())
    assert top(after).recipe is not None
    assert is_outdated(after, top(after))


def test_what_is_above_does_not_count() -> None:
    state = edited()
    above = Layer.of_pixels(name="text", pixels=np.zeros((40, 60, 3), np.uint8))
    assert not is_outdated(state.inserted([above]), top(state))


def test_both_moved_together_still_fit() -> None:
    state = edited(part=Area(10, 10, 20, 20))
    both = state.with_node(state.layers[0].moved(4, 2)).with_node(top(state).moved(4, 2))
    assert not is_outdated(both, top(both))


def test_over_nothing_it_is_taken_as_it_is() -> None:
    state = edited()
    assert not is_outdated(state.with_node(state.layers[0].changed(visible=False)), top(state))


def test_after_a_crop_the_cut_off_part_is_not_kept_in_the_recipe() -> None:
    """A crop takes away what nobody shall see, out of the file as well."""
    state = edited()
    after = top(cropped_to(state, Area(5, 5, 30, 30)))
    assert after.recipe is not None
    assert after.recipe.lacks_picture
    assert not any(isinstance(blob, np.ndarray) for blob in after.recipe.contents.values())


def test_a_crop_that_keeps_what_is_outside_keeps_the_sliders() -> None:
    state = edited()
    after = top(cropped_to(state, Area(5, 5, 30, 30), keep_outside=True))
    assert after.recipe is not None
    assert not after.recipe.lacks_picture


def test_recipes_that_came_from_elsewhere_are_never_outdated() -> None:
    state = edited()
    other = top(state).changed(recipe=replace(recipe_of(255 - PHOTO), from_below=False))
    assert not is_outdated(state.with_layer(other), other)


def test_below_in_a_group_are_the_group_s_lower_children_and_what_the_group_lies_on() -> None:
    state = edited()
    photo, layer = state.layers
    lower = Layer.of_pixels(name="lower", pixels=PHOTO)
    upper = Layer.of_pixels(name="upper", pixels=PHOTO)
    nested = replace(state, layers=(photo, Group(name="g", children=(lower, layer, upper))))
    below = nodes_below(nested, layer.id)
    assert below[0] is photo
    assert isinstance(below[1], Group)
    assert below[1].children == (lower,)
    assert not is_outdated(nested, top(state))


def test_the_answer_is_looked_up_again_only_when_it_may_be_another() -> None:
    state = edited()
    known = made_from_below(state)
    above = Layer.of_pixels(name="text", pixels=PHOTO)
    assert made_from_below(state.inserted([above])) == known
    assert made_from_below(retouched(state)) != known


def test_results_go_above_what_holds_the_active_node_and_what_is_clipped_to_it() -> None:
    inner = Layer.of_pixels(name="inner", pixels=PHOTO)
    group = Group(name="g", children=(inner,))
    clip = Layer.of_pixels(name="clip", pixels=PHOTO, clipped=True)
    above = Layer.of_pixels(name="above", pixels=PHOTO)
    state = DocumentState(width=60, height=40, layers=(group, clip, above), active=inner.id)
    assert place_above(state) == 2
    assert place_above(replace(state, active=above.id)) == 3
    assert place_above(replace(state, active="")) == 3
