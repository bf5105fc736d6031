"""B(Cb, Cs) of the modes that treat each channel by itself.

Each function writes its result into `out` and may use `spare`; both have the shape of the colours and share
no memory with them or each other. Nothing is allocated: fresh memory would cost more than the arithmetic.
"""

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

ONE = np.float32(1)
_TWO = np.float32(2)
_TINY = np.float32(
    1e-30
)  # in place of a divisor of 0: what is divided is 0 as well, or the result is cut at 1


def darken(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.minimum(cb, cs, out=out)


def lighten(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.maximum(cb, cs, out=out)


def multiply(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.multiply(cb, cs, out=out)


def screen(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """Cb + Cs - Cb·Cs"""
    np.multiply(cb, cs, out=spare)
    np.add(cb, cs, out=out)
    out -= spare


def hard_light(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """Multiply by 2·Cs up to one half, screen with 2·Cs - 1 above.

    With m = max(2·Cs - 1, 0) both are m + 2·Cb·(Cs - m).
    """
    _upper_half(cs, out)
    np.subtract(cs, out, out=spare)
    spare *= cb
    spare *= _TWO
    out += spare


def overlay(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    hard_light(cs, cb, out, spare)


def colour_dodge(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """min(1, Cb / (1 - Cs)); 0 where Cb is 0."""
    np.subtract(ONE, cs, out=spare)
    np.maximum(spare, _TINY, out=spare)
    np.divide(cb, spare, out=out)
    np.minimum(out, ONE, out=out)


def colour_burn(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """1 - min(1, (1 - Cb) / Cs); 1 where Cb is 1."""
    np.maximum(cs, _TINY, out=spare)
    np.subtract(ONE, cb, out=out)
    out /= spare
    np.minimum(out, ONE, out=out)
    np.subtract(ONE, out, out=out)


def linear_dodge(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.add(cb, cs, out=out)
    np.minimum(out, ONE, out=out)


def linear_burn(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.add(cb, cs, out=out)
    out -= ONE
    np.maximum(out, 0, out=out)


def soft_light(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """Cb + u·(D(Cb) - Cb) where u = 2·Cs - 1 is positive, Cb + u·Cb·(1 - Cb) where it is negative."""
    np.sqrt(cb, out=out)
    np.multiply(cb, np.float32(16), out=spare)
    spare -= np.float32(12)
    spare *= cb
    spare += np.float32(4)
    spare *= cb
    np.copyto(out, spare, where=cb <= np.float32(0.25))
    out -= cb
    _upper_half(cs, spare)
    out *= spare
    np.multiply(cs, _TWO, out=spare)
    spare -= ONE
    np.minimum(spare, 0, out=spare)
    spare *= cb
    out += spare
    spare *= cb
    out -= spare
    out += cb


def vivid_light(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """Colour burn by 2·Cs up to one half, colour dodge by 2·Cs - 1 above; the other one gives Cb there."""
    np.multiply(cs, _TWO, out=spare)
    np.clip(spare, _TINY, ONE, out=spare)
    np.subtract(ONE, cb, out=out)
    out /= spare
    np.minimum(out, ONE, out=out)
    _upper_half(cs, spare)
    np.subtract(ONE, spare, out=spare)
    np.maximum(spare, _TINY, out=spare)
    np.divide(cb, spare, out=spare)
    np.minimum(spare, ONE, out=spare)
    spare -= cb
    spare += ONE
    np.subtract(spare, out, out=out)
    np.clip(out, 0, ONE, out=out)


def linear_light(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.add(cs, cs, out=out)
    out += cb
    out -= ONE
    np.clip(out, 0, ONE, out=out)


def pin_light(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """Darken by 2·Cs up to one half, lighten by 2·Cs - 1 above: max(min(Cb, 2·Cs), 2·Cs - 1)"""
    np.add(cs, cs, out=spare)
    np.minimum(cb, spare, out=out)
    spare -= ONE
    np.maximum(out, spare, out=out)


def hard_mix(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """1 where the two add up to more than one, else 0."""
    np.add(cb, cs, out=spare)
    out[:] = spare > ONE


def difference(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.subtract(cb, cs, out=out)
    np.abs(out, out=out)


def exclusion(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """Cb + Cs - 2·Cb·Cs"""
    np.multiply(cb, cs, out=spare)
    spare *= _TWO
    np.add(cb, cs, out=out)
    out -= spare


def subtract(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    del spare
    np.subtract(cb, cs, out=out)
    np.maximum(out, 0, out=out)


def divide(cb: Planes, cs: Planes, out: Planes, spare: Planes) -> None:
    """min(1, Cb / Cs); by nothing: 1, but 0 over 0."""
    np.maximum(cs, _TINY, out=spare)
    np.divide(cb, spare, out=out)
    np.minimum(out, ONE, out=out)


def _upper_half(cs: Planes, out: Planes) -> None:
    """max(2·Cs - 1, 0)"""
    np.add(cs, cs, out=out)
    out -= ONE
    np.maximum(out, 0, out=out)
