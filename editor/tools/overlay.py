"""What a tool draws over the picture: plain values in coordinates of the document, painted by the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtGui import QImage

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Polyline:
    """A thin line with a rim of contrast; with `ants` it marches like a selection's outline."""

    points: tuple[Point, ...]
    closed: bool = False
    ants: bool = False


@dataclass(frozen=True)
class Box:
    """An upright rectangle."""

    x: float
    y: float
    width: float
    height: float
    ants: bool = False


@dataclass(frozen=True)
class Ellipse:
    """An ellipse around (x, y) with two radii; `angle` in degrees, clockwise."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    angle: float = 0.0
    ants: bool = False


@dataclass(frozen=True)
class Handle:
    """A point to take hold of, of the same size on the screen at every zoom."""

    x: float
    y: float
    kind: str = "square"  # "square", "round", "cross" or "diamond"


@dataclass(frozen=True)
class Grid:
    """Lines that divide a rectangle into `columns` × `rows`: thirds when cropping."""

    x: float
    y: float
    width: float
    height: float
    columns: int = 3
    rows: int = 3


@dataclass(frozen=True)
class Shade:
    """Darkens everything outside a rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Label:
    """A short text beside a point: sizes and angles while dragging."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    """A guide that something snapped to: from edge to edge of the view."""

    vertical: bool
    position: float


@dataclass(frozen=True)
class Caret:
    """Where typed text will go: a blinking line between two points."""

    top: Point
    bottom: Point


@dataclass(frozen=True)
class Swatch:
    """A colour under the pointer: new above old, as the eyedropper shows it; straight RGBA 0..255."""

    x: float
    y: float
    colour: tuple[int, int, int, int]
    old: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Picture:
    """A small picture stretched over the quadrilateral of its four corners, clockwise from the top left."""

    image: QImage
    corners: tuple[Point, Point, Point, Point]


@dataclass(frozen=True)
class Cursor:
    """The brush's outline around the pointer, in place of the pointer's arrow; radii in document pixels."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    angle: float = 0.0


Shape: TypeAlias = (
    Polyline | Box | Ellipse | Handle | Grid | Shade | Label | Line | Caret | Swatch | Picture | Cursor
)
