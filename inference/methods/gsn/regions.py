"""The main region of an attention map: the places around its peak that stand out from the rest.

Maps are [N, h, w], float, 0..1. No gradient flows through a region.
"""

import torch
from torch import Tensor
from torch.nn import functional

_LEVELS = 256


def around_peak(seen: Tensor) -> Tensor:
    """The connected places (4 neighbours) around the maximum that reach Otsu's threshold: bool [N, h, w].

    A place reaches the threshold as InitNO (arXiv:2404.04650) counts it: at the lower class's last level or
    above.
    """
    standing = seen >= otsu(seen)[:, None, None] / (_LEVELS - 1)
    peak = seen.flatten(1).argmax(1)
    region = functional.one_hot(peak, seen[0].numel()).bool().reshape(seen.shape)
    while True:
        grown = _with_neighbours(region) & standing | region
        if torch.equal(grown, region):
            return region
        region = grown


def otsu(seen: Tensor) -> Tensor:
    """Otsu's threshold of each map in 256 levels: the level t in 0..255 after which the classes part: [N].

    The first t that makes q₁·q₂·(m₁ - m₂)² largest, with q and m the share and mean level of the places up to
    t and above it (Otsu 1979); 0 for a map of one level.
    """
    levels = (seen.flatten(1).clamp(0, 1) * (_LEVELS - 1)).long()
    counts = torch.zeros(len(seen), _LEVELS, dtype=torch.float64, device=levels.device)
    counts.scatter_add_(1, levels, torch.ones_like(levels, dtype=counts.dtype))
    below = counts.cumsum(1)
    mass = (counts * torch.arange(_LEVELS, device=counts.device)).cumsum(1)
    above = below[:, -1:] - below
    mean_below = mass / below.clamp(min=1)
    mean_above = (mass[:, -1:] - mass) / above.clamp(min=1)
    return (below * above * (mean_below - mean_above).square()).argmax(1)


def _with_neighbours(region: Tensor) -> Tensor:
    grown = region.clone()
    grown[:, 1:] |= region[:, :-1]
    grown[:, :-1] |= region[:, 1:]
    grown[:, :, 1:] |= region[:, :, :-1]
    grown[:, :, :-1] |= region[:, :, 1:]
    return grown
