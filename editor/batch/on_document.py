"""A recipe done to an open picture: what stays editable there does, as layers above what is there."""

from __future__ import annotations

from dataclasses import replace

from editor.adjustments import kind_of
from editor.batch.editing import CarriesOut, edited
from editor.batch.recipe import AdjustmentStep, BatchRecipe, ShapeStep, Step
from editor.batch.shaping import Crop, Profile, Size
from editor.colour.conversion import built_in_profile
from editor.edits.geometry import cropped_to
from editor.edits.profiles import converted
from editor.edits.resampling import resized
from editor.layers.layer import Adjustment, Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster
from inference.content import Contents
from inference.request import Request, Result


def applied(
    state: DocumentState,
    recipe: BatchRecipe,
    *,
    seed: int,
    model_hash: str,
    carry_out: CarriesOut,
) -> DocumentState:
    """The document after all active steps: adjustments and results of models are layers of their own.

    Raises:
        EditorError: a step cannot be done to it.
    """
    for step in recipe.active:
        if isinstance(step, ShapeStep):
            state = _shaped(state, step.settings)
        elif isinstance(step, AdjustmentStep) and recipe.amount <= 100:
            state = _adjusted(state, step, recipe.amount)
        elif recipe.amount > 0:
            state = _computed(state, step, recipe, seed, model_hash, carry_out)
    return state


def _shaped(state: DocumentState, settings: Size | Crop | Profile) -> DocumentState:
    if isinstance(settings, Profile):
        target = b"" if settings.name == "srgb" else built_in_profile(settings.name)
        return converted(state, target)
    if isinstance(settings, Crop):
        area = settings.of(state.width, state.height)
        return state if area == state.area else cropped_to(state, area)
    width, height = settings.of(state.width, state.height)
    if (width, height) == (state.width, state.height):
        return state
    return resized(state, width, height, settings.resampling)


def _adjusted(state: DocumentState, step: AdjustmentStep, amount: float) -> DocumentState:
    if amount == 0:
        return state
    node = Adjustment(name=kind_of(step.settings).label, settings=step.settings, opacity=amount / 100)
    return replace(state.inserted([node]), active=node.id, chosen=frozenset())


def _computed(
    state: DocumentState,
    step: Step,
    recipe: BatchRecipe,
    seed: int,
    model_hash: str,
    carry_out: CarriesOut,
) -> DocumentState:
    """The visible picture after one step, as a layer on top."""
    made: list[Result] = []

    def asked(request: Request, contents: Contents) -> Result:
        made.append(carry_out(request, contents))
        return made[-1]

    alone = replace(recipe, steps=(step,))
    after = edited(state, SourceMetadata(), alone, seed=seed, model_hash=model_hash, carry_out=asked)
    if after.samples.shape[:2] != (state.height, state.width):
        height, width = after.samples.shape[:2]
        state = resized(state, width, height, "lanczos")
    layer = Layer(
        name=recipe.name or "Recipe",
        raster=Raster.of(after.samples),
        made=after.made[-1] if made else None,
        maps=made[-1].maps if made else {},
    )
    return replace(state.inserted([layer]), active=layer.id, chosen=frozenset())
