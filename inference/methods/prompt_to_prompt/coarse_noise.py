"""Noise whose coarse part is another one's.

What inversion leaves of a picture in the noise is mostly coarse, its colours above all; what is fine says
where its edges are. (FreeInit, arXiv:2312.07537, takes frequencies apart for the same reason, to keep what
here is to go.)
"""

from torch import Tensor
from torch.nn import functional

_BROADER_THAN = 8  # an eighth of the picture


def with_coarse_of(latents: Tensor, fresh: Tensor, place: Tensor, shares: Tensor) -> Tensor:
    """Noisy latents [N, C, h, w] with another noise's coarse part [1, C, h, w] in a place [1, 1, h, w].

    Args:
        shares: [N] in 0..1: of the coarse part, how much is the other's.
    """
    share = shares.to(latents)[:, None, None, None] * place.to(latents)
    own, other = _coarse(latents), _coarse(fresh.to(latents))
    return latents - own + (1 - share.square()).sqrt() * own + share * other


def _coarse(latents: Tensor) -> Tensor:
    radius = max(1, round(min(latents.shape[-2:]) / _BROADER_THAN))
    for _ in range(2):
        latents = functional.avg_pool2d(
            latents, 2 * radius + 1, stride=1, padding=radius, count_include_pad=False
        )
    return latents
