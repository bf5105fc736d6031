"""The editing loop: from an inverted picture to the picture of other prompts, one step of its way at a time.

    x = the inverted latents at the first step to edit
    x = step(x)                               the way's own step, for all edited prompts in one batch
    x = merged(unedited latents, x)           where something keeps to the picture

Every way of `inference.methods.inversion.ways` is one `Step`. The prompts may be shifted, reworded, or hold
learnt words; what else an edit does to the network (attention control) goes into `Predict`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from inference.guidance import Predict, guided
from inference.methods.generate import Run
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.paths import guidance_of, mean_step, step_noise
from inference.prompts.prompt import Prompt
from inference.sampling import move
from inference.schedule import Level, Prediction

Step: TypeAlias = Callable[[Tensor, int], Tensor]
"""Latents [N, C, h, w] after `index` steps → after `index` + 1."""
Merge: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(unedited latents [1, C, h, w], edited ones [N, C, h, w]) → edited ones."""

# FlowEdit's own scales, 3.5 for the source and 13.5 for the target (arXiv:2412.08629).
SOURCE_SHARE = 3.5 / 13.5
# FlowAlign's pull to the source (arXiv:2505.23145).
PULL = 0.01
# Both start at step 17 of 50: noisier ones would lose the picture.
FLOW_START = 17 / 50


@dataclass(frozen=True, kw_only=True)
class Editing:
    """What a step needs to know.

    Args:
        prompts: one for each edited picture.
        source: what the picture is said to show, where that is not the inverted prompt itself.
        predict: one pass of the network.
        offsets: what the steps of `predict` miss the path by; None is what those of the network itself do.
        source_scale: guidance of the source in h-Edit's correction; None is that of the target, with which
            a prompt that is not edited changes nothing.
        implicit: take the correction at the point that the uncorrected step leads to, as h-Edit's authors
            do; one evaluation more a step.
    """

    run: Run
    inverted: Inverted
    prompts: Sequence[Prompt]
    predict: Predict
    offsets: Tensor | None = None
    source: Prompt | None = None
    source_scale: float | None = None
    implicit: bool = False

    @property
    def sources(self) -> list[Prompt]:
        return [self.source or self.inverted.prompt] * len(self.prompts)


@torch.no_grad()
def carried_out(
    editing: Editing,
    step: Step,
    first: int,
    *,
    merge: Merge | None = None,
    sofar: Sofar | None = None,
    name: str = "edited",
    begun: Tensor | None = None,
) -> Tensor:
    """The latents [N, C, h, w] at the last level, edited from step `first` on.

    Args:
        merge: puts unedited latents back after each step.
        sofar: takes checkpoints, and what the latest one had under `name`.
        begun: the latents [N, C, h, w] before step `first`, if they are not the inverted ones.
    """
    run, inverted = editing.run, editing.inverted
    latents = inverted.at(first).repeat(len(editing.prompts), 1, 1, 1) if begun is None else begun
    if sofar is not None:
        known = {done: sofar.get(f"{name}/{done}") for done in range(first + 1, run.steps + 1)}
        reached = [(done, value) for done, value in known.items() if value is not None]
        first, latents = reached[-1] if reached else (first, latents)
    begin = first
    for index in range(first, run.steps):
        if sofar is not None:
            sofar.checkpoint()
        latents = step(latents, index)
        if merge is not None:
            latents = merge(inverted.at(index + 1), latents)
        if sofar is not None:
            sofar.drop(f"{name}/{index}")
            sofar.put(f"{name}/{index + 1}", latents)
        shown = run.backbone.preview(latents[:1]) if run.progress.wants_preview else None
        run.progress.step(index + 1 - begin, run.steps - begin, shown)
    return latents


def corrected_step(editing: Editing) -> Step:
    """Direct Inversion with the correction of h-Edit-D (arXiv:2503.02187, algorithm 1).

    base = DDIM(x, ε(x, source)) + u_t, and onto it the guided target's step minus the guided source's. With
    equal guidance the unconditional prediction falls out of the difference and is not computed:

        x_s = base + w·(DDIM(x, ε(x, target)) - DDIM(x, ε(x, source)))

    Two evaluations a step and picture; with a `source_scale` of its own three, with `implicit` one more. On
    the path itself a prompt that is not edited gives the path, to rounding.
    """
    run, count = editing.run, len(editing.prompts)
    offsets = editing.inverted.offsets if editing.offsets is None else editing.offsets
    assert offsets is not None, "this way keeps offsets"

    def step(latents: Tensor, index: int) -> Tensor:
        here, there = run.levels[index], run.levels[index + 1]
        if editing.implicit and here.alpha > 0:
            source = editing.predict(latents, here, editing.sources)
            base = move(source, here, there) + offsets[index]
            factor = there.sigma - here.sigma * there.alpha / here.alpha
            return base + factor * _correction(editing, base, there, there)
        predictions = editing.predict(latents.repeat(2, 1, 1, 1), here, [*editing.sources, *editing.prompts])
        source, target = (Prediction(*half) for half in _halves(predictions, count))
        base = move(source, here, there)
        moved = move(target, here, there)
        scale = guidance_of(run)
        change = scale * (moved - base)
        if editing.source_scale not in (None, scale):
            negative = editing.predict(latents, here, [run.negative] * count)
            change += (scale - (editing.source_scale or 0.0)) * (base - move(negative, here, there))
        return base + offsets[index] + change

    return step


