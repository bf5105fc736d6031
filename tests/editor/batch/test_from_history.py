"""Recipes made of what was done to a picture, and done to another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from editor.adjustments.hue_saturation import HueSaturation
from editor.adjustments.white_balance import WhiteBalance
from editor.batch.editing import edited
from editor.batch.from_history import candidates_of, recipe_of
from editor.batch.on_document import applied
from editor.batch.operation_step import OperationStep
from editor.batch.recipe import AdjustmentStep, ShapeStep, recipe_from_json
from editor.batch.shaping import Crop, Profile, Size
from editor.commands import AddLayer, Command, ReplaceNode, ReplaceState, SetLayerProperty, push
from editor.document.document import Document
from editor.edits.geometry import cropped_to
from editor.edits.profiles import converted
from editor.edits.resampling import resized
from editor.formats.preparing import scaled
from editor.layers.layer import Adjustment, Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite
from inference.content import Contents, Picture
from inference.errors import EditorError
from inference.operations import Attribute, Edit, Redraw, SubjectEdit
from inference.progress import Measurements
from inference.request import Request, Result
from inference.sizes import enlarged
from tests.editor.batch.pictures import REDRAW, WARMER, Inverter, recipe


def noise(width: int = 60, height: int = 40) -> Layer:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Layer.of_pixels(name="photo", pixels=pixels)


@pytest.fixture
def document() -> Document:
    return Document.from_layer(noise())


def add(document: Document, command: Command) -> None:
    push(document, command)


def redrawn(seed: int = 7, model: str = "mini-sd1") -> Layer:
    parameters = Redraw(prompt="a painting", image=Picture("a" * 64), seed=seed, strength=0.4, steps=20)
    request = Request(operation="redraw", parameters=parameters, model=model, model_hash="ab" * 16)
    return noise().changed(recipe=Recipe(request=request)).copy("Redraw")


def steps_of(document: Document) -> list[Any]:
    return [candidate.step for candidate in candidates_of(document.undo_stack.steps)]


def test_an_adjustment_counts_once_with_its_last_settings(document: Document) -> None:
    node = Adjustment(name="warm", settings=WhiteBalance())
    add(document, AddLayer(document, node))
    for temperature in (10.0, 20.0):
        changed = node.changed(settings=WhiteBalance(temperature=temperature))
        add(document, ReplaceNode(document, changed, f"to {temperature}"))
    assert steps_of(document) == [AdjustmentStep(settings=WhiteBalance(temperature=20.0))]
    add(document, SetLayerProperty(document, node.id, "visible", False))
    assert [step for step in steps_of(document) if step is not None] == []


def test_what_belongs_to_the_picture_alone_is_listed_and_not_taken(document: Document) -> None:
    painted = document.state.rasters().__next__().changed(pixels=np.zeros((40, 60, 3), np.uint8))
    add(document, ReplaceNode(document, painted, "Brush"))
    (candidate,) = candidates_of(document.undo_stack.steps)
    assert (candidate.text, candidate.step) == ("Brush", None)
    assert candidate.note
    with pytest.raises(EditorError, match="Nothing"):
        recipe_of("x", [candidate])


def test_size_crop_and_profile(document: Document) -> None:
    from editor.colour.conversion import built_in_profile

    add(document, ReplaceState(document, cropped_to(document.state, Area(20, 0, 40, 40)), "Crop"))
    add(document, ReplaceState(document, resized(document.state, 20, 20, "lanczos"), "Size"))
    after = converted(document.state, built_in_profile("display-p3"))
    add(document, ReplaceState(document, after, "Profile"))
    assert [step.settings for step in steps_of(document)] == [
        Crop(ratio="1:1", anchor="right"),
        Size(longest=20),
        Profile(name="display-p3"),
    ]


@pytest.mark.parametrize("area", [Area(0, 10, 30, 20), Area(30, 20, 30, 20)])
def test_a_crop_of_the_same_ratio_is_no_other_size(document: Document, area: Area) -> None:
    add(document, ReplaceState(document, cropped_to(document.state, area), "Crop"))
    (step,) = steps_of(document)
    assert isinstance(step.settings, Crop)
    assert step.settings.ratio == "3:2"


def test_an_operation_with_its_model_and_seed(document: Document) -> None:
    add(document, AddLayer(document, redrawn(), text="Redraw"))
    found = recipe_of("Painted", candidates_of(document.undo_stack.steps))
    assert (found.model, found.model_hash, found.seed) == ("mini-sd1", "ab" * 16, 7)
    values = found.to_json()["steps"][0]["parameters"]
    assert values == {"prompt": "a painting", "strength": 0.4, "steps": 20}
    assert recipe_from_json(found.to_json()).fingerprint("m") == found.fingerprint("m")


def test_sliders_of_a_generated_picture_become_sliders_on_any(document: Document) -> None:
    edits = (SubjectEdit(start=2, end=5, attribute="age", value=1.0),)
    parameters = Attribute(prompt="a man", edits=edits, delay=0.3, seed=5)
    request = Request(operation="attribute", parameters=parameters, model="mini-sd1")
    add(document, AddLayer(document, noise().changed(recipe=Recipe(request=request)).copy("x"), text="Age"))
    (step,) = steps_of(document)
    assert isinstance(step, OperationStep)
    assert isinstance(step.parameters, Edit)
    assert (step.parameters.edits, step.parameters.delay) == (edits, 0.3)


def test_one_recipe_has_one_model(document: Document) -> None:
    add(document, AddLayer(document, redrawn(), text="one"))
    add(document, AddLayer(document, redrawn(model="mini-sd3"), text="other"))
    both = candidates_of(document.undo_stack.steps)
    with pytest.raises(EditorError, match="more than one model"):
        recipe_of("x", both)
    assert recipe_of("x", both[1:]).model == "mini-sd3"


@pytest.mark.parametrize("amount", [60, 100, 130])
def test_an_open_picture_looks_as_a_file_of_the_batch_does(amount: float) -> None:
    hue = {"adjustment": "hue-saturation", "settings": HueSaturation(saturation=-40).to_json()}
    look = recipe(WARMER, {"crop": {"ratio": "1:1"}}, hue, amount=amount)
    document = Document.from_layer(noise())
    there = edited(
        document.state, SourceMetadata(), look, seed=0, model_hash="", carry_out=Inverter()
    ).samples
    after = applied(document.state, look, seed=0, model_hash="", carry_out=Inverter())
    here = composite(after.layers, after.area)
    assert here.shape == there.shape == (40, 40, 4)
    assert np.abs(here.astype(int) - there.astype(int)).max() <= 2  # layers round in between


def test_what_a_model_does_to_an_open_picture_is_a_layer_with_its_recipe() -> None:
    document = Document.from_layer(noise())
    after = applied(document.state, recipe(REDRAW), seed=3, model_hash="", carry_out=Inverter())
    below, above = after.layers
    assert below is document.state.layers[0]
    assert isinstance(above, Layer)
    assert above.recipe is not None
    assert above.recipe.seed == 3
    np.testing.assert_array_equal(above.pixels[..., :3], 255 - noise().pixels[..., :3] + np.uint8(3))


def test_steps_that_are_off_do_nothing() -> None:
    state = Document.from_layer(noise()).state
    look = recipe(WARMER | {"on": False}, {"size": {"longest": 9}})
    after = applied(state, look, seed=0, model_hash="", carry_out=Inverter())
    assert (after.width, after.height, len(after.layers)) == (9, 6, 1)
    assert isinstance(look.steps[1], ShapeStep)
    assert replace(look, amount=0.0).active == look.active


@pytest.mark.parametrize("depth", [8, 16])
def test_an_enlarging_step_keeps_depth_and_samples(depth: int) -> None:
    kind = np.uint16 if depth == 16 else np.uint8
    samples = np.random.default_rng(2).integers(0, np.iinfo(kind).max + 1, (12, 20, 4), kind)
    samples[..., 3] = np.iinfo(kind).max
    state = DocumentState.of_layer(Layer(name="photo", raster=Raster.of(samples)))
    look = recipe({"operation": "enlarge", "parameters": {"factor": 2.0}})

    def resamples(request: Request, contents: Contents) -> Result:
        (picture,) = (blob for blob in contents.values() if isinstance(blob, np.ndarray))
        image = enlarged(picture, 2.0)
        return Result(request=request, images=(image,), maps={}, measured=Measurements())

    found = edited(state, SourceMetadata(), look, seed=0, model_hash="", carry_out=resamples)
    assert np.array_equal(found.samples, scaled(samples, 40, 24, "lanczos"))
    after = applied(state, look, seed=0, model_hash="", carry_out=resamples)
    assert (after.width, after.height) == (40, 24)
    assert {(layer.width, layer.height) for layer in after.rasters()} == {(40, 24)}
