"""The pen of the marching ants: a line in slanting stripes that move on, which costs no dashing."""

from functools import cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPainterPath, QPen, QTransform

STRIPE_PX = 8  # of the screen: four dark, four light


def stroke_ants(painter: QPainter, path: QPainterPath, ratio: float, phase: int) -> None:
    """Stroke a path (device pixels) with ants; each `phase` is one step on."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    brush = QBrush(_stripes(max(1, round(ratio))))
    brush.setTransform(QTransform.fromTranslate(phase * ratio, 0))
    pen = QPen(brush, max(1.0, round(ratio)))
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.translate(QPointF(0.25, 0.25))  # off the border between two pixels
    painter.drawPath(path)
    painter.restore()


@cache
def _stripes(scale: int) -> QImage:
    """One tile of the stripes."""
    size = STRIPE_PX * scale
    tile = QImage(size, size, QImage.Format.Format_RGB32)
    dark, light = QColor("#16181b").rgb(), QColor("#ffffff").rgb()
    for y in range(size):
        for x in range(size):
            tile.setPixel(x, y, dark if (x + y) % size < size // 2 else light)
    return tile
