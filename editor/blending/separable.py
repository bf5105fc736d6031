"""B(Cb, Cs) of the modes that treat each channel by itself."""

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

ONE = np.float32(1)


def multiply(cb: Planes, cs: Planes) -> Planes:
    return cb * cs


def screen(cb: Planes, cs: Planes) -> Planes:
    return np.subtract(cb + cs, cb * cs)


def hard_light(cb: Planes, cs: Planes) -> Planes:
    twice = cs + cs
    return np.where(cs <= 0.5, multiply(cb, twice), screen(cb, twice - ONE))


def overlay(cb: Planes, cs: Planes) -> Planes:
    return hard_light(cs, cb)


def colour_dodge(cb: Planes, cs: Planes) -> Planes:
    quotient = np.divide(cb, 1 - cs, out=np.ones_like(cb), where=cs < 1)
    return np.where(cb == 0, np.float32(0), np.minimum(quotient, 1))


def colour_burn(cb: Planes, cs: Planes) -> Planes:
    quotient = np.divide(1 - cb, cs, out=np.ones_like(cb), where=cs > 0)
    return np.where(cb == 1, ONE, 1 - np.minimum(quotient, 1))


def linear_burn(cb: Planes, cs: Planes) -> Planes:
    return np.maximum(cb + cs - ONE, 0)


def soft_light(cb: Planes, cs: Planes) -> Planes:
    curve = np.where(cb <= 0.25, ((16 * cb - 12) * cb + 4) * cb, np.sqrt(cb))
    darker = cb - (1 - 2 * cs) * cb * (1 - cb)
    return np.where(cs <= 0.5, darker, cb + (2 * cs - 1) * (curve - cb))


def vivid_light(cb: Planes, cs: Planes) -> Planes:
    """Colour burn by 2·Cs below one half, colour dodge by 2·Cs - 1 above."""
    twice = cs + cs
    return np.where(
        cs <= 0.5, colour_burn(cb, np.minimum(twice, 1)), colour_dodge(cb, np.maximum(twice - ONE, 0))
    )


def linear_light(cb: Planes, cs: Planes) -> Planes:
    return np.clip(cb + cs + cs - ONE, 0, 1)


def pin_light(cb: Planes, cs: Planes) -> Planes:
    twice = cs + cs
    return np.where(cs <= 0.5, np.minimum(cb, twice), np.maximum(cb, twice - ONE))


def hard_mix(cb: Planes, cs: Planes) -> Planes:
    """1 where the two add up to more than one, else 0."""
    return (cb + cs > ONE).astype(np.float32)


def difference(cb: Planes, cs: Planes) -> Planes:
    return np.abs(cb - cs)


def exclusion(cb: Planes, cs: Planes) -> Planes:
    return np.subtract(cb + cs, 2 * cb * cs)


def subtract(cb: Planes, cs: Planes) -> Planes:
    return np.maximum(cb - cs, 0)


def divide(cb: Planes, cs: Planes) -> Planes:
    """Cb / Cs; by nothing: 1, but 0 over 0."""
    quotient = np.divide(cb, cs, out=np.ones_like(cb), where=cs > 0)
    return np.where((cb == 0) & (cs == 0), np.float32(0), np.minimum(quotient, 1))
