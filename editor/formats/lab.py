"""CIE L*a*b* under D50, as files hold it, in sRGB (CIE 15:2004, section 8.2.1; IEC 61966-2-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editor.pixels.raster import Samples

_D50 = np.array([0.9642, 1.0, 0.8249], np.float32)
_TO_LINEAR = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ],
    np.float32,
)
"""XYZ under D50 to linear sRGB, adapted by Bradford's matrix."""
_LINEAR_BELOW = 6 / 29
_BAND_ROWS = 128


def lab_to_srgb(
    stored: NDArray[Any], values: Callable[[NDArray[Any]], NDArray[np.float32]], *, deep: bool
) -> Samples:
    """sRGB samples [H, W, 3], of 16 bits if `deep`; `values` makes L 0..100, a and b of stored rows."""
    kind = np.uint16 if deep else np.uint8
    result: Any = np.empty((*stored.shape[:2], 3), kind)
    top = np.float32(np.iinfo(kind).max)
    for first in range(0, len(stored), _BAND_ROWS):
        encoded = _srgb_of(values(stored[first : first + _BAND_ROWS]))
        result[first : first + _BAND_ROWS] = encoded * top + np.float32(0.5)
    return result


def _srgb_of(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    middle = (lab[..., 0] + 16) / 116
    roots = np.stack([middle + lab[..., 1] / 500, middle, middle - lab[..., 2] / 200], axis=-1)
    straight = 3 * _LINEAR_BELOW**2 * (roots - 4 / 29)
    light = np.clip((np.where(roots > _LINEAR_BELOW, roots**3, straight) * _D50) @ _TO_LINEAR.T, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
