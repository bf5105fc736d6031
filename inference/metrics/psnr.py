"""Peak signal-to-noise ratio of 8-bit pictures."""

import numpy as np
from numpy.typing import NDArray

from inference.request import Pixels

IDENTICAL_DB = 100.0  # what identical pictures count as, so that means stay finite


def psnr(first: Pixels, second: Pixels, mask: NDArray[np.bool_] | None = None) -> float:
    """10·log10(255² / MSE) in dB over the pixels of `mask` [H, W], or all.

    Raises:
        ValueError: the shapes differ, or the mask selects nothing.
    """
    if first.shape != second.shape:
        raise ValueError(f"pictures of {first.shape} and {second.shape} cannot be compared")
    difference = (first.astype(np.float64) - second.astype(np.float64)) ** 2
    if mask is not None:
        difference = difference[mask]
    if difference.size == 0:
        raise ValueError("the mask selects no pixel")
    error = float(difference.mean())
    return IDENTICAL_DB if error == 0 else min(IDENTICAL_DB, 10 * float(np.log10(255**2 / error)))
