"""Selections of geometric shapes: each pixel's value is the share of it that the shape covers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QPolygonF

from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.selection.tiles import Values, made

Points = Sequence[tuple[float, float]]
_SAG_PX = 0.02  # how far an ellipse's polygon may lie inside it


def rectangle(
    x: float, y: float, width: float, height: float, within: Area, *, antialias: bool = True
) -> Mask:
    """A rectangle, clipped to `within`; not antialiased, its edges go to the nearest pixel's."""
    left, top, right, bottom = x, y, x + width, y + height
    if not antialias:
        left, top, right, bottom = (float(math.floor(v + 0.5)) for v in (left, top, right, bottom))

    def make(part: Area) -> Values:
        across = _covered(part.x, part.width, left, right)
        down = _covered(part.y, part.height, top, bottom)
        return np.rint(np.outer(down, across) * 255).astype(np.uint8)

    return made(_around(left, top, right, bottom).intersected(within), make)


def ellipse(x: float, y: float, width: float, height: float, within: Area, *, antialias: bool = True) -> Mask:
    """The ellipse that fills a rectangle, clipped to `within`."""
    return polygon(ellipse_points(x, y, width, height), within, antialias=antialias)


def polygon(points: Points, within: Area, *, antialias: bool = True) -> Mask:
    """A polygon or lasso, closed by itself, clipped to `within`; parts covered twice are selected, too."""
    if len(points) < 3:
        return made(Area(0, 0, 0, 0), _nothing)
    shape = QPolygonF([QPointF(x, y) for x, y in points])
    box = shape.boundingRect()
    area = _around(box.left(), box.top(), box.right(), box.bottom()).intersected(within)
    return made(area, lambda part: _painted(shape, part, antialias))


def coverage(points: Points, area: Area) -> Values:
    """The share (0..255) of each pixel [h, w] of an area that a polygon covers."""
    return _painted(QPolygonF([QPointF(x, y) for x, y in points]), area, antialias=True)


def ellipse_points(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    """A polygon that differs from the ellipse by at most 0.02 pixels."""
    radius = max(width, height) / 2
    count = max(16, math.ceil(math.pi * math.sqrt(radius / (2 * _SAG_PX))))
    angles = np.linspace(0, 2 * math.pi, count, endpoint=False)
    across = x + width / 2 * (1 + np.cos(angles))
    down = y + height / 2 * (1 + np.sin(angles))
    return list(zip(across.tolist(), down.tolist()))


def _covered(start: int, count: int, low: float, high: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The share 0..1 of each of `count` pixels from `start` on that lies between two edges."""
    edges = np.arange(start, start + count, dtype=np.float64)
    return np.clip(np.minimum(edges + 1, high) - np.maximum(edges, low), 0, 1)


def _around(left: float, top: float, right: float, bottom: float) -> Area:
    x, y = math.floor(left), math.floor(top)
    return Area(x, y, math.ceil(right) - x, math.ceil(bottom) - y)


def _painted(shape: QPolygonF, part: Area, antialias: bool) -> Values:
    image = QImage(part.width, part.height, QImage.Format.Format_Alpha8)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, antialias)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.GlobalColor.white)
    painter.translate(-part.x, -part.y)
    painter.drawPolygon(shape, Qt.FillRule.WindingFill)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(part.height, image.bytesPerLine())
    return rows[:, : part.width].copy()


def _nothing(part: Area) -> Values:
    return np.zeros((part.height, part.width), np.uint8)
