"""Pictures of one operation are never taken for those of another."""

from dataclasses import replace

import numpy as np
import pytest

from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, Subject, reshaped, with_edits, with_parameters
from editor.pixels.arithmetic import to_rgba
from editor.pixels.raster import Raster
from editor.sliders.keyframes import context_of, key_of
from editor.sliders.pictures import SliderPictures
from editor.sliders.requests import pose_of, poses, sampling_recipe, sweep
from inference.content import DeltaFile, Picture, content_hash
from inference.errors import EditorError
from inference.operations import (
    Attribute,
    Edit,
    EditSweep,
    Generate,
    Redraw,
    Refine,
    RefineSubject,
    SubjectEdit,
)
from inference.progress import Measurements
from inference.request import Request, Result

PROMPT = "a photo of a man and a woman"
MAN = Subject(start=13, end=16, text="man")
OLDER = SubjectEdit(start=13, end=16, attribute="age", value=1.0)
BOTH = (RefineSubject(start=13, end=16), RefineSubject(start=23, end=28))


def recipe(operation: str, **values: object) -> Recipe:
    kinds = {"generate": Generate, "attribute": Attribute, "refine": Refine, "redraw": Redraw}
    parameters = kinds[operation](prompt=PROMPT, seed=3, **values)  # type: ignore[arg-type]
    return Recipe(request=Request(operation=operation, parameters=parameters, model="m"), subjects=(MAN,))


def result(made: Recipe, shade: int, delta: str = "") -> Result:
    parameters = made.request.parameters
    if delta:
        parameters = replace(parameters, edits=(replace(OLDER, delta=DeltaFile(delta)),))
    return Result(
        request=replace(made.request, parameters=parameters),
        images=(np.full((4, 4, 3), shade, np.uint8),),
        maps={},
        measured=Measurements(),
        contents={delta: b"vectors"} if delta else {},
    )


def test_a_refined_picture_is_not_the_plain_one_at_zero() -> None:
    """After Refine, going back to the first layer and its slider to zero gave the refined picture."""
    plain, refined = recipe("generate"), recipe("refine", subjects=BOTH)
    pictures = SliderPictures()
    pictures.expect(plain)
    assert not pictures.learn(refined.request, result(refined, 200), (), plain)
    assert pictures.picture(plain) is None
    assert context_of(plain.request) != context_of(refined.request)


def test_methods_of_refining_are_told_apart() -> None:
    one, other = (recipe("refine", subjects=BOTH, method=name) for name in ("ours", "ours+"))
    assert context_of(one.request) != context_of(other.request)


def test_sliders_of_one_picture_share_a_context() -> None:
    plain = recipe("generate")
    moved = with_edits(plain, (OLDER,))
    assert context_of(plain.request) == context_of(moved.request)
    assert pose_of(plain) == pose_of(with_edits(plain, (replace(OLDER, value=0.0),)))


def test_a_refined_layer_has_sliders_and_stays_refined() -> None:
    moved = with_edits(recipe("refine", subjects=BOTH, method="ours"), (OLDER,))
    assert moved.request.operation == "refine"
    assert moved.edits == (OLDER,)
    asked = sweep(moved, (13, 16, "age"), (-1.0, 1.0))  # type: ignore[arg-type]
    assert asked.operation == "refine"
    assert asked.parameters.edits[0].value == -1.0  # type: ignore[attr-defined]


def test_an_operation_without_sliders_says_so() -> None:
    redrawn = recipe("redraw", image=Picture("0" * 64))
    with pytest.raises(EditorError, match="no sliders"):
        sampling_recipe(redrawn)
    with pytest.raises(EditorError, match="no attribute sliders"):
        with_edits(redrawn, (OLDER,))


def test_the_recipe_pins_the_delta_that_its_picture_was_made_with() -> None:
    moved, pictures = with_edits(recipe("generate"), (OLDER,)), SliderPictures()
    pictures.expect(moved)
    shown = Raster.of(np.full((4, 4, 4), 90, np.uint8))
    assert pictures.learn(moved.request, result(moved, 90, "a" * 64), (shown,), moved)
    pinned = pictures.pinned(moved)
    assert pinned.edits[0].delta == DeltaFile("a" * 64)
    assert pinned.contents == {"a" * 64: b"vectors"}
    assert pose_of(pinned) == pose_of(moved)
    pictures.forget()
    assert pictures.pinned(moved).edits[0].delta is None
    assert pictures.picture(moved) is None


def test_another_subject_at_the_same_characters_does_not_get_the_delta() -> None:
    """A cat's size was given to the car that the next prompt had in its place."""
    moved, pictures = with_edits(recipe("generate"), (OLDER,)), SliderPictures()
    pictures.expect(moved)
    shown = Raster.of(np.full((4, 4, 4), 90, np.uint8))
    assert pictures.learn(moved.request, result(moved, 90, "a" * 64), (shown,), moved)
    other = with_parameters(moved, prompt=PROMPT.replace("a man", "a cat"))
    assert pictures.pinned(other).edits[0].delta is None
    assert pictures.pinned(with_parameters(moved, seed=9)).edits[0].delta == DeltaFile("a" * 64)


def test_of_a_picture_that_was_cut_since_nothing_is_seen() -> None:
    """What was seen lay elsewhere in it."""
    photo = np.full((4, 4, 3), 90, np.uint8)
    parameters = Edit(image=Picture(content_hash(photo)), prompt=PROMPT, seed=3)
    request = Request(operation="edit", parameters=parameters, model="m")
    whole = Recipe(request=request, contents={content_hash(photo): photo}, from_below=True)
    heat = {"attention/13-16": np.ones((4, 4), np.float32)}
    pictures = SliderPictures()
    pictures.learn_layer(Layer(name="edit", raster=Raster.of(to_rgba(photo)), made=whole, maps=heat))
    cut = reshaped(whole)
    assert cut is not None
    assert pictures.heat(whole, (13, 16)) is not None
    assert pictures.heat(cut, (13, 16)) is None


def test_a_picture_from_elsewhere_is_swept_as_generated_ones_are() -> None:
    parameters = Edit(image=Picture("1" * 64), prompt=PROMPT, edits=(OLDER,), seed=3, inversion="null-text")
    layer = Recipe(request=Request(operation="edit", parameters=parameters, model="m"), subjects=(MAN,))
    swept = sweep(layer, key_of(OLDER), (-1.0, 0.0, 1.0))
    assert swept.operation == "edit-sweep"
    assert isinstance(swept.parameters, EditSweep)
    assert swept.parameters.image == parameters.image
    assert swept.parameters.inversion == "null-text"
    moved = [pose.value(key_of(OLDER)) for pose in poses(swept)]
    assert moved == [-1.0, 0.0, 1.0]
    assert {pose.context for pose in poses(swept)} == {pose_of(layer).context}


def test_pictures_of_the_switch_are_told_apart() -> None:
    """A generated picture is that of new edits at zero; the switch decides what moved ones look like."""
    plain, kept = recipe("generate"), recipe("attribute", edits=(OLDER,))
    free = recipe("attribute", edits=(OLDER,), only_subject=False)
    assert context_of(plain.request) == context_of(kept.request)
    assert context_of(kept.request) != context_of(free.request)
    assert pose_of(kept) != pose_of(free)
