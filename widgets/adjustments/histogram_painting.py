"""A histogram as a filled shape."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF


def paint_histogram(painter: QPainter, box: QRectF, heights: Sequence[float], colour: QColor) -> None:
    """Fill the area under `heights` (0..1, from dark to bright) inside `box`."""
    if len(heights) < 2:
        return
    last = len(heights) - 1
    outline = [QPointF(box.left(), box.bottom())]
    for index, height in enumerate(heights):
        x = box.left() + index / last * box.width()
        outline.append(QPointF(x, box.bottom() - min(1.0, height) * box.height()))
    outline.append(QPointF(box.right(), box.bottom()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF(outline))
