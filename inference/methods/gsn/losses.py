"""Losses on attention maps; each gives one number per sample, the smaller the better.

Maps are [N, h, w] per word, float32, not negative. Equations: arXiv:2504.17525, eqs. 3-4 (neglect, overlap);
2307.10864 (variation, binding); 2306.08877 (agreement, separation); 2404.04650 (conflict, divergence).
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

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
    """1 - the least subject's total variation over (h + w): [N].

    The variation of a rectangle of ones that is half as wide and high as the map is h + w, so 0 means that
    the least subject stands out like that; more, or several, excitations go below.
    """
    scale = sum(maps[0].shape[1:])
    return 1 - torch.stack([_total_variation(seen) for seen in maps]).amin(0) / scale


def binding(pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Mean Jensen-Shannon divergence of each (noun, modifier) as distributions over places: [N]."""
    return torch.stack([_jensen_shannon(_spread(noun), _spread(word)) for noun, word in pairs]).mean(0)


def agreement(groups: Sequence[Sequence[Tensor]]) -> Tensor:
    """SynGen's L_pos: Σ over subjects of the mean divergence of its noun (last) and its modifiers: [N]."""
    terms = [
        torch.stack([_symmetric_divergence(_spread(group[-1]), _spread(word)) for word in group[:-1]]).mean(0)
        for group in groups
        if len(group) > 1
    ]
    return torch.stack(terms).sum(0) if terms else groups[0][0].new_zeros(len(groups[0][0]))


def separation(groups: Sequence[Sequence[Tensor]], others: Sequence[Tensor]) -> Tensor:
    """SynGen's L_neg: -Σ over subjects of its words' mean divergence from all words outside of it: [N].

    `others`: the maps of the words that belong to no subject.
    """
    terms: list[Tensor] = []
    for group in groups:
        outside = [word for other in groups if other is not group for word in other] + list(others)
        distances = [
            _symmetric_divergence(_spread(inner), _spread(outer)) for inner in group for outer in outside
        ]
        if distances:
            terms.append(torch.stack(distances).mean(0))
    return -torch.stack(terms).sum(0) if terms else groups[0][0].new_zeros(len(groups[0][0]))


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, s²) ‖ N(0, 1)), the mean over all numbers of a sample: [N, C, h, w] each → [N]."""
    terms = mean.square() + log_variance.exp() - 1 - log_variance
    return 0.5 * terms.flatten(1).mean(1)


def _total_variation(seen: Tensor) -> Tensor:
    down, right = seen.diff(dim=1).abs(), seen.diff(dim=2).abs()
    return down.flatten(1).sum(1) + right.flatten(1).sum(1)


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
