"""The way of a brush: pointer events become evenly spaced places along a smooth line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

_SEGMENT_PX = 3.0  # curves are walked in pieces of about this length
_SLOWEST = 0.04  # of the distance to the pointer that the brush goes at an event, at full smoothing
_NEAREST_PX = 0.25  # dabs are at least as far apart


class Place(NamedTuple):
    """Where the brush is, and how hard it is pressed (0..1)."""

    x: float
    y: float
    pressure: float = 1.0


class Path:
    """Follows the pointer.

    Between events the line is a chain of quadratic curves from middle to middle, so that it has no corners.
    `step` gives the distance to the next dab at a pressure.
    """

    def __init__(self, start: Place, smoothing: float, step: Callable[[float], float]) -> None:
        """smoothing: 0..1; how much the brush lags behind and evens out a shaky hand."""
        self._share = 1 - smoothing * (1 - _SLOWEST)
        self._step = step
        self._pointer = start  # where the pointer is
        self._corner = start  # where the smoothed line is
        self._drawn = start  # how far the line is walked
        self._ahead = 0.0  # distance from there to the next dab

    def begin(self) -> Iterator[Place]:
        """The first dab."""
        self._ahead = self._distance(self._corner.pressure)
        yield self._corner

    def follow(self, place: Place) -> Iterator[Place]:
        """The dabs that an event adds."""
        self._pointer = place
        new = _between(self._corner, place, self._share)
        middle = _between(self._corner, new, 0.5)
        yield from self._curve(self._corner, middle)
        self._corner = new

    def end(self) -> Iterator[Place]:
        """The rest, up to where the pointer is."""
        yield from self._curve(self._corner, self._corner)
        yield from self._line(self._pointer)

    def line_to(self, place: Place) -> Iterator[Place]:
        """A straight line."""
        self._pointer = self._corner = place
        yield from self._line(place)

    def _curve(self, control: Place, end: Place) -> Iterator[Place]:
        start = self._drawn
        length = math.dist(start[:2], control[:2]) + math.dist(control[:2], end[:2])
        pieces = max(1, math.ceil(length / _SEGMENT_PX))
        for index in range(1, pieces + 1):
            share = index / pieces
            first, second = _between(start, control, share), _between(control, end, share)
            yield from self._line(_between(first, second, share))

    def _line(self, end: Place) -> Iterator[Place]:
        start = self._drawn
        length = math.dist(start[:2], end[:2])
        gone = 0.0
        while length > 0 and gone + self._ahead <= length:
            gone += self._ahead
            place = _between(start, end, gone / length)
            self._ahead = self._distance(place.pressure)
            yield place
        self._ahead -= length - gone
        self._drawn = end

    def _distance(self, pressure: float) -> float:
        return max(_NEAREST_PX, self._step(pressure))


def _between(a: Place, b: Place, share: float) -> Place:
    return Place(*(one + (other - one) * share for one, other in zip(a, b)))
