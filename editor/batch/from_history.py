"""What was done to a picture as steps for others: the history of a document, read as a recipe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from editor.batch.operation_step import OperationStep
from editor.batch.recipe import AdjustmentStep, BatchRecipe, ShapeStep, Step
from editor.batch.shaping import Crop, Profile, Size
from editor.colour import conversion as colour
from editor.document.history import Step as HistoryStep
from editor.edits.geometry import ANCHORS
from editor.layers.layer import Adjustment, Layer
from editor.layers.state import DocumentState
from inference.content import Contents, Picture
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.operations import Attribute, Edit
from inference.request import Request

_SAME_RATIO = 0.01
_MOST_PLACES = 2_000_000  # that a cut layer is looked for at; then it is said to be in the middle
_PROBES = 12
_MASKED = Message("It was limited to a part of this picture; in others it would be done to all of it.")
_NOT_FOR_OTHERS = Message("It belongs to this picture alone.")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A step of the history: `step` for others, or None; `note` says why not, or what would differ."""

    text: str
    step: Step | None = None
    note: Message = NOTHING
    request: Request | None = None
    contents: Contents = field(default_factory=dict[str, Any], compare=False, repr=False)


def candidates_of(steps: Sequence[HistoryStep]) -> tuple[Candidate, ...]:
    """One for each step that was done, in their order; of several that set one layer only the last counts."""
    if not steps:
        return ()
    last = steps[-1].after
    found: list[Candidate] = []
    told: set[str] = set()  # layers of which the newest step is known
    for step in reversed(steps):
        found += reversed(list(_candidates(step, last, told)))
    return tuple(reversed(found))


def recipe_of(name: str, chosen: Sequence[Candidate]) -> BatchRecipe:
    """The recipe of some candidates.

    Raises:
        EditorError: none of them can be done to other pictures, or they need more than one model.
    """
    usable = [candidate for candidate in chosen if candidate.step is not None]
    if not usable:
        raise EditorError("Nothing is chosen that could be done to other pictures.", "Choose a step.")
    requests = [candidate.request for candidate in usable if candidate.request is not None]
    models = {request.model for request in requests}
    if len(models) > 1:
        raise EditorError(
            "The steps were made with more than one model, and a recipe has one.",
            "Choose those of one model.",
        )
    first = requests[0] if requests else None
    seeds = {getattr(request.parameters, "seed", 0) for request in requests}
    steps = tuple(candidate.step for candidate in usable if candidate.step is not None)
    if len(seeds) == 1:  # one seed for all is the recipe's own
        steps = tuple(_without_seed(step) for step in steps)
    return BatchRecipe(
        name=name,
        model=first.model if first is not None else "",
        model_hash=first.model_hash if first is not None else "",
        seed=min(seeds) if len(seeds) == 1 else 0,
        steps=steps,
        contents={name: blob for candidate in usable for name, blob in candidate.contents.items()},
    )


def _without_seed(step: Step) -> Step:
    return replace(step, given=step.given - {"seed"}) if isinstance(step, OperationStep) else step


def _candidates(step: HistoryStep, last: DocumentState, told: set[str]) -> Iterator[Candidate]:
    before, after = step.before, step.after
    known = {node.id: node for node in before.nodes()}
    whole = True  # whether nothing of the step is told yet
    for node in after.nodes():
        old = known.get(node.id)
        if old is node:
            continue
        if isinstance(node, Adjustment) and (
            not isinstance(old, Adjustment) or old.settings != node.settings
        ):
            whole = False
            newest = last.find(node.id)
            if node.id not in told and isinstance(newest, Adjustment) and newest.visible:
                told.add(node.id)
                note = NOTHING if newest.mask is None else _MASKED
                yield Candidate(text=step.text, step=AdjustmentStep(settings=newest.settings), note=note)
        elif isinstance(node, Layer) and node.recipe is not None:
            if isinstance(old, Layer) and old.recipe == node.recipe:
                continue
            whole = False
            newest = last.find(node.id)
            if node.id not in told and isinstance(newest, Layer) and newest.visible:
                told.add(node.id)
                yield _made(step.text, newest)
    shape = _shape(before, after)
    if shape is not None:
        yield Candidate(text=step.text, step=ShapeStep(settings=shape))
    elif whole:
        yield Candidate(text=step.text, note=_NOT_FOR_OTHERS)


def _made(text: str, layer: Layer) -> Candidate:
    """A picture that a method made: what it would do to another one."""
    recipe = layer.recipe
    assert recipe is not None, "looked at just now"
    request = recipe.request
    parameters, operation = request.parameters, request.operation
    if isinstance(parameters, Attribute):  # sliders of a generated picture are sliders on any
        shared = {item.name for item in Edit.declared()} & {item.name for item in Attribute.declared()}
        usual = {"sampler", "width", "height"}
        values = {name: getattr(parameters, name) for name in shared - usual}
        parameters, operation = replace(Edit(image=Picture("0" * 64)), **values), "edit"
    try:
        step = OperationStep.of(operation, parameters)
    except EditorError as error:
        return Candidate(text=text, note=error.sentence)
    return Candidate(
        text=text,
        step=step,
        note=NOTHING if layer.mask is None else _MASKED,
        request=request,
        contents=_files(step, recipe.contents),
    )


