"""The numbers of a transform, and what dragging a handle makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from editor.tools.overlay import Point

Matrix: TypeAlias = NDArray[np.float64]
"""3 × 3, from points of the document to points of the document."""

Box: TypeAlias = tuple[float, float, float, float]
CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
EDGES = ((0, -1), (1, 0), (0, 1), (-1, 0))
_SMALLEST_PX = 1.0  # sides do not get shorter, so that they can be dragged back
_NO_OFFSETS: tuple[Point, Point, Point, Point] = ((0.0, 0.0),) * 4  # pyright: ignore[reportAssignmentType]


@dataclass(frozen=True)
class Form:
    """A transform of a box around its centre: scaled, then skewed, turned and moved; then its corners pulled.

    Args:
        box: x, y, width, height before.
        angle: degrees, clockwise.
        skew_x, skew_y: pixels across for each pixel down, and the other way.
        pulled: how far each corner was pulled, clockwise from the top left.
    """

    box: Box
    dx: float = 0.0
    dy: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0
    angle: float = 0.0
    skew_x: float = 0.0
    skew_y: float = 0.0
    pulled: tuple[Point, Point, Point, Point] = _NO_OFFSETS

    @property
    def centre(self) -> Point:
        """Where the box's centre goes, pulled corners aside."""
        x, y, width, height = self.box
        return x + width / 2 + self.dx, y + height / 2 + self.dy

    @property
    def is_identity(self) -> bool:
        return self == Form(self.box)

    @property
    def linear(self) -> NDArray[np.float64]:
        """Turning and skewing, 2 × 2, without the scale."""
        cosine, sine = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        turn = np.array([[cosine, -sine], [sine, cosine]])
        return turn @ np.array([[1.0, self.skew_x], [self.skew_y, 1.0]])

    def place(self, across: float, down: float) -> Point:
        """Where a point of the box goes; (-1, -1) is its top left corner, (1, 1) the bottom right one."""
        corners = self.corners()
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
        u, v = (across + 1) / 2, (down + 1) / 2
        top = (ax + (bx - ax) * u, ay + (by - ay) * u)
        bottom = (dx + (cx - dx) * u, dy + (cy - dy) * u)
        return top[0] + (bottom[0] - top[0]) * v, top[1] + (bottom[1] - top[1]) * v

    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Where the corners go, clockwise from the top left."""
        half = np.array([self.box[2] / 2 * self.scale_x, self.box[3] / 2 * self.scale_y])
        found: list[Point] = []
        for sign, pull in zip(CORNERS, self.pulled):
            x, y = self.linear @ (half * sign)
            found.append((self.centre[0] + float(x) + pull[0], self.centre[1] + float(y) + pull[1]))
        return found[0], found[1], found[2], found[3]

    def matrix(self) -> Matrix:
        import cv2  # with its first use, not with the window

        x, y, width, height = self.box
        before = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)
        if self.pulled == _NO_OFFSETS:
            scaled = self.linear @ np.diag([self.scale_x, self.scale_y])
            middle = np.array([x + width / 2, y + height / 2])
            matrix = np.eye(3)
            matrix[:2, :2] = scaled
            matrix[:2, 2] = np.array(self.centre) - scaled @ middle
            return matrix
        after = np.array(self.corners(), np.float32)
        return np.asarray(cv2.getPerspectiveTransform(before, after), np.float64)

    @property
    def is_possible(self) -> bool:
        """Whether the corners still go round a convex shape, so that every point has its place."""
        corners = self.corners()
        turns = [_turn(corners[i - 2], corners[i - 1], corners[i]) for i in range(4)]
        return all(turn > 1e-6 for turn in turns) or all(turn < -1e-6 for turn in turns)


def scaled(form: Form, sign: tuple[int, int], point: Point, *, keep_ratio: bool, from_centre: bool) -> Form:
    """The handle `sign` (such as (1, 0) for the right edge) dragged to a point; the opposite one stays."""
    half = np.array([form.box[2] / 2, form.box[3] / 2])
    scale = np.array([form.scale_x, form.scale_y])
    signs = np.array(sign, float)
    centre = np.array(form.centre)
    anchor = np.zeros(2) if from_centre else -signs * half * scale
    local = np.linalg.solve(form.linear, np.array(point) - centre)
    handle = signs * half * scale
    span = handle - anchor
    new = scale.copy()
    if keep_ratio:
        factor = float((local - anchor) @ span / (span @ span))
        new = scale * (factor if factor else 1e-3)
    else:
        moves = signs != 0
        new[moves] = ((local - anchor) * signs / (half * (1 if from_centre else 2)))[moves]
    least = _SMALLEST_PX / np.maximum(2 * half, _SMALLEST_PX)
    new = np.where(np.abs(new) < least, np.copysign(least, new), new)
    if not from_centre:
        # the anchor keeps its place; along an edge's own direction the box grows to both sides
        moved_anchor = -signs * half * new
        centre = centre + form.linear @ (anchor - moved_anchor)
    dx, dy = centre - np.array(form.centre)
    return replace(
        form,
        scale_x=float(new[0]),
        scale_y=float(new[1]),
        dx=form.dx + float(dx),
        dy=form.dy + float(dy),
    )


def turned(form: Form, start: Point, point: Point, *, step: float = 0.0) -> Form:
    """Turned around the centre by the angle from `start` to `point`, to multiples of `step` degrees."""
    x, y = form.centre
    way = math.atan2(point[1] - y, point[0] - x) - math.atan2(start[1] - y, start[0] - x)
    angle = form.angle + math.degrees(way)
    if step:
        angle = round(angle / step) * step
    return replace(form, angle=(angle + 180) % 360 - 180)


def skewed(form: Form, sign: tuple[int, int], start: Point, point: Point) -> Form:
    """An edge dragged along itself."""
    cosine, sine = math.cos(math.radians(form.angle)), math.sin(math.radians(form.angle))
    dx, dy = point[0] - start[0], point[1] - start[1]
    across, down = dx * cosine + dy * sine, dy * cosine - dx * sine
    if sign[1]:
        length = form.box[3] / 2 * form.scale_y * sign[1]
        return replace(form, skew_x=form.skew_x + across / length)
    length = form.box[2] / 2 * form.scale_x * sign[0]
    return replace(form, skew_y=form.skew_y + down / length)


def pulled(form: Form, corner: int, dx: float, dy: float) -> Form:
    """One corner moved by itself."""
    offsets = list(form.pulled)
    offsets[corner] = (offsets[corner][0] + dx, offsets[corner][1] + dy)
    return replace(form, pulled=(offsets[0], offsets[1], offsets[2], offsets[3]))


def contains(corners: tuple[Point, Point, Point, Point], point: Point) -> bool:
    """Whether a point lies inside a convex quadrilateral."""
    turns = [_turn(corners[i - 1], corners[i], point) for i in range(4)]
    return all(turn >= 0 for turn in turns) or all(turn <= 0 for turn in turns)


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive if the way a → b → c turns clockwise (y runs down)."""
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
