"""Attribute control (Baumann et al., CVPR 2025, arXiv:2403.17064).

    e'[S] = e[S] + α·Δe        on all tokens of the subject S, in each text encoder

Start, end and padding tokens and the pooled embedding stay as they are; the shifts of several attributes
and several subjects add up. The first `delay` share of the steps uses the unmodified embedding: those
steps are the same for every position of every slider, so they are computed once and kept.

Exactness. `attribute` computes one picture at a time; on the CPU it gives the same bytes each time, and at
α = 0 those of `generate`. `sweep` denoises several positions in one batch, where matrix products may sum
in another order: its pictures can differ from `attribute`'s by rounding. A position at which no
attribute is shifted is computed apart, and is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.deltas import Delta
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.methods.generate import Part, Run, decoded, delay_steps, maps, prepare, rest, unmodified
from inference.operations import Attribute, AttributeSweep, SubjectEdit
from inference.progress import Progress
from inference.prompts.prompt import Prompt
from inference.request import Output, Pixels

# How many pixels of pictures are denoised in one batch. Small pictures leave a processor idle, large ones
# fill it alone, and a batch's step is what a cancellation waits for.
BATCH_PIXELS_CPU = 16 * 128 * 128
BATCH_PIXELS_GPU = 9 * 768 * 768


def attribute(backbone: Backbone, parameters: Attribute, inputs: Inputs, progress: Progress) -> Output:
    """One picture with the attributes of its subjects shifted."""
    run = prepare(backbone, parameters, inputs, progress)
    prompt = shifted(run.prompt, parameters.edits, inputs.deltas_of(parameters.edits))
    part = _finished(run, _before_delay(run, parameters), [prompt], parameters)
    spans = [(edit.start, edit.end) for edit in parameters.edits]
    return Output(images=decoded(run, part.state.latents), maps=maps(part.heat, spans))


def sweep(backbone: Backbone, parameters: AttributeSweep, inputs: Inputs, progress: Progress) -> Output:
    """The pictures of one slider's positions; the steps before the delay are shared.

    Raises:
        EditorError: `index` names no edit.
    """
    edits = parameters.edits
    if parameters.index >= len(edits):
        raise EditorError(
            "There is no attribute number {index} to sweep; there are {count}.",
            "Choose one of the edits.",
            index=parameters.index,
            count=len(edits),
        )
    run = prepare(backbone, parameters, inputs, progress)
    part = _before_delay(run, parameters)
    edited = [_at(edits, parameters.index, value) for value in parameters.positions]
    prompts = [shifted(run.prompt, one, inputs.deltas_of(parameters.edits)) for one in edited]
    images: dict[int, Pixels] = {}
    heat = part.heat
    for indices in _batches(run, prompts):
        done = _finished(run, part, [prompts[index] for index in indices], parameters)
        images.update(zip(indices, decoded(run, done.state.latents), strict=True))
        heat = done.heat
    spans = [(edit.start, edit.end) for edit in edits]
    return Output(images=tuple(images[index] for index in range(len(prompts))), maps=maps(heat, spans))


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


def _before_delay(run: Run, parameters: Attribute) -> Part:
    return unmodified(run, delay_steps(parameters.delay, run.steps))


def _finished(run: Run, part: Part, prompts: Sequence[Prompt], parameters: Attribute) -> Part:
    """The steps after the delay; those of the unmodified prompt may be known."""
    if len(prompts) == 1 and prompts[0] is run.prompt:
        return unmodified(run, delay_steps(parameters.delay, run.steps), run.steps)
    return rest(run, part, prompts)


def _at(edits: Sequence[SubjectEdit], index: int, value: float) -> tuple[SubjectEdit, ...]:
    return tuple(replace(edit, value=value) if i == index else edit for i, edit in enumerate(edits))


def _batches(run: Run, prompts: Sequence[Prompt]) -> Iterator[list[int]]:
    """Which positions go together: unmodified ones alone, the others as many as fit."""
    moved = [index for index, prompt in enumerate(prompts) if prompt is not run.prompt]
    yield from ([index] for index in range(len(prompts)) if index not in moved)
    limit = BATCH_PIXELS_CPU if run.backbone.device.type == "cpu" else BATCH_PIXELS_GPU
    pixels = (run.parameters.width or 1) * (run.parameters.height or 1)
    count = max(1, limit // pixels)
    for start in range(0, len(moved), count):
        yield moved[start : start + count]
