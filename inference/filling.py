"""What completes a request before it runs; an operation's declaration names the ones it needs, in order.

    def fill(parameters: Parameters, filling: Filling) -> Parameters

Afterwards the request holds everything that decides the result: the model's own defaults, the step that was
chosen for it, the content of each delta.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from inference.chosen_steps import chosen
from inference.concepts.concept import Concept
from inference.concepts.files import concept_from_bytes
from inference.concepts.standing import in_plain_words, learnt_word, refuse_twins
from inference.content import ConceptFile, Content, DeltaFile, Mask, content_hash
from inference.deltas import DEFAULT_RANGE, Delta, DeltaLibrary, delta_from_bytes, delta_to_bytes
from inference.errors import EditorError
from inference.messages import Message
from inference.methods.learning.presets import CONCEPT_RATES, PRESETS
from inference.models import ModelEntry
from inference.operations import (
    LEARNED_FROM,
    Edit,
    EditedParameters,
    Enlarge,
    Fill,
    Insert,
    LearnConcept,
    LearnDelta,
    Operation,
    Refine,
    SamplingParameters,
    See,
    SubjectEdit,
    Translate,
)
from inference.parameters import Parameters
from inference.progress import Progress
from inference.request import Pixels
from inference.sizes import MOST_ENLARGED_PIXELS, enlarged_size, working_size

if TYPE_CHECKING:
    from inference.backbones.base import Backbone
    from inference.content import Blob
    from inference.prompts.learnt_words import LearntWord

MOST_WORDS_KEPT = 64  # tens of kilobytes each

_FLAT = 2  # of 255: differences that nobody sees

Filler: TypeAlias = "Callable[[Parameters, Filling], Parameters]"


@dataclass(kw_only=True)
class Filling:
    """What a fill may look at; it adds to `contents`, `deltas` and `notes`."""

    operation: Operation
    entry: ModelEntry
    backbone: Backbone
    weights_hash: str  # of the model itself, without what is added to it
    library: DeltaLibrary
    steps_file: Path | None
    learnt: MutableMapping[tuple[str, str], Delta]  # (model's hash, key) → learnt from a definition
    progress: Progress
    contents: dict[str, Blob]
    deltas: dict[str, Delta]  # by their contents' hashes
    words: MutableMapping[str, tuple[Concept, LearntWord]]  # by their contents' hashes; kept between runs
    concepts: dict[str, Concept] = field(default_factory=dict[str, Concept])  # the request's own
    notes: list[Message]


def filled(parameters: Parameters, filling: Filling) -> Parameters:
    """The parameters after all that the operation names.

    Raises:
        EditorError: something cannot be found, such as an attribute.
    """
    for name in filling.operation.fills:
        module, _, function = name.partition(":")
        parameters = cast("Filler", getattr(importlib.import_module(module), function))(parameters, filling)
    return parameters


def model_defaults(parameters: Parameters, filling: Filling) -> Parameters:
    """The model's own values where they are left open; the size is that of the picture, if there is one."""
    if not isinstance(parameters, SamplingParameters):
        return parameters
    defaults = filling.backbone.defaults
    declared = filling.operation.picture
    if declared is not None and not filling.operation.enlarges:
        content = cast("Content | None", getattr(parameters, declared.name))
        if content is not None:
            pixels = cast("Pixels", filling.contents[content.hash])
            # an inversion needs the model to see things at the size at which it knows them, and what it sees
            # is shown at the size at which a translation uses it
            width, height = working_size(
                pixels.shape[1],
                pixels.shape[0],
                filling.backbone,
                usual_area=isinstance(parameters, Edit | Insert | See | Translate),
            )
            parameters = replace(parameters, width=width, height=height)
    left_open = {
        item.name: getattr(defaults, item.name)
        for item in parameters.declared()
        if getattr(parameters, item.name) is None and hasattr(defaults, item.name)
    }
    return replace(parameters, **left_open)


def source(parameters: Parameters, filling: Filling) -> Parameters:
    """Refuses what cannot be edited: a picture without a prompt, too small, or with nothing to see.

    Raises:
        EditorError: as said.
    """
    if not isinstance(parameters, Edit | Insert | Translate):
        return parameters
    shown = parameters.source_prompt if isinstance(parameters, Insert) else parameters.prompt
    if not shown.strip():
        hint = "Say in words what the picture shows."
        if isinstance(parameters, Translate):
            hint = "Say in words what the picture shall become."
        raise EditorError("The prompt is empty.", hint)
    pixels = cast("Pixels", filling.contents[parameters.image.hash])
    _refuse_too_small(pixels, filling)
    _refuse_nothing(pixels)
    needs_structure = isinstance(parameters, Translate) and parameters.way != "redraw"
    if needs_structure and int(np.ptp(pixels[..., :3], axis=(0, 1)).max()) <= _FLAT:
        raise EditorError(
            "The picture is of one colour: it has no structure to keep.",
            "Choose one that shows something, or make a new picture.",
        )
    return parameters


