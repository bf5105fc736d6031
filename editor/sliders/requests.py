"""Requests and poses of attribute sliders: pure functions from recipes; see `jobs.AttributeSession`."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from editor.generating.requests import canonical
from editor.layers.recipes import Recipe, Subject, with_edits, with_parameters
from editor.sliders.keyframes import Pose, SliderKey, key_of, rounded
from inference.errors import EditorError
from inference.operations import OPERATIONS, EditedParameters, SamplingParameters, SweptParameters
from inference.prompts.words import find_subject
from inference.request import Request


def pose_of(recipe: Recipe | None) -> Pose:
    """The pose of a recipe's picture.

    Raises:
        EditorError: there is no recipe, or none with a prompt and seed.
    """
    return Pose.of(sampling_recipe(recipe).request)


def sampling_recipe(recipe: Recipe | None) -> Recipe:
    """The recipe, known to be one whose subjects can have sliders.

    Raises:
        EditorError: there is none, or its operation has no sliders.
    """
    if (
        recipe is None
        or not isinstance(recipe.request.parameters, SamplingParameters)
        or "edits" not in recipe.request.declared.editable
    ):
        raise EditorError(
            "This layer has no prompt and seed, so it has no sliders.", "Choose a generated layer."
        )
    return recipe


def poses(request: Request) -> tuple[Pose, ...]:
    """The poses of a request's pictures, in their order."""
    parameters, pose = request.parameters, Pose.of(request)
    if not isinstance(parameters, SweptParameters):
        return (pose,)
    swept = parameters.edits[parameters.index]
    return tuple(pose.moved({key_of(swept): value}, parameters.delay) for value in parameters.positions)


def sweep(recipe: Recipe, key: SliderKey, values: tuple[float, ...]) -> Request:
    """A request for positions of one slider, the other sliders as they are.

    Where the layer's operation cannot draw several at once, it asks for the first one.
    """
    edited = with_edits(recipe, recipe.edits)
    name = edited.request.declared.sweep
    if not name:
        edits = tuple(
            replace(edit, value=values[0]) if key_of(edit) == key else edit for edit in recipe.edits
        )
        return canonical(with_edits(recipe, edits).request)
    parameters = edited.request.parameters
    assert isinstance(parameters, EditedParameters), "with_edits makes it one"
    kept = [edit for edit in parameters.edits if edit.value or key_of(edit) == key]
    edits = tuple(sorted(kept, key=key_of))
    index = [key_of(edit) for edit in edits].index(key)
    fields: dict[str, Any] = {item.name: getattr(parameters, item.name) for item in parameters.declared()}
    fields |= {"edits": edits, "index": index, "positions": values}
    swept = OPERATIONS[name].parameters(**fields)
    return replace(recipe.request, operation=name, parameters=swept)


def between(coarse: tuple[float, ...], value: float) -> tuple[float, ...]:
    """The midpoints of the two intervals of `coarse` next to `value`."""
    middles = [rounded((a + b) / 2) for a, b in itertools.pairwise(coarse)]
    return tuple(sorted(middles, key=lambda middle: abs(middle - value))[:2])


def with_prompt(recipe: Recipe, prompt: str, seed: int) -> Recipe:
    """The recipe for another prompt; subjects that it still names keep their sliders, the others go."""
    places = {subject.span: _place_in(prompt, recipe.prompt, subject) for subject in recipe.subjects}
    subjects = tuple(
        replace(subject, start=place[0], end=place[1])
        for subject in recipe.subjects
        if (place := places[subject.span]) is not None
    )
    edits = tuple(
        replace(edit, start=place[0], end=place[1])
        for edit in recipe.edits
        if (place := places.get((edit.start, edit.end))) is not None
    )
    return replace(
        with_parameters(with_edits(recipe, edits), prompt=prompt, seed=seed),
        subjects=tuple(sorted(subjects, key=lambda subject: subject.start)),
    )


def _place_in(prompt: str, old_prompt: str, subject: Subject) -> tuple[int, int] | None:
    """Where `prompt` has the same occurrence of a subject's words as the old one had, if it has."""
    try:
        occurrence = 0
        while find_subject(old_prompt, subject.text, occurrence)[0] < subject.start:
            occurrence += 1
        return find_subject(prompt, subject.text, occurrence)
    except EditorError:
        return None
