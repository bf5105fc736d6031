"""Brightness and contrast."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.parameters import N_, Parameters, param


@dataclass(frozen=True, kw_only=True)
class BrightnessContrast(Parameters):
    """Both from -100 to 100, 0 changes nothing."""

    brightness: float = param(0.0, N_("Adjustments", "Brightness"), min=-100, max=100, step=1)
    contrast: float = param(0.0, N_("Adjustments", "Contrast"), min=-100, max=100, step=1)


def apply(settings: BrightnessContrast, planes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Towards white or black by brightness; then ½ + (C - ½)·tan((contrast + 1)·π/4), clipped to 0..1."""
    del scale
    if settings == BrightnessContrast():
        return planes
    colour, share = planes[:3], np.float32(abs(settings.brightness) / 100)
    target = np.float32(settings.brightness > 0)
    brightened = colour + (target - colour) * share
    # steeper than this, every value is black or white already
    angle = min((settings.contrast / 100 + 1) * math.pi / 4, math.pi / 2 - 1e-3)
    stretched = (brightened - np.float32(0.5)) * np.float32(math.tan(angle)) + np.float32(0.5)
    return np.concatenate([np.clip(stretched, 0, 1), planes[3:]], dtype=np.float32)
