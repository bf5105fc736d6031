"""The outline of what attention shows only roughly: its map, led along the edges of the picture.

A guided filter (He, Sun and Tang, IEEE TPAMI 35(6), 2013) with colours as its guide: in each window the map
is to be a linear function of the picture's colour, so that it changes where the colour does.

    q = Σ_windows mean(a)·I + mean(b),      a = (cov(I) + ε)⁻¹ cov(I, p),      b = mean(p) - a·mean(I)

The windows reach one cell of the map to every side: that is how far it may be off. The coefficients are found
at a smaller size and used at the picture's (the fast guided filter, arXiv:1505.00996).
"""

from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

# Of colours in 0..1: differences below its root are no edges.
SMOOTHING = 1e-3
_CELL_PX = 16  # finer than this a cell of the map is not looked at


def outlined(seen: Tensor, picture: Tensor) -> Tensor:
    """A map [h, w] at the size of a picture [3, H, W] in 0..1, and along its edges: [H, W]."""
    height, width = picture.shape[-2:]
    cell = max(height / seen.shape[0], width / seen.shape[1])
    factor = max(1, int(cell // _CELL_PX))
    small = (max(1, height // factor), max(1, width // factor))
    guide = functional.interpolate(picture[None].double(), size=small, mode="area")
    rough = functional.interpolate(
        seen[None, None].double(), size=small, mode="bilinear", align_corners=False
    )
    slopes, rest = _coefficients(guide, rough, max(1, round(cell / factor)))
    slopes, rest = (
        functional.interpolate(one, size=(height, width), mode="bilinear", align_corners=False)
        for one in (slopes, rest)
    )
    return ((slopes * picture[None].double()).sum(1) + rest[:, 0])[0].to(seen.dtype)


def _coefficients(guide: Tensor, rough: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """Slopes [1, 3, h, w] and intercepts [1, 1, h, w], each the mean over the windows that hold a pixel."""
    mean, mean_rough = _window(guide, radius), _window(rough, radius)
    together = _window(guide * rough, radius) - mean * mean_rough
    pairs = (guide[:, :, None] * guide[:, None]).flatten(1, 2)
    spread = _window(pairs, radius) - (mean[:, :, None] * mean[:, None]).flatten(1, 2)
    matrices = spread[0].flatten(1).mT.reshape(-1, 3, 3) + SMOOTHING * torch.eye(3).to(spread)
    solved = cast("Tensor", torch.linalg.solve(matrices, together[0].flatten(1).mT))  # pyright: ignore[reportUnknownMemberType]
    slopes = solved.mT.reshape(mean.shape)
    rest = mean_rough - (slopes * mean).sum(1, keepdim=True)
    return _window(slopes, radius), _window(rest, radius)


def _window(values: Tensor, radius: int) -> Tensor:
    """Means over squares of 2·radius + 1, of what of each lies inside of the picture."""
    for kernel, padding in (((2 * radius + 1, 1), (radius, 0)), ((1, 2 * radius + 1), (0, radius))):
        values = functional.avg_pool2d(values, kernel, stride=1, padding=padding, count_include_pad=False)
    return values
