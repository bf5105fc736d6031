"""B(Cb, Cs) of the modes that mix the channels: W3C "Compositing and Blending Level 1", section 10.2.

Lum(C) = 0.3·R + 0.59·G + 0.11·B        Sat(C) = max(C) - min(C)
"""

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

_RED, _GREEN, _BLUE = np.float32(0.3), np.float32(0.59), np.float32(0.11)


def hue(cb: Planes, cs: Planes) -> Planes:
    return _with_lum(_with_sat(cs, _sat(cb)), _lum(cb))


def saturation(cb: Planes, cs: Planes) -> Planes:
    return _with_lum(_with_sat(cb, _sat(cs)), _lum(cb))


def colour(cb: Planes, cs: Planes) -> Planes:
    return _with_lum(cs, _lum(cb))


def luminosity(cb: Planes, cs: Planes) -> Planes:
    return _with_lum(cb, _lum(cs))


def darker_colour(cb: Planes, cs: Planes) -> Planes:
    """The colour with the smaller Lum; the backdrop where both are equal."""
    return np.where(_lum(cs) < _lum(cb), cs, cb)


def lighter_colour(cb: Planes, cs: Planes) -> Planes:
    """The colour with the larger Lum; the backdrop where both are equal."""
    return np.where(_lum(cs) > _lum(cb), cs, cb)


def _lum(c: Planes) -> Planes:
    return _RED * c[0] + _GREEN * c[1] + _BLUE * c[2]


def _sat(c: Planes) -> Planes:
    return c.max(axis=0) - c.min(axis=0)


def _with_lum(c: Planes, wanted: Planes) -> Planes:
    """SetLum, with ClipColor."""
    shifted = c + (wanted - _lum(c))
    lum = _lum(shifted)
    low, high = shifted.min(axis=0), shifted.max(axis=0)
    # the smallest channel goes to 0, then the largest to 1, both towards the grey of the same Lum
    scale = np.divide(lum, lum - low, out=np.ones_like(lum), where=low < 0)
    clipped = np.where(low < 0, lum + (shifted - lum) * scale, shifted)
    scale = np.divide(1 - lum, high - lum, out=np.ones_like(lum), where=high > 1)
    clipped = np.where(high > 1, lum + (clipped - lum) * scale, clipped)
    return np.clip(clipped, 0, 1)


def _with_sat(c: Planes, wanted: Planes) -> Planes:
    """SetSat: the channels spread so that the smallest is 0 and the largest `wanted`."""
    low = c.min(axis=0)
    spread = c.max(axis=0) - low
    factor = np.divide(wanted, spread, out=np.zeros_like(spread), where=spread > 0)
    return (c - low) * factor
