"""White balance: the colour of the light, by temperature and tint, or from a grey that is picked."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from editor.adjustments import tone_table
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

Plane = NDArray[np.float32]

_STOPS = 1.0  # red over blue at the end of the temperature's range, in stops to each side
_TINT_STOPS = 0.5


@dataclass(frozen=True, kw_only=True)
class WhiteBalance(Parameters):
    """Temperature from -100 (bluer) to 100 (warmer), tint from -100 (greener) to 100 (more magenta)."""

    temperature: float = param(0.0, N_("Adjustments", "Temperature"), min=-100, max=100, step=1)
    tint: float = param(0.0, N_("Adjustments", "Tint"), min=-100, max=100, step=1)


def apply(settings: WhiteBalance, planes: Plane, scale: float) -> Plane:
    """Gains of the channels in linear light (von Kries), at constant luminance of grey."""
    del scale
    if settings == WhiteBalance():
        return planes
    tables = _tables(settings)
    colour = [tone_table.looked_up(plane, table) for plane, table in zip(planes, tables)]
    return np.stack([*colour, planes[3]])


def from_grey(colour: tuple[float, float, float]) -> WhiteBalance:
    """The settings that make an encoded colour (0..1) grey, as far as their range goes.

    Raises:
        EditorError: a channel is black, so nothing can be said of the light.
    """
    light = [float(linear(np.array([value], np.float32))[0]) for value in colour]
    if min(light) <= 0:
        raise EditorError("This point is too dark to tell the colour of the light.", "Pick a lighter grey.")
    red, green, blue = (math.log2(value) for value in light)
    temperature = (blue - red) / 2 / _STOPS * 100
    tint = (green - (red + blue) / 2) / _TINT_STOPS * 100
    return WhiteBalance(temperature=min(100.0, max(-100.0, temperature)), tint=min(100.0, max(-100.0, tint)))


def linear(values: Plane) -> Plane:
    """sRGB's transfer curve undone."""
    low = values / np.float32(12.92)
    high = ((np.maximum(values, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(values <= 0.04045, low, high)


def encoded(values: Plane) -> Plane:
    """sRGB's transfer curve."""
    low = values * np.float32(12.92)
    high = np.float32(1.055) * np.maximum(values, 0) ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(values <= 0.0031308, low, high)


@lru_cache(maxsize=16)
def _tables(settings: WhiteBalance) -> tuple[Plane, ...]:
    light = linear(tone_table.inputs())
    gains = _gains(settings.temperature, settings.tint)
    return tuple(encoded(np.minimum(light * np.float32(gain), 1)).astype(np.float32) for gain in gains)


def _gains(temperature: float, tint: float) -> tuple[float, float, float]:
    warm, magenta = _STOPS * temperature / 100, _TINT_STOPS * tint / 100
    red, green, blue = 2**warm, 2**-magenta, 2**-warm
    grey = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return red / grey, green / grey, blue / grey