def _correction(editing: Editing, latents: Tensor, level: Level, told: Level) -> Tensor:
    """ε(target, w) - ε(source, ŵ) at one point; the unconditional prediction where it does not fall out."""
    run, count = editing.run, len(editing.prompts)
    scale = guidance_of(run)
    both = editing.predict(latents.repeat(2, 1, 1, 1), told, [*editing.sources, *editing.prompts])
    source, target = both.eps.chunk(2)
    change = scale * (target - source)
    if editing.source_scale not in (None, scale):
        negative = editing.predict(latents, level, [run.negative] * count)
        change += (scale - (editing.source_scale or 0.0)) * (source - negative.eps)
    return change


def guided_step(editing: Editing) -> Step:
    """Usual guided sampling, with the negative prompts that the way found, or the source for all of them."""
    run, inverted = editing.run, editing.inverted
    negatives = inverted.negatives or (inverted.prompt,) * run.steps
    denoise = guided(run.backbone, editing.prompts, negatives, guidance_of(run), predict=editing.predict)

    def step(latents: Tensor, index: int) -> Tensor:
        return move(denoise(latents, run.levels[index], index), run.levels[index], run.levels[index + 1])

    return step


def plain_step(editing: Editing) -> Step:
    """Usual guided sampling with the run's own negative prompt, from wherever the latents are."""
    run = editing.run
    denoise = guided(run.backbone, editing.prompts, run.negative, guidance_of(run), predict=editing.predict)

    def step(latents: Tensor, index: int) -> Tensor:
        return move(denoise(latents, run.levels[index], index), run.levels[index], run.levels[index + 1])

    return step


def ancestral_step(editing: Editing) -> Step:
    """DDPM with the noise maps that were found (edit-friendly inversion, arXiv:2304.06140)."""
    run, offsets = editing.run, editing.inverted.offsets
    assert offsets is not None, "this way keeps offsets"
    denoise = guided(run.backbone, editing.prompts, run.negative, guidance_of(run), predict=editing.predict)

    def step(latents: Tensor, index: int) -> Tensor:
        here, there = run.levels[index], run.levels[index + 1]
        return mean_step(denoise(latents, here, index), here, there, 1.0) + offsets[index]

    return step


def flow_edit_step(editing: Editing) -> Step:
    """FlowEdit (arXiv:2412.08629, algorithm 1, one noise a step): four evaluations a step and picture.

    q = (1 - s)·x_src + s·ε,  p = x + q - x_src,  x ← x + ds·(v(p, target, w) - v(q, source, w'))
    """
    run, count, source = editing.run, len(editing.prompts), editing.inverted.reconstruction
    scale = guidance_of(run)
    of_source = max(1.0, scale * SOURCE_SHARE)
    negatives = [run.negative] * count

    def step(latents: Tensor, index: int) -> Tensor:
        here, there = run.levels[index], run.levels[index + 1]
        q, p = _noised(run, source, latents, here, index)
        prompts = [*negatives, *editing.sources, *negatives, *editing.prompts]
        flow = _flow(editing.predict(torch.cat([q, q, p, p]), here, prompts))
        q_free, q_source, p_free, p_target = flow.chunk(4)
        v_q = q_free + of_source * (q_source - q_free)
        v_p = p_free + scale * (p_target - p_free)
        return latents + (there.sigma - here.sigma) * (v_p - v_q)

    return step


def flow_align_step(editing: Editing) -> Step:
    """FlowAlign (arXiv:2505.23145): guidance from the source to the target, and a pull to the source.

    v_p = v(p, source) + w·(v(p, target) - v(p, source)),  v_q = v(q, source),
    x ← x + ds·(v_p - v_q) + 0.01·((q - s·v_q) - (p - s·v_p)).  Three evaluations a step and picture.
    """
    run, source = editing.run, editing.inverted.reconstruction
    scale = guidance_of(run)

    def step(latents: Tensor, index: int) -> Tensor:
        here, there = run.levels[index], run.levels[index + 1]
        q, p = _noised(run, source, latents, here, index)
        prompts = [*editing.sources, *editing.sources, *editing.prompts]
        v_q, p_source, p_target = _flow(editing.predict(torch.cat([q, p, p]), here, prompts)).chunk(3)
        v_p = p_source + scale * (p_target - p_source)
        pull = (q - here.sigma * v_q) - (p - here.sigma * v_p)
        return latents + (there.sigma - here.sigma) * (v_p - v_q) + PULL * pull

    return step


def _noised(run: Run, source: Tensor, latents: Tensor, level: Level, index: int) -> tuple[Tensor, Tensor]:
    q = level.alpha * source + level.sigma * step_noise(run.parameters.seed, index, source)
    return q.expand_as(latents), latents + q - source


def _flow(prediction: Prediction) -> Tensor:
    return prediction.eps - prediction.x0


def _halves(prediction: Prediction, count: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    x0, eps = prediction
    return (x0[:count], eps[:count]), (x0[count:], eps[count:])
