"""Losses on attention maps; each gives one number per sample, the smaller the better.

Maps are [N, h, w] per word, float32, not negative. Equations: arXiv:2504.17525, eqs. 3-4 (neglect, overlap);
2307.10864 (variation, binding); 2306.08877 (agreement, separation); 2404.04650 (divergence, strays).
"""

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from inference.methods.gsn.regions import around_peak

_TINY = 1e-12


def neglect(maps: Sequence[Tensor]) -> Tensor:
    """L_CN = max over subjects of (1 - max A_s): [N]. Also the loss of Attend & Excite."""
    return torch.stack([1 - seen.flatten(1).amax(1) for seen in maps]).amax(0)


def overlap(maps: Sequence[Tensor]) -> Tensor:
    """L_IoU = mean over pairs of Σmin(A_m, A_n) / Σ(A_m + A_n): [N], 0 for a single subject."""
    if len(maps) < 2:
        return maps[0].new_zeros(len(maps[0]))
    shared = [
        torch.minimum(a, b).flatten(1).sum(1) / (a + b).flatten(1).sum(1).clamp(min=_TINY)
        for a, b in itertools.combinations(maps, 2)
    ]
    return torch.stack(shared).mean(0)


def variation(maps: Sequence[Tensor]) -> Tensor:
    """1 - the least subject's total variation: [N]. The loss of Divide & Bind, and what its thresholds mean.

    The variation is the mean |difference| of neighbours above each other plus that of neighbours side by
    side, 0..2 on maps of 0..1: the same contrast counts as much in maps of any size.
    """
    return 1 - torch.stack([_total_variation(seen) for seen in maps]).amin(0)


def binding(pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Mean Jensen-Shannon divergence of each (noun, modifier) as distributions over places: [N]."""
    return torch.stack([_jensen_shannon(_spread(noun), _spread(word)) for noun, word in pairs]).mean(0)


def agreement(groups: Sequence[Sequence[Tensor]]) -> Tensor:
    """SynGen's L_pos: Σ over subjects, Σ over pairs of modifier m and noun n of dist(A_m, A_n): [N].

    A group's noun is its last map. dist is the symmetric divergence ½·KL(a ‖ b) + ½·KL(b ‖ a) over places.
    """
    terms = [
        _symmetric_divergence(_spread(modifier), _spread(group[-1]))
        for group in groups
        for modifier in group[:-1]
    ]
    return torch.stack(terms).sum(0) if terms else groups[0][0].new_zeros(len(groups[0][0]))


def separation(groups: Sequence[Sequence[Tensor]], others: Sequence[Tensor]) -> Tensor:
    """SynGen's L_neg: -Σ over subjects, 1/|U|·Σ_(m, n)·Σ_u ½·(dist(A_m, A_u) + dist(A_u, A_n)): [N].

    (m, n) are the subject's pairs of modifier and noun; a noun without modifiers makes the pair (n, n). U are
    all words outside the subject: those of other subjects, and `others`, which belong to none.
    """
    terms: list[Tensor] = []
    for group in groups:
        outside = [word for other in groups if other is not group for word in other] + list(others)
        far = [
            torch.stack([_symmetric_divergence(_spread(word), _spread(outer)) for outer in outside]).mean(0)
            for word in (group if outside else ())
        ]
        terms += [0.5 * (far[modifier] + far[-1]) for modifier in _modifiers(len(far))]
    return -torch.stack(terms).sum(0) if terms else groups[0][0].new_zeros(len(groups[0][0]))


def strays(maps: Sequence[Tensor]) -> Tensor:
    """InitNO's clean loss: Σ over subjects of the strongest excitation apart from its main region: [N].

    The main region holds the subject's peak (`regions.around_peak`). What lies apart counts where it is
    stronger than the weakest place of that region.
    """
    terms: list[Tensor] = []
    for seen in maps:
        inside = around_peak(seen.detach())
        apart = (seen * ~inside).flatten(1).amax(1)
        weakest = torch.where(inside, seen, 1).flatten(1).amin(1)
        terms.append(torch.where(apart > weakest, apart, 0 * apart))
    return torch.stack(terms).sum(0)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, s²) ‖ N(0, 1)), the mean over all numbers of a sample: [N, C, h, w] each → [N]."""
    terms = mean.square() + log_variance.exp() - 1 - log_variance
    return 0.5 * terms.flatten(1).mean(1)


def _total_variation(seen: Tensor) -> Tensor:
    found = seen.new_zeros(len(seen))
    for axis in (1, 2):
        if seen.shape[axis] > 1:  # else nobody has a neighbour there
            found = found + seen.diff(dim=axis).abs().flatten(1).mean(1)
    return found


def _modifiers(words: int) -> Iterator[int]:
    """Which of a subject's `words` make pairs with the noun, the last: its modifiers, or else the noun."""
    yield from range(words - 1) if words > 1 else range(words)


def _spread(seen: Tensor) -> Tensor:
    """A map as a distribution over places: [N, h · w]."""
    flat = seen.flatten(1)
    return flat / flat.sum(1, keepdim=True).clamp(min=_TINY)


def _kl(p: Tensor, q: Tensor) -> Tensor:
    return (p * ((p + _TINY).log() - (q + _TINY).log())).sum(1)


def _symmetric_divergence(p: Tensor, q: Tensor) -> Tensor:
    return 0.5 * (_kl(p, q) + _kl(q, p))


def _jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    middle = 0.5 * (p + q)
    return 0.5 * (_kl(p, middle) + _kl(q, middle))
