"""Hue, saturation and lightness, of the colours that are there or of one colour for all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.parameters import N_, Parameters, param

Plane = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class HueSaturation(Parameters):
    """Hue in degrees; saturation and lightness from -100 to 100."""

    hue: float = param(0.0, N_("Adjustments", "Hue"), min=-180, max=180, step=1)
    saturation: float = param(0.0, N_("Adjustments", "Saturation"), min=-100, max=100, step=1)
    lightness: float = param(0.0, N_("Adjustments", "Lightness"), min=-100, max=100, step=1)
    colourise: bool = param(False, N_("Adjustments", "Colourise"))


def apply(settings: HueSaturation, planes: Plane, scale: float) -> Plane:
    """In HSL: hue turned, saturation times 1 + s; then towards white or black by the lightness.

    With `colourise`, hue is the given angle, saturation (s + 1) / 2 and HSL's lightness the colour's Lum.
    """
    del scale
    if settings == HueSaturation():
        return planes
    s = settings.saturation / 100
    if settings.colourise:
        lum = np.float32(0.3) * planes[0] + np.float32(0.59) * planes[1] + np.float32(0.11) * planes[2]
        hue = np.full_like(lum, settings.hue % 360 / 360)
        colour = from_hsl(hue, np.full_like(lum, (s + 1) / 2), lum)
    else:
        hue, saturation, lightness = to_hsl(planes[:3])
        hue = (hue + np.float32(settings.hue / 360)) % np.float32(1)
        colour = from_hsl(hue, np.minimum(saturation * np.float32(1 + s), 1), lightness)
    target = np.float32(settings.lightness > 0)
    colour += (target - colour) * np.float32(abs(settings.lightness) / 100)
    return np.concatenate([colour, planes[3:]])


def to_hsl(colour: Plane) -> tuple[Plane, Plane, Plane]:
    """Hue, saturation and lightness, each [h, w] in 0..1, of planes [3, h, w]."""
    high, low = colour.max(axis=0), colour.min(axis=0)
    spread, total = high - low, high + low
    lightness = total / 2
    room = np.minimum(total, 2 - total)
    saturation = np.divide(spread, room, out=np.zeros_like(spread), where=room > 0)
    red, green, blue = colour
    steps = np.select(
        [high == red, high == green],
        [(green - blue), (blue - red) + 2 * spread],
        (red - green) + 4 * spread,
    )
    hue = np.divide(steps, 6 * spread, out=np.zeros_like(spread), where=spread > 0) % np.float32(1)
    return hue, np.minimum(saturation, 1), lightness


def from_hsl(hue: Plane, saturation: Plane, lightness: Plane) -> Plane:
    """Planes [3, h, w] of hue, saturation and lightness in 0..1."""
    reach = saturation * np.minimum(lightness, 1 - lightness)
    channels: list[Plane] = []
    for offset in (0, 8, 4):
        k = (offset + hue * 12) % 12
        channels.append(lightness - reach * np.clip(np.minimum(k - 3, 9 - k), -1, 1))
    return np.stack(channels).astype(np.float32)
