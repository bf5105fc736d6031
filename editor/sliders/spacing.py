"""A slider's track on which equal ways are equal changes of the picture, as far as the picture is usable.

The same α moves one picture a lot and another hardly, and most of a long track may show nothing new. From
the pictures at even values the distance of neighbours is measured; their running sum is a map from values to
places, and places that are even on it are where keyframes belong (the "elastic band" of arXiv:2603.17998).
Zero stays a keyframe, so each side of it is spaced by itself.

Where neighbours lie much further apart than usual, or the subject is no longer found, the picture breaks: the
track ends with that step.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from editor.layers.tracks import Track
from inference.request import Pixels

__all__ = ["Track", "distance", "linear", "track_of"]

BREAK = 3.0
"""So many times the median distance of neighbours is a break, …"""
LEAST_BREAK = 4.0
"""… if it is at least so large (ΔE of CIELAB): what nobody sees breaks nothing."""
LEAST_SHARE = 0.25  # of an even step: where nothing changes the track stays long enough to be held
_EVEN_ENOUGH = 0.3  # of a step
_BLUR_PX = 1.0  # noise and a pixel's shift are no change


def linear(minimum: float, maximum: float) -> Track:
    """Before anything is known."""
    return Track((minimum, maximum), (0.0, 1.0))


def track_of(
    values: Sequence[float], distances: Sequence[float], count: int, lost: Sequence[bool] = ()
) -> Track:
    """The track for pictures at rising `values`, of which neighbours lie `distances` apart.

    Args:
        count: of keyframes: zero gets a place that is one of theirs.
        lost: for each picture whether the subject is no longer found in it.

    Raises:
        ValueError: fewer than two values, or not one distance for each pair of neighbours.
    """
    if len(values) < 2 or len(distances) != len(values) - 1:
        raise ValueError(f"{len(values)} values and {len(distances)} distances")
    broken = _broken(distances)
    rest = _rest(values)
    if len(lost) == len(values) and not lost[rest]:  # where it is not found at rest, nothing was lost
        broken = [one or a != b for one, (a, b) in zip(broken, itertools.pairwise(lost), strict=True)]
    first, last = _usable(values, broken)
    kept, steps = list(values[first : last + 1]), list(distances[first:last])
    breaks = tuple((values[index] + values[index + 1]) / 2 for index in range(first, last) if broken[index])
    if not any(steps):
        return Track(tuple(kept), tuple(np.linspace(0, 1, len(kept)).tolist()), breaks)
    # a break is not worth more of the track than any other step
    usual = [step for step, bad in zip(steps, broken[first:last], strict=True) if not bad] or steps
    steps = [min(step, max(usual) or step) for step in steps]
    least = LEAST_SHARE * sum(steps) / len(steps)
    sums = [0.0, *itertools.accumulate(max(step, least) for step in steps)]
    places = _with_zero_on_grid(kept, sums, count)
    plain = [(value - kept[0]) / (kept[-1] - kept[0]) for value in kept]
    off = max(abs(one - other) for one, other in zip(places, plain, strict=True)) * (count - 1)
    zero = float(np.interp(0.0, kept, plain)) * (count - 1)
    if off < _EVEN_ENOUGH and abs(zero - round(zero)) < 1e-6:
        places = tuple(plain)  # the pictures that are there are as good as new ones
    return Track(tuple(kept), places, breaks)


def _broken(distances: Sequence[float]) -> list[bool]:
    limit = max(LEAST_BREAK, BREAK * statistics.median(distances))
    return [distance > limit for distance in distances]


def _rest(values: Sequence[float]) -> int:
    return min(range(len(values)), key=lambda index: abs(values[index]))


def _usable(values: Sequence[float], broken: Sequence[bool]) -> tuple[int, int]:
    """Indices of the first and the last value: from rest outwards up to the first break on each side."""
    rest = _rest(values)
    last = next((index + 1 for index in range(rest, len(broken)) if broken[index]), len(values) - 1)
    first = next((index for index in range(rest - 1, -1, -1) if broken[index]), 0)
    return first, last


def _with_zero_on_grid(values: Sequence[float], sums: Sequence[float], count: int) -> tuple[float, ...]:
    """Places of running sums, stretched on both sides so that zero lies on one of `count` even places."""
    total = sums[-1]
    places = [one / total for one in sums]
    if not values[0] < 0 < values[-1]:
        return tuple(places)
    zero = float(np.interp(0.0, values, places))
    grid = min(max(round(zero * (count - 1)), 1), count - 2) / (count - 1)
    return tuple(
        place / zero * grid if place <= zero else 1 - (1 - place) / (1 - zero) * (1 - grid)
        for place in places
    )


def distance(first: Pixels, second: Pixels) -> float:
    """How different two small pictures [h, w, 3 or 4] of one shape look: the mean ΔE of CIELAB, 0..100."""
    return float(np.linalg.norm(_lab(first) - _lab(second), axis=-1).mean())


def _lab(pixels: Pixels) -> NDArray[np.float32]:
    import cv2

    blurred = cv2.GaussianBlur(np.ascontiguousarray(pixels[..., :3]), (0, 0), _BLUR_PX)
    return np.asarray(cv2.cvtColor(blurred.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
