"""Requests made from layers and recipes, for everything that asks for pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from editor.layers.layer import Layer
from inference.errors import EditorError
from inference.operations import EditedParameters, Refine, SamplingParameters, SubjectEdit
from inference.prompts.subjects import subjects_of
from inference.request import Request

REFINE = "refine"


def _place(edit: SubjectEdit) -> tuple[int, int, str]:
    return (edit.start, edit.end, edit.attribute)


def canonical(request: Request) -> Request:
    """The request without edits at zero, the others in a fixed order: equal looks are equal requests."""
    parameters = request.parameters
    if not isinstance(parameters, EditedParameters):
        return request
    kept = tuple(
        sorted(
            (edit for edit in parameters.edits if edit.value),
            key=_place,
        )
    )
    return replace(request, parameters=replace(parameters, edits=kept))


def refine_request(
    layer: Layer, method: str, overrides: dict[str, Any] | None = None, seed: int | None = None
) -> Request:
    """The request that refines a layer's picture with its chosen subjects.

    Raises:
        EditorError: the layer was not generated, or has no subjects.
    """
    recipe = layer.recipe
    parameters = recipe.request.parameters if recipe is not None else None
    if recipe is None or not isinstance(parameters, SamplingParameters):
        raise EditorError("This layer has no prompt to refine.", "Choose a generated layer.")
    if not recipe.subjects:
        raise EditorError(
            "No subject is chosen.", "Click the words of the prompt that have to be seen, or use Suggest."
        )
    shared = EditedParameters if isinstance(parameters, EditedParameters) else SamplingParameters
    values = {item.name: getattr(parameters, item.name) for item in shared.declared()}
    if seed is not None:
        values["seed"] = seed
    spans = [subject.span for subject in recipe.subjects]
    subjects = subjects_of(recipe.read_prompt.text, spans)
    refine = Refine(**values, method=method, subjects=subjects, **(overrides or {}))
    return Request(operation=REFINE, parameters=refine, model=recipe.request.model)
