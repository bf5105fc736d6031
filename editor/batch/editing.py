"""A recipe's steps, done to one picture, on any thread; what a model has to do is asked of somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, cast

import numpy as np

from editor.adjustments import kind_of
from editor.batch.adjusting import adjusted
from editor.batch.operation_step import OperationStep
from editor.batch.recipe import AdjustmentStep, BatchRecipe, ShapeStep, Step
from editor.batch.shaping import Crop, Profile, Size
from editor.colour import conversion as colour
from editor.formats.picture import Picture
from editor.formats.preparing import prepared, scaled
from editor.generating.contents import visible
from editor.generating.untouched import untouched_outside
from editor.layers.layer import Layer
from editor.layers.limits import check_size
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster, Samples, frozen, to_eight_bits, to_sixteen_bits
from inference.content import Contents, content_hash
from inference.messages import Message
from inference.request import Pixels, Request, Result
from inference.sizes import enlarged, enlarged_size


class CarriesOut(Protocol):
    """Carries a request out, from any thread; what `inference.runner.Runner.run` raises, it raises."""

    def __call__(self, request: Request, contents: Contents) -> Result: ...


@dataclass(frozen=True, kw_only=True)
class Edited:
    """A picture after all steps: samples [H, W, 4] in `profile`, and how they were made.

    `changed` tells whether anything but a model worked on it after it was read.
    """

    samples: Samples
    profile: bytes
    dpi: tuple[float, float] | None
    made: tuple[Recipe, ...] = ()
    changed: bool = False
    notes: tuple[Message, ...] = ()
    evaluations: int = 0


Check: TypeAlias = Callable[[], None]


def _no_check() -> None:
    pass


def edited(
    state: DocumentState,
    source: SourceMetadata,
    recipe: BatchRecipe,
    *,
    seed: int,
    model_hash: str,
    carry_out: CarriesOut,
    check: Check = _no_check,
    cores: int | None = None,
    scale: float = 1.0,
) -> Edited:
    """All active steps done to the visible picture of a document.

    Args:
        seed: of this picture, where a step has none of its own.
        check: called before each step; raises to stop.
        scale: the picture's size as a share of the one that is meant, for previews.

    Raises:
        EditorError: a step cannot be done to this picture.
    """
    picture = Picture(state=state, source=source)
    before = tuple(layer.recipe for layer in state.rasters() if layer.visible and layer.recipe is not None)
    found = Edited(
        samples=picture.samples,
        profile=state.icc_profile,
        dpi=state.dpi,
        made=before,
        changed=sum(node.visible for node in state.nodes()) > 1,
    )
    for steps in _together(recipe.active):
        check()
        first = steps[0]
        if isinstance(first, AdjustmentStep):
            settings = [step.settings for step in steps if isinstance(step, AdjustmentStep)]
            samples = adjusted(found.samples, settings, recipe.amount, cores, scale)
            found = replace(found, samples=samples, changed=found.changed or samples is not found.samples)
        elif isinstance(first, ShapeStep):
            found = _shaped(found, first.settings)
        else:
            found = _carried_out(found, first, recipe, seed, model_hash, carry_out)
    return found


def words_state(edit: Edited) -> DocumentState:
    """A document that says of the result what an export has to say: how it was made."""
    raster = Raster.of(edit.samples)
    made = edit.made[-1] if edit.made else None
    state = DocumentState.of_layer(Layer(name="Picture", raster=raster, made=made))
    state = replace(state, icc_profile=edit.profile, dpi=edit.dpi)
    if edit.changed and made is not None:  # a recipe alone would not make this again
        state = replace(state, layers=(Layer(name="Source", raster=raster), *state.layers))
    return state


def to_be_written(edit: Edited, source: SourceMetadata, options: Any, *, deep: bool) -> Picture:
    """The picture as an export prepares it: depth and colours of the options.

    Raises:
        EditorError: the colours cannot be converted.
    """
    state = words_state(edit)
    plain = replace(state, layers=state.layers[-1:])
    ready = prepared(plain, source, options, deep=deep)
    if len(state.layers) == 1:
        return ready
    samples: Any = ready.samples
    samples = to_sixteen_bits(samples) if ready.depth == 16 else to_eight_bits(samples)
    return Picture(state=replace(state, icc_profile=ready.state.icc_profile), source=source, samples=samples)


def _together(steps: Iterable[Step]) -> list[list[Step]]:
    """Adjustments in a row are done at once, without rounding between them."""
    found: list[list[Step]] = []
    for step in steps:
        if isinstance(step, AdjustmentStep) and found and isinstance(found[-1][0], AdjustmentStep):
            found[-1].append(step)
        else:
            found.append([step])
    return found


def _shaped(edit: Edited, settings: Size | Crop | Profile) -> Edited:
    height, width = edit.samples.shape[:2]
    if isinstance(settings, Profile):
        target = b"" if settings.name == "srgb" else colour.built_in_profile(settings.name)
        raster = colour.convert(Raster.of(edit.samples), edit.profile, target)
        # sRGB is said in the file as well: a picture that is known to be sRGB looks alike everywhere
        named = colour.built_in_profile(settings.name)
        return replace(edit, samples=raster.array(), profile=named, changed=True)
    if isinstance(settings, Crop):
        area = settings.of(width, height)
        samples: Any = edit.samples[area.y : area.bottom, area.x : area.right]
    else:
        size = settings.of(width, height)
        check_size(*size)
        samples = scaled(edit.samples, *size, settings.resampling)
    if samples.shape == edit.samples.shape:
        return edit
    return replace(edit, samples=cast("Samples", frozen(samples)), changed=True)


def _carried_out(
    edit: Edited,
    step: OperationStep,
    recipe: BatchRecipe,
    seed: int,
    model_hash: str,
    carry_out: CarriesOut,
) -> Edited:
    if recipe.amount == 0:
        return edit
    seen = visible(to_eight_bits(edit.samples), edit.profile)
    name = content_hash(seen)
    parameters = step.for_picture(name, seed, recipe.amount)
    request = Request(
        operation=step.operation, parameters=parameters, model=recipe.model, model_hash=model_hash
    )
    contents = {**recipe.contents, name: seen}
    result = carry_out(request, contents)
    image = untouched_outside(result, seen)[0]
    if step.declared.enlarges:
        edit, seen = _enlarged(edit, seen, getattr(parameters, "factor", 1.0))
    if not step.declared.amount and recipe.amount != 100:
        image = _mixed(seen, image, recipe.amount / 100)
    made = Recipe.of(result, contents)
    return Edited(
        samples=_in_own_samples(edit, seen, image),
        profile=edit.profile,
        dpi=edit.dpi,
        made=(*edit.made, made),
        # its request begins with a picture that only the first step's file is
        changed=edit.changed or bool(edit.made),
        notes=(*edit.notes, *result.notes),
        evaluations=edit.evaluations + result.measured.denoiser_evaluations,
    )


def _enlarged(edit: Edited, seen: Pixels, factor: float) -> tuple[Edited, Pixels]:
    """What a model enlarged, resampled: own samples and colours, to which the model's details are added."""
    width, height = enlarged_size(seen, factor)
    check_size(width, height)
    return replace(edit, samples=scaled(edit.samples, width, height, "lanczos")), enlarged(seen, factor)


