"""Gradients of a loss with respect to latents, and the iterations that follow them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.methods.gsn.losses import divergence
from inference.methods.gsn.maps import MapReader, TextMaps
from inference.methods.gsn.objectives import Objective
from inference.methods.gsn.recipes import LatentRefinement, MeanLearning, NoiseSearch
from inference.schedule import Level

# float16 gradients of maps lie near its smallest numbers
_HALF_SCALE = 2.0**10


class NotFiniteError(Exception):
    """The gradient of some samples is not a number; `rows` are their places in the batch."""

    def __init__(self, rows: Sequence[int]) -> None:
        super().__init__(rows)
        self.rows = tuple(rows)


@dataclass(frozen=True, kw_only=True)
class Iterations:
    """What all updates need.

    Args:
        objective: the loss of N samples' maps.
        scores: InitNO's two scores of N samples' maps; only the noise search asks for them.
        told: told (done, most, latents) after each iteration; raises `Cancelled`.
    """

    backbone: Backbone
    reader: MapReader
    objective: Objective
    told: Callable[[int, int, Tensor], None]
    scores: Callable[[TextMaps], tuple[Tensor, Tensor]] | None = None


def descended(latents: Tensor, level: Level, step_size: float, work: Iterations) -> Tensor:
    """One guidance update: z - step_size·∇L for latents [N, C, h, w]."""
    leaf = latents.detach().requires_grad_()
    with torch.enable_grad():
        loss = work.objective(work.reader.read(leaf, level))
        (gradient,) = _gradients(loss, [leaf], work.backbone, range(len(latents)))
    return latents - step_size * gradient


def refined(latents: Tensor, level: Level, how: LatentRefinement, work: Iterations) -> Tensor:
    """The latents [N, C, h, w] after at most `how.updates` updates; each sample stops at the threshold."""
    rows = [row.detach().clone().requires_grad_() for row in _rows(latents)]
    make = torch.optim.Adam if how.adam else torch.optim.SGD
    optimisers: list[Any] = [make([row], lr=how.learning_rate) for row in rows]
    active = list(range(len(rows)))
    for done in range(how.updates):
        chosen = [rows[index] for index in active]
        with torch.enable_grad():
            loss = work.objective(work.reader.read(torch.cat(chosen), level))
            kept = _above(loss, how.threshold)
            active, chosen = [active[i] for i in kept], [chosen[i] for i in kept]
            if not active:
                break
            gradients = _gradients(loss[kept], chosen, work.backbone, active)
        for index, gradient in zip(active, gradients, strict=True):
            rows[index].grad = gradient
            optimisers[index].step()
        work.told(done + 1, how.updates, torch.cat(rows).detach())
    return torch.cat(rows).detach()


def searched(
    noise: Tensor, level: Level, how: NoiseSearch, work: Iterations, fresh: Callable[[int, int], Tensor]
) -> Tensor:
    """InitNO: valid start latents [N, C, h, w]; one that is valid already stays as it is.

    `fresh` gives other noise [1, C, h, w] for (sample, round).
    """
    found = [
        _searched_one(row, level, how, work, lambda round_, i=index: fresh(i, round_))
        for index, row in enumerate(_rows(noise))
    ]
    return torch.cat(found)


def learnt_mean(
    start: Tensor, noises: Tensor, level: Level, most_deviation: Tensor, how: MeanLearning, work: Iterations
) -> Tensor:
    """SAGA: μ [1, C, h, w] for one distribution, by gradient descent with momentum from `start`.

    Args:
        noises: [`how.noises` per update · updates, C, h, w], used up in turn.
        most_deviation: the deviation of α·x̂₀; that of α·μ is shrunk to it whenever it is larger.
    """
    mean = start.detach().clone().requires_grad_()
    optimiser: Any = torch.optim.SGD([mean], lr=how.learning_rate, momentum=how.momentum)
    for done in range(how.updates):
        drawn = noises[done * how.noises : (done + 1) * how.noises]
        with torch.enable_grad():
            latents = level.alpha * mean + level.sigma * drawn
            loss = work.objective(work.reader.read(latents, level)).mean(0, keepdim=True)
            (mean.grad,) = _gradients(loss, [mean], work.backbone, [0], evaluations=len(drawn))
        optimiser.step()
        with torch.no_grad():
            mean.copy_(_shrunk(mean, most_deviation / level.alpha))
        work.told(done + 1, how.updates, mean.detach())
    return mean.detach()


def _searched_one(
    noise: Tensor, level: Level, how: NoiseSearch, work: Iterations, fresh: Callable[[int], Tensor]
) -> Tensor:
    assert work.scores is not None, "the search looks at its two scores"
    best, best_score = noise, float("inf")
    for round_ in range(how.rounds):
        start = noise if round_ == 0 else fresh(round_)
        mean = torch.zeros_like(start).requires_grad_()
        log_variance = torch.zeros_like(start).requires_grad_()
        optimiser: Any = torch.optim.Adam([mean, log_variance], lr=how.learning_rate)
        for done in range(how.updates):
            with torch.enable_grad():
                latents = start * (log_variance / 2).exp() + mean
                maps = work.reader.read(latents, level)
                seen = work.scores(maps)
                neglect, conflict = float(seen[0].detach()), float(seen[1].detach())
                if neglect + conflict < best_score:
                    best, best_score = latents.detach(), neglect + conflict
                if neglect <= how.cross_threshold and conflict <= how.self_threshold:
                    return latents.detach()
                loss = work.objective(maps) + _penalty(mean, log_variance, how)
                gradients = _gradients(loss, [mean, log_variance], work.backbone, [0])
            mean.grad, log_variance.grad = gradients
            optimiser.step()
            work.told(round_ * how.updates + done + 1, how.rounds * how.updates, latents.detach())
    return best


def _penalty(mean: Tensor, log_variance: Tensor, how: NoiseSearch) -> Tensor:
    excess = divergence(mean, log_variance)
    return how.divergence_weight * torch.where(excess > how.most_divergence, excess, 0.0 * excess)


def _above(loss: Tensor, threshold: float | None) -> list[int]:
    """Which samples have not reached the threshold; those that are not numbers have not."""
    if threshold is None:
        return list(range(len(loss)))
    return [i for i, value in enumerate(loss.detach()) if not float(value) <= 1 - threshold]


def _rows(batch: Tensor) -> list[Tensor]:
    """The samples of a batch, [1, …] each."""
    return [batch[row : row + 1] for row in range(len(batch))]


def _gradients(
    loss: Tensor,
    leaves: Sequence[Tensor],
    backbone: Backbone,
    rows: Sequence[int],
    *,
    evaluations: int | None = None,
) -> tuple[Tensor, ...]:
    """∂Σloss/∂leaf for each leaf; counts the backward pass of each sample.

    Raises:
        NotFiniteError: with the `rows` of the samples that are at fault.
    """
    scale = _HALF_SCALE if backbone.dtype == torch.float16 else 1.0
    gradients = torch.autograd.grad(loss.sum() * scale, list(leaves))
    backbone.measured.backward_evaluations += len(rows) if evaluations is None else evaluations
    scaled = tuple(gradient / scale for gradient in gradients) if scale != 1 else gradients
    bad = [rows[i] for i in range(len(rows)) if not _finite(i, len(rows), loss, scaled)]
    if bad:
        raise NotFiniteError(bad)
    return scaled


def _finite(index: int, count: int, loss: Tensor, gradients: Sequence[Tensor]) -> bool:
    """Whether sample `index` of `count` has a finite loss and gradient; leaves are shared or one a sample."""
    if count == 1:
        own = list(gradients)
    elif len(gradients) == count:
        own = [gradients[index]]
    else:
        own = [gradients[0][index]]
    return bool(loss[index].isfinite()) and all(bool(gradient.isfinite().all()) for gradient in own)


def _shrunk(mean: Tensor, most: Tensor) -> Tensor:
    """`mean` with each channel's deviation made as small as `most` [1, C, 1, 1], never larger."""
    deviation = mean.std((2, 3), keepdim=True)
    middle = mean.mean((2, 3), keepdim=True)
    return middle + (mean - middle) * (most / deviation.clamp(min=1e-12)).clamp(max=1)
