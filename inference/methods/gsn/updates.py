"""Gradients of a loss with respect to latents, and the iterations that follow them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.methods.gsn.losses import divergence
from inference.methods.gsn.maps import MapReader, TextMaps
from inference.methods.gsn.objectives import NEGLECTED, Objective
from inference.methods.gsn.procedures import LatentRefinement, MeanLearning, NoiseSearch
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


def refined(
    latents: Tensor,
    level: Level,
    how: LatentRefinement,
    work: Iterations,
    *,
    then_step: float | None = None,
) -> Tensor:
    """The latents [N, C, h, w] after at most `how.updates` updates; each sample stops at the threshold.

    With `then_step` one guidance update of this size by the same loss follows, as `descended` would make it:
    the pass that finds a sample at its threshold serves both.
    """
    rows = [row.detach().clone().requires_grad_() for row in _rows(latents)]
    make = torch.optim.Adam if how.adam else torch.optim.SGD
    optimisers: list[Any] = [make([row], lr=how.learning_rate) for row in rows]
    active = list(range(len(rows)))
    for done in range(how.updates):
        chosen = [rows[index] for index in active]
        with torch.enable_grad():
            loss = work.objective(work.reader.read(torch.cat(chosen), level))
            above = _above(loss, how.threshold)
            moved = above if then_step is None else list(range(len(active)))
            if moved:
                of = [active[i] for i in moved]
                gradients = _gradients(loss[moved], [rows[i] for i in of], work.backbone, of)
            else:
                gradients = ()
        for place, gradient in zip(moved, gradients, strict=True):
            row = active[place]
            if place in above:
                rows[row].grad = gradient
                optimisers[row].step()
            elif then_step is not None:
                rows[row] = rows[row].detach() - then_step * gradient
        active = [active[i] for i in above]
        if not active:
            break
        work.told(done + 1, how.updates, torch.cat(rows).detach())
    if then_step is not None and active:
        late = torch.cat([rows[index] for index in active])
        for index, row in zip(active, _rows(descended(late, level, then_step, work)), strict=True):
            rows[index] = row
    return torch.cat(rows).detach()


def searched(
    noise: Tensor, level: Level, how: NoiseSearch, work: Iterations, fresh: Callable[[int, int], Tensor]
) -> Tensor:
    """InitNO: valid start latents [N, C, h, w]; one that is valid already stays as it is.

    `fresh` gives other noise [1, C, h, w] for (sample, round).
    """
    found = [_Found(row, float("inf")) for row in _rows(noise)]
    left = list(range(len(found)))
    for round_ in range(how.rounds):
        starts = [_rows(noise)[row] if round_ == 0 else fresh(row, round_) for row in left]
        left = _search_round(left, starts, found, level, how, work, round_)
        if not left:
            break
    return torch.cat([one.latents for one in found])


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


@dataclass
class _Found:
    """The best start of one picture so far, and its score."""

    latents: Tensor
    score: float

    def offer(self, latents: Tensor, score: float) -> None:
        if score < self.score:
            self.latents, self.score = latents.detach(), score


def _search_round(
    rows: list[int],
    starts: list[Tensor],
    found: list[_Found],
    level: Level,
    how: NoiseSearch,
    work: Iterations,
    round_: int,
) -> list[int]:
    """One round for the pictures `rows`; gives those that have no valid start yet."""
    assert work.scores is not None, "the search looks at its two scores"
    means = [torch.zeros_like(start).requires_grad_() for start in starts]
    log_variances = [torch.zeros_like(start).requires_grad_() for start in starts]
    adam: list[Any] = [
        torch.optim.Adam(list(pair), lr=how.learning_rate) for pair in zip(means, log_variances, strict=True)
    ]
    active = list(range(len(rows)))  # indices into the lists of this round
    for done in range(how.updates):
        with torch.enable_grad():
            mean, spread = (torch.cat([of[i] for i in active]) for of in (means, log_variances))
            latents = torch.cat([starts[i] for i in active]) * (spread / 2).exp() + mean
            maps = work.reader.read(latents, level)
            neglect, conflict = work.scores(maps)
            kept = _not_valid([rows[i] for i in active], latents, neglect, conflict, found, how)
            loss = (work.objective(maps) + _penalty(mean, spread, how))[kept]
            active = [active[i] for i in kept]
            if not active:
                break
            leaves = [leaf for i in active for leaf in (means[i], log_variances[i])]
            gradients = _gradients(loss, leaves, work.backbone, [rows[i] for i in active])
        for place, i in enumerate(active):
            means[i].grad, log_variances[i].grad = gradients[2 * place : 2 * place + 2]
            adam[i].step()
        work.told(round_ * how.updates + done + 1, how.rounds * how.updates, latents.detach())
    return [rows[i] for i in active]


def _not_valid(
    rows: list[int],
    latents: Tensor,
    neglect: Tensor,
    conflict: Tensor,
    found: list[_Found],
    how: NoiseSearch,
) -> list[int]:
    """Places in the batch that are no valid start yet; remembers the best of each picture."""
    kept: list[int] = []
    for place, row in enumerate(rows):
        scores = float(neglect[place].detach()), float(conflict[place].detach())
        valid = scores[0] <= how.cross_threshold and scores[1] <= how.self_threshold
        # a valid start is taken as it is, even where an earlier round's sum was smaller
        found[row].offer(latents[place : place + 1], float("-inf") if valid else standing(*scores))
        if not valid:
            kept.append(place)
    return kept


def standing(neglect: float, conflict: float) -> float:
    """What starts are compared by, the smaller the better; the worst conflict where it was not minded."""
    return neglect + (conflict if neglect <= NEGLECTED else 1.0)


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
    bad = [row for i, row in enumerate(rows) if not _finite(i, len(rows), loss, scaled)]
    if bad:
        raise NotFiniteError(bad)
    return scaled


def _finite(index: int, count: int, loss: Tensor, gradients: Sequence[Tensor]) -> bool:
    """Whether sample `index` of `count` has a finite loss and finite gradients.

    Gradients are those of one leaf for the whole batch, or of the same number of leaves for each sample.
    """
    if len(gradients) == 1 and count > 1:
        own = [gradients[0][index]]
    else:
        each = len(gradients) // count
        own = list(gradients[index * each : (index + 1) * each])
    return bool(loss[index].isfinite()) and all(bool(gradient.isfinite().all()) for gradient in own)


def _shrunk(mean: Tensor, most: Tensor) -> Tensor:
    """`mean` with each channel's deviation made as small as `most` [1, C, 1, 1], never larger."""
    deviation = mean.std((2, 3), keepdim=True)
    middle = mean.mean((2, 3), keepdim=True)
    return middle + (mean - middle) * (most / deviation.clamp(min=1e-12)).clamp(max=1)