def _mixed(before: Pixels, after: Pixels, share: float) -> Pixels:
    """So much of the way from one picture to the other, or beyond it."""
    if before.shape != after.shape:
        return after
    difference = after.astype(np.float32) - before
    return np.clip(np.rint(before + np.float32(share) * difference), 0, 255).astype(np.uint8)


def _in_own_samples(edit: Edited, seen: Pixels, image: Pixels) -> Samples:
    """A model's picture (sRGB, 8 bits) in the picture's own colours and depth.

    What the model left alone stays as it was, to the last bit; where it changed something, a picture of 16
    bits keeps the fractions of an 8-bit step that it had.
    """
    if image is seen or (image.shape == seen.shape and np.array_equal(image, seen)):
        return edit.samples
    own = np.array(colour.from_srgb(image, edit.profile))
    old = edit.samples
    if own.shape[2] == 3:
        alpha = to_eight_bits(old[..., 3:]) if own.shape[:2] == old.shape[:2] else _opaque(own)
        own = np.concatenate([own, alpha], axis=2)
    if own.shape != old.shape:
        return cast("Samples", frozen(to_sixteen_bits(own) if old.dtype == np.uint16 else own))
    same = _same(image, seen)
    if old.dtype == np.uint8:
        own[same] = old[same]
        return cast("Samples", frozen(own))
    fraction = old.astype(np.int32) - to_sixteen_bits(to_eight_bits(old)).astype(np.int32)
    deep: Any = np.clip(to_sixteen_bits(own).astype(np.int32) + fraction, 0, 65535).astype(np.uint16)
    deep[..., 3] = old[..., 3] if image.shape[2] == 3 else deep[..., 3]
    deep[same] = old[same]
    return cast("Samples", frozen(deep))


def _same(image: Pixels, seen: Pixels) -> Any:
    """Where [H, W] two pictures are equal."""
    channels = min(image.shape[2], seen.shape[2])
    return (image[..., :channels] == seen[..., :channels]).all(axis=2)


def _opaque(pixels: Pixels) -> Pixels:
    return np.full((*pixels.shape[:2], 1), 255, np.uint8)


def kinds_of(recipe: BatchRecipe) -> tuple[str, ...]:
    """What each active step is, for people: keys of `ADJUSTMENTS`, `OPERATIONS`, or size, crop, profile."""
    names: list[str] = []
    for step in recipe.active:
        if isinstance(step, OperationStep):
            names.append(step.operation)
        elif isinstance(step, AdjustmentStep):
            names.append(kind_of(step.settings).name)
        else:
            names.append(next(iter(step.to_json())))
    return tuple(names)
