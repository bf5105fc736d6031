"""Black and white by the weights of the channels, with a tint if wanted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.adjustments.hue_saturation import from_hsl
from inference.parameters import N_, Parameters, param


@dataclass(frozen=True, kw_only=True)
class BlackAndWhite(Parameters):
    """Weights in percent; the tint's hue in degrees, its strength in percent."""

    red: float = param(30.0, N_("Adjustments", "Red"), min=-200, max=300, step=1)
    green: float = param(59.0, N_("Adjustments", "Green"), min=-200, max=300, step=1)
    blue: float = param(11.0, N_("Adjustments", "Blue"), min=-200, max=300, step=1)
    tint: bool = param(False, N_("Adjustments", "Tint"))
    tint_hue: float = param(35.0, N_("Adjustments", "Tint hue"), min=0, max=360, step=1)
    tint_strength: float = param(20.0, N_("Adjustments", "Tint strength"), min=0, max=100, step=1)


def apply(settings: BlackAndWhite, planes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Grey = clip(Σ weight·C); tinted, that grey is HSL's lightness."""
    del scale
    weights = (settings.red, settings.green, settings.blue)
    mixed = sum(np.float32(weight / 100) * plane for weight, plane in zip(weights, planes))
    grey = np.clip(np.asarray(mixed, np.float32), 0, 1)
    if settings.tint:
        hue = np.full_like(grey, settings.tint_hue / 360)
        colour = from_hsl(hue, np.full_like(grey, settings.tint_strength / 100), grey)
    else:
        colour = np.stack([grey, grey, grey])
    return np.concatenate([colour, planes[3:]])
