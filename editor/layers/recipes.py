"""How a layer was made: the request that made it and the subjects chosen in its prompt."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from inference.errors import EditorError
from inference.operations import Attribute, Generate, SamplingParameters, SubjectEdit
from inference.reasons import reason_of
from inference.request import Request

RECIPE_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Characters [start, end) of a prompt that name one thing in the picture."""

    start: int
    end: int
    text: str
    colour_index: int = 0

    @property
    def span(self) -> tuple[int, int]:
        return self.start, self.end

    def to_json(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "text": self.text, "colour_index": self.colour_index}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        try:
            return cls(
                start=int(values["start"]),
                end=int(values["end"]),
                text=str(values["text"]),
                colour_index=int(values.get("colour_index", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise EditorError(
                "A subject of the recipe cannot be read: {reason}.", reason=reason_of(error)
            ) from error


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
        if not isinstance(content, Mapping):
            raise EditorError("The recipe is no object but {content}.", content=repr(content))
        values = cast("Mapping[str, Any]", content)
        version = values.get("version", RECIPE_VERSION)
        if not isinstance(version, int) or version > RECIPE_VERSION:
            raise EditorError(
                "The recipe has version {version}; this Attune reads up to {newest}.",
                "Open it with a newer Attune.",
                version=version,
                newest=RECIPE_VERSION,
            )
        request = values.get("request")
        subjects = values.get("subjects", [])
        if not isinstance(request, Mapping) or not isinstance(subjects, list):
            raise EditorError("The recipe has no request.", "It needs request and subjects.")
        return cls(
            request=Request.from_json(cast("Mapping[str, Any]", request)),
            subjects=tuple(Subject.from_json(item) for item in cast("list[Any]", subjects)),
            label=str(values.get("label", "")),
            version=version,
        )


def with_edits(recipe: Recipe, edits: tuple[SubjectEdit, ...], *, delay: float | None = None) -> Recipe:
    """The recipe as an `attribute` request with `edits`; a `generate` recipe becomes one."""
    parameters = recipe.request.parameters
    if not isinstance(parameters, Generate | Attribute):
        raise EditorError(
            "A layer made by “{operation}” has no attribute sliders.",
            operation=recipe.request.declared.label,
        )
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
