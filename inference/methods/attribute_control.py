"""Attribute control (Baumann et al., CVPR 2025, arXiv:2403.17064).

    e'[S] = e[S] + α·Δe        on all tokens of the subject S, in each text encoder

Start, end and padding tokens and the pooled embedding stay as they are; the shifts of several attributes
and several subjects add up. The first `delay` share of the steps uses the unmodified embedding: those
steps are the same for every position of every slider, so they are computed once and kept.

With `only_subject` the unedited picture is drawn as well, if it is not known yet, and everything outside of
the edited subjects is taken from it after each step: see `inference.methods.only_subject`.

Exactness. `attribute` computes one picture at a time; on the CPU it gives the same bytes each time, and at
α = 0 those of `generate`. `sweep` denoises several positions in one batch, where matrix products may sum
in another order: its pictures can differ from `attribute`'s by rounding. Where text changes on its way
through the network (SD3) the plain text beside the first picture serves all of a batch that is kept by
words: a few of 255 in a few pixels. A position at which no attribute is shifted is computed apart, and is
exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.deltas import Delta
from inference.errors import EditorError
from inference.guidance import Predict
from inference.inputs import Inputs
from inference.methods.generate import (
    Heat,
    Part,
    Run,
    decoded,
    delay_steps,
    maps,
    prepare,
    rest,
    unmodified,
)
from inference.methods.only_subject import (
    Masks,
    Span,
    by_subject,
    mask_maps,
    merged,
    regional,
    subject_masks,
    together,
)
from inference.methods.still_found import still_found
from inference.methods.text_regions import TextRegions, reads_text
from inference.operations import (
    BY_LATENTS,
    BY_TEXT,
    Attribute,
    AttributeSweep,
    EditedParameters,
    SubjectEdit,
    SweptParameters,
)
from inference.progress import Progress
from inference.prompts.prompt import Prompt
from inference.request import Output, Pixels
from inference.sampling import SamplerState

Edits: TypeAlias = tuple[SubjectEdit, ...]

# How many pixels of pictures are denoised in one batch. Small pictures leave a processor idle, large ones
# fill it alone, and a batch's step is what a cancellation waits for.
BATCH_PIXELS_CPU = 16 * 128 * 128
BATCH_PIXELS_GPU = 9 * 768 * 768


def attribute(backbone: Backbone, parameters: Attribute, inputs: Inputs, progress: Progress) -> Output:
    """One picture with the attributes of its subjects shifted."""
    run = prepare(backbone, parameters, inputs, progress)
    edited = [parameters.edits]
    part, masks = _finished(run, _before_delay(run, parameters), edited, parameters)
    spans = [(edit.start, edit.end) for edit in parameters.edits]
    return Output(
        images=decoded(run, part.state.latents), maps={**maps(part.heat, spans), **mask_maps(masks)}
    )


def sweep(backbone: Backbone, parameters: AttributeSweep, inputs: Inputs, progress: Progress) -> Output:
    """The pictures of one slider's positions; the steps before the delay are shared.

    Raises:
        EditorError: `index` names no edit.
    """
    edits = parameters.edits
    edited = swept(parameters)
    run = prepare(backbone, parameters, inputs, progress)
    part = _before_delay(run, parameters)
    images: dict[int, Pixels] = {}
    heat, masks = part.heat, dict[Span, Tensor]()
    for indices in batches(run, edited):
        done, of_these = _finished(run, part, [edited[index] for index in indices], parameters)
        images.update(zip(indices, decoded(run, done.state.latents), strict=True))
        heat, masks = done.heat, {**masks, **of_these}
    spans = [(edit.start, edit.end) for edit in edits]
    pictures = tuple(images[index] for index in range(len(edited)))
    return Output(
        images=pictures,
        maps={**maps(heat, spans), **mask_maps(masks)},
        scores=still_found(backbone, run.prompt.text, inputs, edits, pictures),
    )


def shifted(prompt: Prompt, edits: Sequence[SubjectEdit], deltas: Sequence[Delta]) -> Prompt:
    """`prompt` with α·Δe added to all tokens of each edit's subject; `prompt` itself if nothing moves.

    Raises:
        EditorError: a subject's characters hit no token.
    """
    shifts: dict[str, dict[int, Tensor]] = {}
    for edit, delta in zip(edits, deltas, strict=True):
        tokens = prompt.tokens(edit.start, edit.end)
        if edit.value == 0:
            continue
        for encoder, vector in delta.vectors.items():
            step = torch.tensor(vector) * edit.value
            of_encoder = shifts.setdefault(encoder, {})
            for index in tokens[encoder]:
                of_encoder[index] = of_encoder[index] + step if index in of_encoder else step
    return prompt.shifted(shifts) if shifts else prompt


def swept(parameters: SweptParameters) -> list[Edits]:
    """The edits of each position.

    Raises:
        EditorError: `index` names no edit.
    """
    edits, index = parameters.edits, parameters.index
    if index >= len(edits):
        raise EditorError(
            "There is no attribute number {index} to sweep; there are {count}.",
            "Choose one of the edits.",
            index=index,
            count=len(edits),
        )
    return [
        tuple(replace(edit, value=value) if i == index else edit for i, edit in enumerate(edits))
        for value in parameters.positions
    ]


def moves(edits: Edits) -> bool:
    """Whether any attribute is shifted."""
    return any(edit.value for edit in edits)


def batches(run: Run, edited: Sequence[Edits]) -> Iterator[list[int]]:
    """Which pictures go together: unmodified ones alone, the others as many as fit."""
    moved = [index for index, edits in enumerate(edited) if moves(edits)]
    yield from ([index] for index in range(len(edited)) if index not in moved)
    limit = BATCH_PIXELS_CPU if run.backbone.device.type == "cpu" else BATCH_PIXELS_GPU
    pixels = (run.parameters.width or 1) * (run.parameters.height or 1)
    count = max(1, limit // pixels)
    for start in range(0, len(moved), count):
        yield moved[start : start + count]


@dataclass(frozen=True, kw_only=True)
class Unedited:
    """What is known of the picture without edits.

    Args:
        prompt: its prompt; the same object as in samples that run along.
        heat: its attention.
        size: rows and columns of its latents.
        bound: where each subject is whose words are its own alone; none binds nothing.
        source: the prompt shifted to where the picture stands, if that is asked for as well.
    """

    prompt: Prompt
    heat: Heat
    size: tuple[int, int]
    bound: Masks = field(default_factory=dict[Span, Tensor])
    source: Prompt | None = None


@dataclass(frozen=True, kw_only=True)
class Shifted:
    """The prompts of several pictures, and what of each is theirs to change.

    Args:
        prompts: one for each picture.
        predict: the pass that knows them.
        masks: where each edited subject is, all pictures together.
        mask: [N, 1, h, w], where each picture may change.
    """

    prompts: tuple[Prompt, ...]
    predict: Predict
    masks: Masks
    mask: Tensor


def only_subjects(
    run: Run, parameters: EditedParameters, edited: Sequence[Edits], unedited: Unedited
) -> Shifted:
    """The prompts of pictures whose edits keep to their subjects; each has one edit that is not zero."""
    heat, size = unedited.heat, unedited.size
    deltas = run.inputs.deltas_of
    kept_by = parameters.kept_by
    of_pictures = [subject_masks(heat, run.prompt, edits, size) for edits in edited]
    prompts = tuple(shifted(run.prompt, edits, deltas(edits)) for edits in edited)
    masks = {span: mask for of_picture in of_pictures for span, mask in of_picture.items()}
    apart = [
        (whole, by_subject(edits, deltas(edits), partial(shifted, run.prompt)))
        for whole, edits in zip(prompts, edited, strict=True)
    ]
    predict = regional(run.backbone, apart, masks)
    if kept_by != BY_LATENTS and reads_text(run.backbone):
        own = [(prompt, of_picture) for prompt, of_picture in zip(prompts, of_pictures, strict=True)]
        own += [] if unedited.source is None else [(unedited.source, masks)]
        predict = TextRegions(
            backbone=run.backbone, plain=unedited.prompt, edited=own, bound=unedited.bound
        ).predict
    mask = torch.cat([together(of_picture) for of_picture in of_pictures])
    return Shifted(
        prompts=prompts,
        predict=predict,
        masks=masks,
        mask=torch.ones_like(mask) if kept_by == BY_TEXT else mask,
    )


def _before_delay(run: Run, parameters: EditedParameters) -> Part:
    return unmodified(run, delay_steps(parameters.delay, run.steps))


def _finished(
    run: Run, part: Part, edited: Sequence[Edits], parameters: EditedParameters
) -> tuple[Part, Masks]:
    """The steps after the delay; those of the unmodified prompt may be known."""
    first = delay_steps(parameters.delay, run.steps)
    if not any(moves(edits) for edits in edited):
        return unmodified(run, first, run.steps), {}
    if not parameters.only_subject:
        deltas = run.inputs.deltas_of
        return rest(run, part, [shifted(run.prompt, edits, deltas(edits)) for edits in edited]), {}
    whole = unmodified(run, first, run.steps)
    height, width = part.state.latents.shape[-2:]
    unedited = Unedited(prompt=run.prompt, heat=whole.heat, size=(height, width))
    found = only_subjects(run, parameters, edited, unedited)

    def after(state: SamplerState) -> SamplerState:
        return replace(state, latents=merged(whole.path[state.index - 1], state.latents, found.mask))

    done = rest(run, part, found.prompts, predict=found.predict, after=after, looks=False)
    return replace(done, heat=whole.heat), found.masks
