"""Little geometry that tools share; points are (x, y) of the document."""

from __future__ import annotations

import math

from editor.tools.overlay import Point

Rectangle = tuple[float, float, float, float]
"""x, y, width, height; the size is never negative."""


def box_of(a: Point, b: Point) -> Rectangle:
    """The rectangle with two points as opposite corners."""
    return min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1])


def dragged_box(
    start: Point, end: Point, *, ratio: float | None = None, from_centre: bool = False
) -> Rectangle:
    """The rectangle that a drag spans.

    Args:
        ratio: width over height that is kept; the longer side of the drag decides.
        from_centre: `start` is the middle, not a corner.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    if ratio is not None:
        width = max(abs(dx), abs(dy) * ratio)
        dx, dy = math.copysign(width, dx), math.copysign(width / ratio, dy)
    far = (start[0] + dx, start[1] + dy)
    return box_of((start[0] - dx, start[1] - dy) if from_centre else start, far)


def along_axis(start: Point, end: Point) -> Point:
    """`end` moved onto the horizontal or vertical line through `start`, whichever is nearer."""
    if abs(end[0] - start[0]) >= abs(end[1] - start[1]):
        return end[0], start[1]
    return start[0], end[1]


def at_angle(start: Point, end: Point, step_degrees: float = 15.0) -> Point:
    """`end` turned around `start` to the nearest multiple of an angle; the distance stays."""
    distance = math.hypot(end[0] - start[0], end[1] - start[1])
    step = math.radians(step_degrees)
    angle = round(math.atan2(end[1] - start[1], end[0] - start[0]) / step) * step
    return start[0] + distance * math.cos(angle), start[1] + distance * math.sin(angle)


def distance(a: Point, b: Point) -> float:
    return math.hypot(b[0] - a[0], b[1] - a[1])
