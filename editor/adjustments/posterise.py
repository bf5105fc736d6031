"""Posterise: few values a channel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.parameters import N_, Parameters, param


@dataclass(frozen=True, kw_only=True)
class Posterise(Parameters):
    """How many values each channel may take."""

    levels: int = param(4, N_("Adjustments", "Levels"), min=2, max=255)


def apply(settings: Posterise, planes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """min(⌊C·n⌋, n - 1) / (n - 1)"""
    del scale
    count = np.float32(settings.levels)
    steps = np.minimum(np.floor(planes[:3] * count), count - 1)
    return np.concatenate([steps / (count - 1), planes[3:]], dtype=np.float32)
