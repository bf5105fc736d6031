"""B(Cb, Cs) of the modes that mix the channels: W3C "Compositing and Blending Level 1", section 10.2.

Lum(C) = 0.3·R + 0.59·G + 0.11·B        Sat(C) = max(C) - min(C)

SetLum puts the differences D = C - Lum(C) on another Lum, and SetSat scales them by the wanted Sat over C's.
A colour's channels are at most 1 apart, so ClipColor has one side to care for at most: D is scaled once, by

    k = min(1, Lum / -min(D), (1 - Lum) / max(D))

Functions write into `out` and use `spare`, as those of `separable` do.
"""

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

_RED, _GREEN, _BLUE = np.float32(0.3), np.float32(0.59), np.float32(0.11)
_ONE, _TINY = np.float32(1), np.float32(1e-30)


def hue(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    _with_saturation(cs, cb, cb, out, spare)


def saturation(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    _with_saturation(cb, cs, cb, out, spare)


def colour(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    _differences(cs, out, spare)
    _on_lum_of(cb, out, spare)


def luminosity(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    _differences(cb, out, spare)
    _on_lum_of(cs, out, spare)


def darker_colour(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """The colour with the smaller Lum; the backdrop where both are equal."""
    _lum(cs, spare[0], spare[2])
    _lum(cb, spare[1], spare[2])
    out[:] = cb
    np.copyto(out, cs, where=spare[0] < spare[1])


def lighter_colour(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """The colour with the larger Lum; the backdrop where both are equal."""
    _lum(cs, spare[0], spare[2])
    _lum(cb, spare[1], spare[2])
    out[:] = cb
    np.copyto(out, cs, where=spare[0] > spare[1])


def _with_saturation(c: Planes, like: Planes, lum_of: Planes, out: Planes, spare: Planes) -> None:
    """SetLum(SetSat(c, Sat(like)), Lum(lum_of))"""
    _differences(c, out, spare)
    _sat(c, spare[0], spare[2])
    np.maximum(spare[0], _TINY, out=spare[0])
    _sat(like, spare[1], spare[2])
    np.divide(spare[1], spare[0], out=spare[1])
    # a grey has no differences but those of rounding, which must not grow
    spare[1] *= spare[1] < np.float32(1e6)
    out *= spare[1]
    _on_lum_of(lum_of, out, spare)


def _differences(c: Planes, out: Planes, spare: Planes) -> None:
    _lum(c, spare[0], spare[1])
    np.subtract(c, spare[0], out=out)


def _on_lum_of(lum_of: Planes, out: Planes, spare: Planes) -> None:
    """SetLum and ClipColor of the differences in `out`."""
    lum, factor, bound = spare
    _lum(lum_of, lum, factor)
    np.minimum(out[0], out[1], out=bound)
    np.minimum(bound, out[2], out=bound)
    np.negative(bound, out=bound)
    np.maximum(bound, _TINY, out=bound)
    np.divide(lum, bound, out=factor)
    np.minimum(factor, _ONE, out=factor)
    out *= factor
    np.maximum(out[0], out[1], out=bound)
    np.maximum(bound, out[2], out=bound)
    np.maximum(bound, _TINY, out=bound)
    np.subtract(_ONE, lum, out=factor)
    factor /= bound
    np.minimum(factor, _ONE, out=factor)
    out *= factor
    out += lum
    np.clip(out, 0, _ONE, out=out)


def _lum(c: Planes, out: Planes, spare: Planes) -> None:
    np.multiply(c[0], _RED, out=out)
    np.multiply(c[1], _GREEN, out=spare)
    out += spare
    np.multiply(c[2], _BLUE, out=spare)
    out += spare


def _sat(c: Planes, out: Planes, spare: Planes) -> None:
    np.maximum(c[0], c[1], out=out)
    np.maximum(out, c[2], out=out)
    np.minimum(c[0], c[1], out=spare)
    np.minimum(spare, c[2], out=spare)
    out -= spare
