"""How a layer was made: the request that made it and the subjects chosen in its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from editor.layers import tracks
from editor.layers.tracks import KeptTracks
from inference.content import Contents, Mask, Picture, contents_in, named
from inference.errors import EditorError
from inference.messages import Message
from inference.operations import (
    LONGEST_PROMPT,
    MOST_SUBJECTS,
    Attribute,
    EditedParameters,
    LoraUse,
    SamplingParameters,
    SubjectEdit,
)
from inference.prompts.weights import Weighted, understood
from inference.request import Request, Result
from inference.values import Bounds, bounded, fields, flag, items, text, typed, whole

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
        return typed(cls, values, Message("A subject of the recipe"))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What makes a layer again. Equal recipes give equal pixels.

    `contents` are the pictures and files that the request names, by their hashes; a document's files keep
    each once, and text formats carry none of them. With `from_below` the request's picture is what showed
    below the layer when it was made: where something else shows there now, the layer is of an older state.
    `tracks` are those of its sliders as far as they were measured; they decide no pixel.
    """

    request: Request
    subjects: tuple[Subject, ...] = ()
    label: str = ""
    version: int = field(default=RECIPE_VERSION)
    from_below: bool = False
    contents: Contents = field(default_factory=dict[str, Any], compare=False, repr=False)
    tracks: KeptTracks = field(default_factory=KeptTracks, compare=False, repr=False)

    @classmethod
    def of(cls, result: Result, contents: Contents | None = None, subjects: tuple[Subject, ...] = ()) -> Self:
        """How a result was made; `contents` are those that its request was given."""
        kept = named({**(contents or {}), **result.contents}, result.request.parameters)
        return cls(request=result.request, subjects=subjects, contents=kept)

    @property
    def prompt(self) -> str:
        """The prompt, or "" for an operation without one."""
        return str(getattr(self.request.parameters, "prompt", ""))

    @property
    def read_prompt(self) -> Weighted:
        """The prompt and the weights of its words, where the request has some."""
        return self.as_read(self.prompt)

    def as_read(self, prompt: str) -> Weighted:
        """Another prompt as it would be read in place of this one's."""
        return understood(prompt, weighted=bool(getattr(self.request.parameters, "weighted", False)))

    @property
    def loras(self) -> tuple[LoraUse, ...]:
        return getattr(self.request.parameters, "loras", ())

    @property
    def seed(self) -> int | None:
        return getattr(self.request.parameters, "seed", None)

    @property
    def edits(self) -> tuple[SubjectEdit, ...]:
        parameters = self.request.parameters
        return parameters.edits if isinstance(parameters, EditedParameters) else ()

    @property
    def picture(self) -> str:
        """The hash of the picture that it was made from, "" for none."""
        declared = self.request.declared.picture
        content = getattr(self.request.parameters, declared.name) if declared is not None else None
        return content.hash if content is not None else ""

    @property
    def origin(self) -> tuple[str, int | None, str]:
        """Prompt, seed and picture: what gives another picture before any slider is moved."""
        return self.prompt, self.seed, self.picture

    @property
    def has_seed(self) -> bool:
        """Whether another seed gives another picture: most ways of inverting draw nothing."""
        parameters = self.request.parameters
        return self.seed is not None and (
            not isinstance(parameters, SamplingParameters) or parameters.is_drawn
        )

    @property
    def lacks_picture(self) -> bool:
        """Whether it cannot be carried out: the picture that it names is not kept with it."""
        return bool(self.picture) and self.picture not in self.contents

    def subject_at(self, start: int, end: int) -> Subject | None:
        return next((subject for subject in self.subjects if subject.span == (start, end)), None)

    def to_json(self) -> dict[str, Any]:
        measured = tracks.to_json(self.tracks.of(self.origin))
        return {
            "version": self.version,
            "label": self.label,
            "request": self.request.to_json(),
            "subjects": [subject.to_json() for subject in self.subjects],
            **({"from_below": True} if self.from_below else {}),
            **({"tracks": measured} if measured else {}),
        }

    @classmethod
    def from_json(cls, content: object) -> Self:
        """Read `to_json`'s values; files may hold anything.

        Raises:
            EditorError: no recipe, a newer version, or a request that its operation refuses.
        """
        values = fields(content, Message("The recipe"))
        version = whole(values.get("version", RECIPE_VERSION), Message("The recipe's version"), 1)
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
        if getattr(request.parameters, "detector", ""):
            raise EditorError(
                "The recipe names a detection model, “{model}”.",
                "Only your settings may choose one.",
                model=str(getattr(request.parameters, "detector", ""))[:100],
            )
        subjects = items(values.get("subjects", []), "The recipe's subjects")[:MOST_SUBJECTS]
        found = cls(
            request=request,
            subjects=_in_prompt(request, [Subject.from_json(item) for item in subjects]),
            label=text(values.get("label", ""), "The recipe's label", LONGEST_PROMPT),
            version=version,
            from_below=flag(values.get("from_below", False), "from_below"),
        )
        found.tracks.keep(found.origin, tracks.from_json(values.get("tracks", [])))
        return found


def _in_prompt(request: Request, subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """Those that name characters of the prompt; others are left over from another one."""
    length = len(str(getattr(request.parameters, "prompt", "")))
    return tuple(subject for subject in subjects if subject.start < subject.end <= length)


def with_edits(recipe: Recipe, edits: tuple[SubjectEdit, ...], *, delay: float | None = None) -> Recipe:
    """The recipe with `edits`; a `generate` recipe becomes an `attribute` one.

    Raises:
        EditorError: its operation has no attribute sliders.
    """
    request = recipe.request
    parameters = request.parameters
    if "edits" not in request.declared.editable or not isinstance(parameters, SamplingParameters):
        raise EditorError(
            "A layer made by “{operation}” has no attribute sliders.", operation=request.declared.label
        )
    if not isinstance(parameters, EditedParameters):
        values = {item.name: getattr(parameters, item.name) for item in SamplingParameters.declared()}
        parameters, request = Attribute(**values), replace(request, operation="attribute")
    changed = replace(parameters, edits=edits, delay=parameters.delay if delay is None else delay)
    return replace(recipe, request=replace(request, parameters=changed))


def reshaped(recipe: Recipe | None) -> Recipe | None:
    """The recipe of a layer whose pixels were cut, scaled or turned.

    What was made from the picture below can be made again from it as it is then; the old picture, and masks
    that say where in it, no longer fit and are not kept. Other recipes give pixels of the old form and are of
    no use.
    """
    if recipe is None or not recipe.from_below:
        return None
    declared = recipe.request.declared.parameters.declared()
    pictures = {
        content.hash
        for item in declared
        if item.type in (Picture, Mask)
        for content in contents_in(getattr(recipe.request.parameters, item.name))
    }
    return replace(recipe, contents={name: b for name, b in recipe.contents.items() if name not in pictures})


def with_parameters(recipe: Recipe, **values: Any) -> Recipe:
    """The recipe with some parameters of its request replaced and checked."""
    request = recipe.request
    return replace(recipe, request=replace(request, parameters=replace(request.parameters, **values)))
