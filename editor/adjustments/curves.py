"""Curves: each value becomes what a smooth curve through the user's points says."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

Points = tuple[tuple[float, float], ...]
"""(input, output) in 0..1, inputs growing."""

STRAIGHT: Points = ((0.0, 0.0), (1.0, 1.0))
MOST_POINTS = 32
_TABLE = 4096


@dataclass(frozen=True, kw_only=True)
class Curves(Parameters):
    """One curve for all channels, and one for each."""

    combined: Points = param(STRAIGHT, N_("Adjustments", "All channels"), hidden=True, min=0, max=1)
    red: Points = param(STRAIGHT, N_("Adjustments", "Red"), hidden=True, min=0, max=1)
    green: Points = param(STRAIGHT, N_("Adjustments", "Green"), hidden=True, min=0, max=1)
    blue: Points = param(STRAIGHT, N_("Adjustments", "Blue"), hidden=True, min=0, max=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for declared in self.declared():
            _check(declared.declaration.label, getattr(self, declared.name))


def apply(settings: Curves, planes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """The channel's own curve first, then the one of all channels."""
    del scale
    result = planes.copy()
    for index, own in enumerate((settings.red, settings.green, settings.blue)):
        for points in (own, settings.combined):
            if points != STRAIGHT:
                result[index] = _looked_up(result[index], _table(points))
    return result


def curve(points: Points, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve's values, clipped to 0..1: monotone cubic (Fritsch and Carlson 1980), flat beyond its ends.

    Between two points it never leaves their range, so that no hand-set curve overshoots.
    """
    x, y = np.array(points, np.float64).T
    if len(x) == 1:
        return np.full_like(at, y[0])
    slopes = _slopes(x, y)
    place = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    width = np.diff(x)[place]
    t = np.clip((at - x[place]) / width, 0, 1)
    rest = 1 - t
    value = (1 + 2 * t) * rest**2 * y[place] + t * rest**2 * width * slopes[place]
    value += t**2 * (3 - 2 * t) * y[place + 1] - t**2 * rest * width * slopes[place + 1]
    return np.clip(value, 0, 1)


def sampled(points: Points, count: int) -> list[float]:
    """The curve's values at `count` places from 0 to 1."""
    return curve(points, np.linspace(0, 1, count)).tolist()


def _slopes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    secants = np.diff(y) / np.diff(x)
    slopes = np.concatenate([secants[:1], (secants[:-1] + secants[1:]) / 2, secants[-1:]])
    for index, secant in enumerate(secants):
        if secant == 0 or (index and secants[index - 1] * secant <= 0):
            slopes[index] = 0
        if secant == 0:
            slopes[index + 1] = 0
            continue
        a, b = slopes[index] / secant, slopes[index + 1] / secant
        a, b = max(a, 0.0), max(b, 0.0)
        length = np.hypot(a, b)
        if length > 3:
            a, b = 3 * a / length, 3 * b / length
        slopes[index], slopes[index + 1] = a * secant, b * secant
    return slopes


@lru_cache(maxsize=64)
def _table(points: Points) -> NDArray[np.float32]:
    return curve(points, np.linspace(0, 1, _TABLE)).astype(np.float32)


def _looked_up(values: NDArray[np.float32], table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear between the table's entries."""
    place = np.clip(values, 0, 1) * np.float32(_TABLE - 1)
    index = np.minimum(place.astype(np.int32), _TABLE - 2)
    share = place - index
    low = table[index]
    return np.asarray(low + (table[index + 1] - low) * share, np.float32)


def _check(name: str, given: object) -> None:
    if not isinstance(given, tuple) or not 1 <= len(cast("tuple[object, ...]", given)) <= MOST_POINTS:
        raise EditorError("The curve of “{name}” needs 1 to {most} points.", name=name, most=MOST_POINTS)
    points = cast("tuple[object, ...]", given)
    for point in points:
        if not _is_point(point):
            raise EditorError(
                "A point of the curve of “{name}” is {point}: allowed is 0 to 1.",
                name=name,
                point=repr(point),
            )
    if any(second[0] <= first[0] for first, second in pairwise(cast("Points", points))):
        raise EditorError("The points of the curve of “{name}” must go from left to right.", name=name)


def _is_point(given: object) -> bool:
    if not isinstance(given, tuple):
        return False
    point = cast("tuple[object, ...]", given)
    return len(point) == 2 and all(isinstance(v, int | float) and 0 <= v <= 1 for v in point)