def _refuse_too_small(pixels: Pixels, filling: Filling) -> None:
    (height, width), unit = pixels.shape[:2], filling.backbone.size_unit
    if min(width, height) < unit:
        raise EditorError(
            "The picture has {width} × {height} pixels, which is too small for {model}.",
            "It needs {unit} in each direction.",
            width=width,
            height=height,
            model=filling.entry.name,
            unit=unit,
        )


def _refuse_nothing(pixels: Pixels) -> None:
    if pixels.shape[2] == 4 and not pixels[..., 3].any():
        raise EditorError("The picture is fully transparent.", "Choose one that shows something.")


def enlargement(parameters: Parameters, filling: Filling) -> Parameters:
    """Refuses what cannot be enlarged.

    Raises:
        EditorError: the picture shows nothing, or would become too large.
    """
    if not isinstance(parameters, Enlarge):
        return parameters
    pixels = cast("Pixels", filling.contents[parameters.image.hash])
    _refuse_nothing(pixels)
    width, height = enlarged_size(pixels, parameters.factor)
    if width * height > MOST_ENLARGED_PIXELS:
        raise EditorError(
            "Enlarged, the picture would have {width} × {height} pixels.",
            "At most {most} megapixels are possible: choose a smaller enlargement.",
            width=width,
            height=height,
            most=MOST_ENLARGED_PIXELS // 10**6,
        )
    return parameters


def hole(parameters: Parameters, filling: Filling) -> Parameters:
    """What is to be filled: the mask, else what is transparent; the request then names it.

    Raises:
        EditorError: nothing of the picture is left to go on from.
    """
    if not isinstance(parameters, Fill):
        return parameters
    pixels = cast("Pixels", filling.contents[parameters.image.hash])
    _refuse_nothing(pixels)
    if parameters.mask is not None or pixels.shape[2] == 3 or bool((pixels[..., 3] == 255).all()):
        return parameters
    mask = np.where(pixels[..., 3] == 255, 0, 255).astype(np.uint8)
    mask.setflags(write=False)
    name = content_hash(mask)
    filling.contents[name] = mask
    return replace(parameters, mask=Mask(name))


def chosen_step(parameters: Parameters, filling: Filling) -> Parameters:
    """The refinement step and step sizes chosen for the model, where they are left open."""
    if not isinstance(parameters, Refine) or not parameters.steps:
        return parameters
    found = chosen(filling.entry.path, filling.weights_hash, parameters.method, filling.steps_file)
    if parameters.step is None and found.step is not None:
        parameters = replace(parameters, step=found.step.at(parameters.steps))
    losses = {"learning_rate": parameters.refinement_loss, "guidance_step_size": parameters.guidance_loss}
    # they were chosen for the method's own losses
    left_open = {
        name: size
        for name, size in found.sizes.items()
        if getattr(parameters, name) is None and losses[name] is None
    }
    return replace(parameters, **left_open)


def preset(parameters: Parameters, filling: Filling) -> Parameters:
    """The preset's values where a learning run leaves them open.

    Raises:
        EditorError: there are too few or too many pictures to learn from, or one shows nothing.
    """
    if isinstance(parameters, LearnConcept | LearnDelta):
        for number, image in enumerate(parameters.images, 1):
            pixels = cast("Pixels", filling.contents[image.hash])
            try:
                _refuse_too_small(pixels, filling)
                _refuse_nothing(pixels)
            except EditorError as error:
                if len(parameters.images) == 1:
                    raise
                what = Message("Photo {number}: {what}", number=number, what=error.sentence)
                raise EditorError(what, error.advice) from error
    if isinstance(parameters, LearnConcept) and parameters.learning_rate is None:
        return replace(parameters, learning_rate=CONCEPT_RATES[parameters.method])
    if not isinstance(parameters, LearnDelta):
        return parameters
    count, needed = len(parameters.images), LEARNED_FROM.get(parameters.method, 0)
    if count != needed:
        raise EditorError(
            "“{method}” learns from {needed} pictures; {count} are given.",
            "Name one with “picture”, the one before and the one after with “pair”, and none otherwise.",
            method=parameters.method,
            needed=needed,
            count=count,
        )
    chosen_run = PRESETS[parameters.preset]
    left_open = {
        name: getattr(chosen_run, name)
        for name in ("steps", "accumulation", "schedule")
        if getattr(parameters, name) is None
    }
    return replace(parameters, **left_open)


