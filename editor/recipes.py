"""How a layer was made: the request that made it and the subjects chosen in its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from inference.errors import EditorError
from inference.operations import (
    LONGEST_PROMPT,
    MOST_SUBJECTS,
    Attribute,
    Generate,
    SamplingParameters,
    SubjectEdit,
)
from inference.request import Request
from inference.values import Bounds, bounded, fields, items, text, typed, whole

RECIPE_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Characters [start, end) of a prompt that name one thing in the picture."""

    start: int = bounded(min=0, max=LONGEST_PROMPT)
    end: int = bounded(min=0, max=LONGEST_PROMPT)
    text: str = bounded(most=LONGEST_PROMPT)
    colour_index: int = field(default=0, metadata={"bounds": Bounds(min=0, max=10_000)})

    @property
    def span(self) -> tuple[int, int]:
        return self.start, self.end

    def to_json(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "text": self.text, "colour_index": self.colour_index}

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Read `to_json`'s values.

        Raises:
            EditorError: something else.
        """
        return typed(cls, values, "A subject of the recipe")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What makes a layer again. Equal recipes give equal pixels."""

    request: Request
    subjects: tuple[Subject, ...] = ()
    label: str = ""
    version: int = field(default=RECIPE_VERSION)

    @property
    def prompt(self) -> str:
        """The prompt, or "" for an operation without one."""
        return str(getattr(self.request.parameters, "prompt", ""))

    @property
    def seed(self) -> int | None:
        return getattr(self.request.parameters, "seed", None)

    @property
    def edits(self) -> tuple[SubjectEdit, ...]:
        parameters = self.request.parameters
        return parameters.edits if isinstance(parameters, Attribute) else ()

    def subject_at(self, start: int, end: int) -> Subject | None:
        return next((subject for subject in self.subjects if subject.span == (start, end)), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "label": self.label,
            "request": self.request.to_json(),
            "subjects": [subject.to_json() for subject in self.subjects],
        }

    @classmethod
    def from_json(cls, content: object) -> Self:
        """Read `to_json`'s values; files may hold anything.

        Raises:
            EditorError: no recipe, a newer version, or a request that its operation refuses.
        """
        values = fields(content, "The recipe")
        version = whole(values.get("version", RECIPE_VERSION), "The recipe's version", 1)
        if version > RECIPE_VERSION:
            raise EditorError(
                "The recipe has version {version}; this Attune reads up to {known}.",
                "Open it with a newer Attune.",
                version=version,
                known=RECIPE_VERSION,
            )
        if "request" not in values:
            raise EditorError("The recipe has no request.", "It needs request and subjects.")
        request = Request.from_json(values["request"])
        subjects = items(values.get("subjects", []), "The recipe's subjects")[:MOST_SUBJECTS]
        return cls(
            request=request,
            subjects=_in_prompt(request, [Subject.from_json(item) for item in subjects]),
            label=text(values.get("label", ""), "The recipe's label", LONGEST_PROMPT),
            version=version,
        )


def _in_prompt(request: Request, subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """Those that name characters of the prompt; others are left over from another one."""
    length = len(str(getattr(request.parameters, "prompt", "")))
    return tuple(subject for subject in subjects if subject.start < subject.end <= length)


def with_edits(recipe: Recipe, edits: tuple[SubjectEdit, ...], *, delay: float | None = None) -> Recipe:
    """The recipe as an `attribute` request with `edits`; a `generate` recipe becomes one."""
    parameters = recipe.request.parameters
    if not isinstance(parameters, Generate | Attribute):
        raise EditorError(f"A layer made by {recipe.request.operation} has no attribute sliders.")
    values = {item.name: getattr(parameters, item.name) for item in SamplingParameters.declared()}
    kept_delay = parameters.delay if isinstance(parameters, Attribute) else None
    chosen = delay if delay is not None else kept_delay
    changed = (
        Attribute(**values, edits=edits) if chosen is None else Attribute(**values, edits=edits, delay=chosen)
    )
    return replace(recipe, request=replace(recipe.request, operation="attribute", parameters=changed))


def with_parameters(recipe: Recipe, **values: Any) -> Recipe:
    """The recipe with some parameters of its request replaced and checked."""
    request = recipe.request
    return replace(recipe, request=replace(request, parameters=replace(request.parameters, **values)))
