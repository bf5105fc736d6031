"""Sharpen by an unsharp mask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.adjustments import gaussian_blur
from inference.parameters import N_, Parameters, param


@dataclass(frozen=True, kw_only=True)
class Sharpen(Parameters):
    """Radius in pixels of the document, amount in percent; smaller differences than the threshold stay."""

    radius: float = param(1.5, N_("Adjustments", "Radius (px)"), min=0.1, max=100, step=0.1)
    amount: float = param(80.0, N_("Adjustments", "Amount (%)"), min=0, max=500, step=1)
    threshold: float = param(0.0, N_("Adjustments", "Threshold"), min=0, max=255, step=1)


def apply(settings: Sharpen, planes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """C + amount·(C - blurred C) where they differ by the threshold (of 255) or more; alpha stays."""
    deviation = settings.radius * scale
    if settings.amount == 0 or deviation < 0.05:
        return planes
    difference = planes[:3] - gaussian_blur.blurred(planes, deviation)[:3]
    if settings.threshold:
        difference *= np.abs(difference) >= np.float32(settings.threshold / 255)
    sharpened = planes[:3] + difference * np.float32(settings.amount / 100)
    return np.concatenate([np.clip(sharpened, 0, 1), planes[3:]], dtype=np.float32)


def reach_px(settings: Sharpen) -> int:
    return (
        gaussian_blur.reach_px(gaussian_blur.GaussianBlur(radius=settings.radius)) if settings.amount else 0
    )
