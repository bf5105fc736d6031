"""Gaussian blur."""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from inference.parameters import N_, Parameters, param

Planes = NDArray[np.float32]

_EXACT_BELOW = 12.0  # standard deviation; beyond it three box filters are as good and do not grow with it
_SEEN = 3.0  # standard deviations that a kernel reaches


@dataclass(frozen=True, kw_only=True)
class GaussianBlur(Parameters):
    """The radius is the standard deviation, in pixels of the document."""

    radius: float = param(4.0, N_("Adjustments", "Radius (px)"), min=0, max=500, step=0.1)


def apply(settings: GaussianBlur, planes: Planes, scale: float) -> Planes:
    """Colours are weighted by alpha, which is blurred with them; edges of the planes repeat outwards."""
    deviation = settings.radius * scale
    if deviation < 0.05:
        return planes
    return blurred(planes, deviation)


def reach_px(settings: GaussianBlur) -> int:
    return _reach(settings.radius) if settings.radius else 0


def blurred(planes: Planes, deviation: float) -> Planes:
    """Straight RGBA planes [4, h, w] blurred by a standard deviation in their own pixels."""
    if (planes[3] == 1).all():
        return np.stack([*(_blurred(plane, deviation) for plane in planes[:3]), planes[3]])
    alpha = _blurred(planes[3], deviation)
    result = np.empty_like(planes)
    for index in range(3):
        weighted = _blurred(planes[index] * planes[3], deviation)
        result[index] = np.divide(weighted, alpha, out=np.zeros_like(alpha), where=alpha > 1e-6)
    result[3] = alpha
    return np.clip(result, 0, 1)


def _blurred(plane: Planes, deviation: float) -> Planes:
    import cv2

    if deviation < _EXACT_BELOW:
        side = 2 * math.ceil(_SEEN * deviation) + 1
        blurred_plane = cv2.GaussianBlur(
            np.ascontiguousarray(plane), (side, side), deviation, borderType=cv2.BORDER_REPLICATE
        )
        return cast("Planes", blurred_plane)
    result = np.ascontiguousarray(plane)
    for side in _boxes(deviation):
        result = cast("Planes", cv2.blur(result, (side, side), borderType=cv2.BORDER_REPLICATE))
    return result


def _boxes(deviation: float) -> list[int]:
    """Odd sides of three box filters whose variances, (side² - 1) / 12 each, add up to the Gaussian's."""
    ideal = math.sqrt(12 * deviation**2 / 3 + 1)
    small = math.floor(ideal)
    small -= 1 - small % 2
    count = round((12 * deviation**2 - 3 * small**2 - 12 * small - 9) / (-4 * small - 4))
    return [small if index < count else small + 2 for index in range(3)]


def _reach(deviation: float) -> int:
    if deviation < _EXACT_BELOW:
        return math.ceil(_SEEN * deviation)
    return sum(side // 2 for side in _boxes(deviation))
