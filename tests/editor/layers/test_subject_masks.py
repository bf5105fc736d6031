"""The mask of a layer that a method made from a picture."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from editor.commands import ReplaceState
from editor.commands.results import place_result
from editor.document.document import Document
from editor.edits.geometry import cropped_to, turned
from editor.edits.resampling import resized
from editor.layers.layer import Layer, Mask
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.layers.subject_masks import automatic_mask
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite
from inference.content import Picture, content_hash
from inference.operations import BY_TEXT, Edit, Generate, SubjectEdit
from inference.request import Request

PHOTO = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
LEFT = {"mask/0-3": np.pad(np.ones((4, 1), np.float32), ((2, 2), (1, 10)))}
RIGHT = {"mask/4-7": np.pad(np.ones((4, 1), np.float32), ((2, 2), (10, 1)))}


def recipe() -> Recipe:
    name = content_hash(PHOTO)
    parameters = Edit(image=Picture(name), prompt="man cat")
    request = Request(operation="edit", parameters=parameters, model="m")
    return Recipe(request=request, contents={name: PHOTO}, from_below=True)


def document(made: Recipe | None = None) -> Document:
    photo = Document.from_layer(Layer.of_pixels(name="photo", pixels=PHOTO), title="t")
    layer = Layer.of_pixels(name="edit", pixels=PHOTO, recipe=made or recipe())
    state = photo.state
    from editor.edits.tree import added

    return Document(added(state, layer, state.active), title="t")


def place(target: Document, pixels: np.ndarray, maps: object, made: Recipe | None = None) -> Layer:
    layer_id = target.state.layers[-1].id
    command = place_result(target, layer_id, pixels, made or recipe(), "edit", maps)
    target.undo_stack.push(command)
    return target.state.layer(layer_id)


def test_outside_of_the_subject_the_picture_below_is_untouched() -> None:
    target = document()
    layer = place(target, 255 - PHOTO, LEFT)
    assert layer.mask is not None
    shares = layer.mask.read(layer.area)
    shown = composite(target.state.layers, target.state.area)[..., :3]
    assert np.array_equal(shown[shares == 0], PHOTO[shares == 0])
    assert np.array_equal(shown[shares == 255], (255 - PHOTO)[shares == 255])
    assert (shares[16:48, 8:16] == 255).all()
    assert 0 < (shares == 0).mean() < 1


def test_another_subject_widens_the_mask() -> None:
    target = document()
    first = place(target, 255 - PHOTO, LEFT)
    second = place(target, 255 - PHOTO, RIGHT)
    assert first.mask is not None
    assert second.mask is not None
    one, both = first.mask.read(first.area), second.mask.read(second.area)
    assert (both >= one).all()
    assert (both > one).any()


def test_of_maps_of_several_sizes_the_finest_count() -> None:
    """A file may hold any; the layer could neither be opened nor its sliders moved."""
    target = document()
    layer = target.state.layer(target.state.layers[-1].id)
    alone = automatic_mask(layer, LEFT)
    both = automatic_mask(layer, {**LEFT, "mask/4-7": np.ones((2, 2), np.float32)})
    assert alone is not None
    assert both is not None
    assert np.array_equal(both.read(layer.area), alone.read(layer.area))


def test_masks_of_another_prompt_are_not_kept() -> None:
    """The same characters are another subject there."""
    target = document()
    place(target, 255 - PHOTO, LEFT)
    parameters = replace(recipe().request.parameters, prompt="cat man")
    other = replace(recipe(), request=replace(recipe().request, parameters=parameters))
    layer = place(target, 255 - PHOTO, RIGHT, other)
    assert layer.maps.keys() == RIGHT.keys()
    assert layer.mask is not None
    assert not layer.mask.read(layer.area)[16:48, 8:16].any()


def moved(man: float, cat: float) -> Recipe:
    made = recipe()
    edits = (
        SubjectEdit(start=0, end=3, attribute="age", value=man),
        SubjectEdit(start=4, end=7, attribute="size", value=cat),
    )
    return replace(
        made, request=replace(made.request, parameters=replace(made.request.parameters, edits=edits))
    )


def test_a_subject_whose_slider_stands_at_zero_stays_untouched() -> None:
    """Its map is known of positions that were prepared, or it was moved and set back."""
    target = document()
    both = {**LEFT, **RIGHT}
    first = place(target, 255 - PHOTO, both, moved(0.0, 1.0))
    assert first.mask is not None
    assert not first.mask.read(first.area)[:, :20].any()
    second = place(target, 255 - PHOTO, both, moved(1.0, 1.0))
    third = place(target, 255 - PHOTO, both, moved(1.0, 0.0))
    assert second.mask is not None
    assert third.mask is not None
    assert second.mask.read(second.area)[:, :20].any()
    assert not third.mask.read(third.area)[:, 76:].any()
    place(target, PHOTO, both, moved(0.0, 0.0))
    last = place(target, 255 - PHOTO, both, moved(0.0, 1.0))
    assert last.mask is not None
    assert np.array_equal(last.mask.read(last.area), first.mask.read(first.area))


def test_a_mask_of_all_subjects_from_an_older_file_is_none_of_the_users() -> None:
    target = document()
    both = {**LEFT, **RIGHT}
    layer = place(target, 255 - PHOTO, both, moved(0.0, 1.0))
    older = automatic_mask(layer.changed(recipe=recipe()), both)
    target = Document(target.state.with_layer(layer.changed(mask=older)), title="t")
    again = place(target, 255 - PHOTO, both, moved(0.0, 2.0))
    assert again.mask is not None
    assert not again.mask.read(again.area)[:, :20].any()


@pytest.mark.parametrize("more", [{"only_subject": False}, {"kept_by": BY_TEXT}])
def test_a_layer_that_may_change_more_than_its_subjects_has_none(more: dict[str, Any]) -> None:
    target = document()
    kept = moved(1.0, 0.0)
    parameters = replace(kept.request.parameters, **more)
    free = replace(kept, request=replace(kept.request, parameters=parameters))
    assert place(target, 255 - PHOTO, LEFT, kept).mask is not None
    assert place(target, 255 - PHOTO, LEFT, free).mask is None
    assert place(target, 255 - PHOTO, LEFT, kept).mask is not None


def test_a_mask_that_was_painted_on_stays() -> None:
    target = document()
    layer = place(target, 255 - PHOTO, LEFT)
    assert layer.mask is not None
    values = np.array(layer.mask.read(layer.area))[..., None]
    values[0, 0] = 77
    painted = layer.mask.changed(raster=Raster.of(values))
    target = Document(target.state.with_layer(layer.changed(mask=painted)), title="t")
    assert place(target, PHOTO, RIGHT).mask is painted


@pytest.mark.parametrize("maps", [{}, {"attention/0-3": np.ones((8, 12), np.float32)}])
def test_without_the_method_telling_there_is_no_mask(maps: dict[str, np.ndarray]) -> None:
    assert place(document(), 255 - PHOTO, maps).mask is None


TURNED: list[Callable[[DocumentState], DocumentState]] = [
    lambda state: cropped_to(state, Area(0, 0, 80, 64)),
    lambda state: cropped_to(cropped_to(state, Area(0, 0, 90, 64)), Area(4, 0, 70, 60)),
    lambda state: turned(state, 1),
    lambda state: resized(state, 48, 32, "bicubic"),
]


@pytest.mark.parametrize("turn", TURNED)
@pytest.mark.parametrize("painted", [False, True])
def test_made_again_after_the_picture_was_cut_or_turned_it_has_a_new_one(
    turn: Callable[[DocumentState], DocumentState], *, painted: bool
) -> None:
    """Where another subject was changed then, the mask of the first one hid it."""
    target = document()
    place(target, 255 - PHOTO, LEFT)
    target.undo_stack.push(ReplaceState(target, turn(target.state), "crop"))
    layer = target.state.layers[-1]
    assert layer.mask is not None
    if painted:
        values = layer.mask.raster.array().copy()
        values[0, 0] = 77
        painting = layer.changed(mask=layer.mask.changed(raster=Raster.of(values)))
        target.undo_stack.push(ReplaceState(target, target.state.with_layer(painting), "paint"))
    again = place(target, np.zeros((layer.height, layer.width, 3), np.uint8), RIGHT)
    assert again.mask is not None
    shares = again.mask.read(again.area)
    usual = automatic_mask(again, RIGHT)
    assert usual is not None
    if painted:
        assert (shares == 77).sum() == 1
    else:
        np.testing.assert_array_equal(shares, usual.read(again.area))


def test_alone_in_a_file_it_has_none() -> None:
    """As the terminal writes it: around its subject there would be nothing."""
    made = replace(recipe(), from_below=False)
    assert place(document(made), 255 - PHOTO, LEFT, made).mask is None


def test_pictures_from_a_prompt_get_none() -> None:
    made = Recipe(request=Request(operation="generate", parameters=Generate(prompt="a"), model="m"))
    assert place(document(made), 255 - PHOTO, LEFT, made).mask is None


def test_it_lies_where_the_layer_does() -> None:
    layer = Layer.of_pixels(name="edit", pixels=PHOTO, x=-5, y=9)
    mask = automatic_mask(layer, LEFT)
    assert isinstance(mask, Mask)
    assert (mask.area, mask.outside) == (layer.area, 0)


def test_a_mask_of_a_method_is_not_painted_on() -> None:
    target = document()
    target.set_active(target.state.layers[-1].id)
    assert place(target, 255 - PHOTO, LEFT).mask is not None
    assert not target.edit_mask


@pytest.mark.parametrize("of", [{"enabled": False}, {"linked": False}])
def test_a_mask_that_was_switched_off_or_unlinked_stays_so(of: dict[str, bool]) -> None:
    target = document()
    first = place(target, PHOTO, LEFT)
    assert first.mask is not None
    state = target.state.with_layer(first.changed(mask=first.mask.changed(**of)))
    target.undo_stack.push(ReplaceState(target, state, "mask"))
    again = place(target, PHOTO, RIGHT)
    assert again.mask is not None
    for name, value in of.items():
        assert getattr(again.mask, name) is value
    assert again.mask.raster is not first.mask.raster


def test_a_mask_that_was_thrown_away_does_not_come_back() -> None:
    target = document()
    first = place(target, PHOTO, LEFT)
    state = target.state.with_layer(first.changed(mask=None))
    target.undo_stack.push(ReplaceState(target, state, "mask"))
    assert place(target, PHOTO, RIGHT).mask is None