def _files(step: OperationStep, contents: Contents) -> Contents:
    """Those contents that the step names for itself."""
    named = {name for name, _ in step.assets()}
    return {name: blob for name, blob in contents.items() if name in named}


def _shape(before: DocumentState, after: DocumentState) -> Size | Crop | Profile | None:
    """What a step did to the frame, the number of pixels or the colours; None if nothing."""
    if before.icc_profile != after.icc_profile and _pixels_differ(before, after):
        names = {name: b"" if name == "srgb" else colour.built_in_profile(name) for name in colour.PROFILES}
        name = next((name for name, data in names.items() if data == after.icc_profile), None)
        return None if name is None else Profile(name=name)
    if (before.width, before.height) == (after.width, after.height):
        return None
    if _scaled(before, after) and not _is_cut(before, after):
        larger = after.width * after.height > before.width * before.height
        return Size(longest=max(after.width, after.height), enlarge=larger)
    if after.width <= before.width and after.height <= before.height:
        return _crop(before, after)
    return None


def _pixels_differ(before: DocumentState, after: DocumentState) -> bool:
    known = {layer.id: layer.raster for layer in before.rasters()}
    return any(known.get(layer.id) is not layer.raster for layer in after.rasters())


def _scaled(before: DocumentState, after: DocumentState) -> bool:
    """Whether every layer was scaled alike: the picture has another size, not another frame."""
    across, down = after.width / before.width, after.height / before.height
    if not math.isclose(across, down, rel_tol=_SAME_RATIO + 1 / min(after.width, after.height)):
        return False
    known = {layer.id: layer.raster for layer in before.rasters()}
    pairs = [(known[layer.id], layer.raster) for layer in after.rasters() if layer.id in known]
    return bool(pairs) and all(
        abs(new.width - old.width * across) <= 2 and abs(new.height - old.height * down) <= 2
        for old, new in pairs
    )


def _crop(before: DocumentState, after: DocumentState) -> Crop:
    """The crop to the same ratio at the anchor that is nearest to where it was."""
    divisor = math.gcd(after.width, after.height)
    ratio = f"{after.width // divisor}:{after.height // divisor}"
    x, y = _moved(before, after)
    free = before.width - after.width, before.height - after.height
    share = (x / free[0] if free[0] else 0.5), (y / free[1] if free[1] else 0.5)
    anchor = min(ANCHORS, key=lambda name: math.dist(ANCHORS[name], share))
    return Crop(ratio=ratio, anchor=anchor)


def _moved(before: DocumentState, after: DocumentState) -> tuple[int, int]:
    """Where in the old frame the new one lies, by what became of a layer."""
    known = {layer.id: layer for layer in before.rasters()}
    for layer in after.rasters():
        old = known.get(layer.id)
        if old is not None:
            # a layer that was cut begins at the frame, others were moved by it
            if layer.raster is old.raster:
                return old.x - layer.x, old.y - layer.y
            return _place_of(old, layer)
    return 0, 0


def _place_of(old: Layer, new: Layer) -> tuple[int, int]:
    """Where in the old frame a layer that was cut begins; the middle if it cannot be told."""
    found = _places(old, new)
    if len(found) == 1:
        return old.x + found[0][0], old.y + found[0][1]
    return old.x + (old.width - new.width) // 2, old.y + (old.height - new.height) // 2


def _is_cut(before: DocumentState, after: DocumentState) -> bool:
    """Whether a layer is for certain a part of what it was, and not the whole of it made smaller."""
    known = {layer.id: layer for layer in before.rasters()}
    pairs = [(known[layer.id], layer) for layer in after.rasters() if layer.id in known]
    return any(len(_places(old, new)) == 1 for old, new in pairs)


def _places(old: Layer, new: Layer) -> list[tuple[int, int]]:
    """Where in an old raster a new one may have been cut out, by a few of its pixels; two at most."""
    whole, part = old.raster.array(), new.raster.array()
    free = old.height - new.height + 1, old.width - new.width + 1
    if old.raster.dtype != new.raster.dtype or min(free) < 1 or free[0] * free[1] > _MOST_PLACES:
        return []
    dice = np.random.default_rng(0)
    rows, columns = np.divmod(np.arange(free[0] * free[1]), free[1])
    for _ in range(_PROBES):
        y, x = int(dice.integers(new.height)), int(dice.integers(new.width))
        same = (whole[rows + y, columns + x] == part[y, x]).all(axis=1)
        rows, columns = rows[same], columns[same]
    return [(int(column), int(row)) for row, column in zip(rows[:2], columns[:2])]