def concepts(parameters: Parameters, filling: Filling) -> Parameters:
    """The concepts of a request, read and found to fit the model; they are named by it and stay as they are.

    Raises:
        EditorError: one cannot be read, is for another family, or two are called alike.
    """
    backbone = filling.backbone
    if len(filling.words) > MOST_WORDS_KEPT:
        filling.words.clear()
    named: tuple[ConceptFile, ...] = getattr(parameters, "concepts", ())
    for content in named:
        if content.hash not in filling.words:
            blob = filling.contents[content.hash]
            assert isinstance(blob, bytes), "the runner looks at what is given"
            concept = concept_from_bytes(blob)
            filling.words[content.hash] = (concept, learnt_word(concept))
        concept, _ = filling.words[content.hash]
        concept.refuse_misfit(
            backbone.name, backbone.family.value, backbone.sandbox, dict(backbone.token_widths)
        )
        filling.concepts[content.hash] = concept
    refuse_twins(filling.concepts)
    return parameters


def deltas(parameters: Parameters, filling: Filling) -> Parameters:
    """The delta of each edit, pinned by its content."""
    if not isinstance(parameters, EditedParameters):
        return parameters
    # attributes are those of the kind: "<my-cat>" has a cat's
    edits = tuple(
        _pinned(edit, in_plain_words(_subject(parameters, edit), filling.concepts.values()), filling)
        for edit in parameters.edits
    )
    return replace(parameters, edits=edits)


def _pinned(edit: SubjectEdit, subject: str, filling: Filling) -> SubjectEdit:
    """The edit with its delta's hash; the delta itself goes into the filling."""
    given = filling.contents.get(edit.delta.hash) if edit.delta is not None else None
    if edit.delta is not None and isinstance(given, bytes):
        delta = delta_from_bytes(given, edit.attribute)
        delta = replace(delta, info=replace(delta.info, range=_range_of(edit, subject, filling)))
        filling.deltas[edit.delta.hash] = delta.fitted(filling.entry.name, filling.backbone.token_widths)
        return edit
    delta = _found(edit, subject, filling)
    content = delta_to_bytes(delta)
    name = content_hash(content)
    if edit.delta is not None and edit.delta.hash != name:
        filling.notes.append(
            Message(
                "The delta of “{subject}: {attribute}” is another one than this was first made with.",
                subject=subject,
                attribute=edit.attribute,
            )
        )
    filling.contents[name], filling.deltas[name] = content, delta
    return replace(edit, delta=DeltaFile(name), attribute=_as_written(edit.attribute, delta))


def _as_written(attribute: str, delta: Delta) -> str:
    """As the library writes it: with other capitals it would be another slider of the window."""
    known = delta.info.attribute
    return known if known.casefold() == attribute.casefold() else attribute


def _range_of(edit: SubjectEdit, subject: str, filling: Filling) -> tuple[float, float]:
    """The ends of a pinned delta's slider, which its content does not hold: as long as the library has it."""
    with suppress(EditorError):
        known = _found(edit, subject, filling)
        if edit.delta is not None and content_hash(delta_to_bytes(known)) == edit.delta.hash:
            return known.info.range
    return DEFAULT_RANGE


def _found(edit: SubjectEdit, subject: str, filling: Filling) -> Delta:
    delta = filling.library.find(filling.entry, subject, edit.attribute)
    if delta.vectors:
        return delta.fitted(filling.entry.name, filling.backbone.token_widths)
    key = (filling.backbone.model_hash, delta.info.key)
    if key not in filling.learnt:
        assert delta.info.definition is not None, "a delta without vectors has a definition"
        from inference.methods.naive_delta import learn_naive

        with filling.progress.phase("learn"):
            filling.learnt[key] = learn_naive(filling.backbone, delta.info.definition, filling.progress)
    return filling.learnt[key]


def _subject(parameters: EditedParameters, edit: SubjectEdit) -> str:
    prompt = parameters.prompt
    if not 0 <= edit.start < edit.end <= len(prompt):
        raise EditorError(
            "The subject at characters {start} to {end} is not in the prompt, which has {count} characters.",
            "Choose the subject again.",
            start=edit.start,
            end=edit.end,
            count=len(prompt),
        )
    return prompt[edit.start : edit.end]
