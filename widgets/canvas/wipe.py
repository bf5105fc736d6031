"""The before/after handle that the canvas paints over the picture. Geometry in device pixels."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from widgets.look.theme import Tokens

GRIP_WIDTH = 34.0
GRIP_HEIGHT = 22.0
_OVERHANG = 14.0
_CATCH = 9.0


def line_x(target: QRectF, share: float) -> float:
    """Where the line stands when `share` (0..1) of the picture shows the state before."""
    return round(target.x() + target.width() * share)


def grip_rect(target: QRectF, view: QRectF, share: float, scale: float) -> QRectF:
    """The handle: in the middle of the part of the picture that is in view."""
    seen = target & view
    width, height = GRIP_WIDTH * scale, GRIP_HEIGHT * scale
    return QRectF(line_x(target, share) - width / 2, seen.center().y() - height / 2, width, height)


def is_hit(point: QPointF, target: QRectF, share: float, scale: float) -> bool:
    """Whether the pointer is near enough to the line to drag it."""
    within = target.top() - _OVERHANG * scale <= point.y() <= target.bottom() + _OVERHANG * scale
    return within and abs(point.x() - line_x(target, share)) <= _CATCH * scale


def share_at(x: float, target: QRectF) -> float:
    """The share that puts the line at `x`."""
    return min(1.0, max(0.0, (x - target.x()) / target.width()))


def paint(
    painter: QPainter,
    target: QRectF,
    view: QRectF,
    share: float,
    scale: float,
    tokens: Tokens,
    *,
    focused: bool,
) -> None:
    """The line, its grip with two arrows, dark around so that it shows on every picture."""
    x = line_x(target, share)
    top = max(target.top() - _OVERHANG * scale, view.top())
    bottom = min(target.bottom() + _OVERHANG * scale, view.bottom())
    painter.fillRect(QRectF(x - 2 * scale, top, 4 * scale, bottom - top), QColor(0, 0, 0, 70))
    painter.fillRect(QRectF(x - scale, top, 2 * scale, bottom - top), QColor("#ffffff"))
    grip = grip_rect(target, view, share, scale)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(
        QPen(QColor(0, 0, 0, 60), 2 * scale) if not focused else QPen(QColor(tokens.accent), 3 * scale)
    )
    painter.setBrush(QColor("#ffffff"))
    painter.drawRoundedRect(grip, grip.height() / 2, grip.height() / 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#26292d"))
    for side in (-1, 1):
        tip, base, half = side * 10 * scale, side * 4 * scale, 4 * scale
        centre = grip.center()
        painter.drawPolygon(
            QPolygonF([centre + QPointF(tip, 0), centre + QPointF(base, -half), centre + QPointF(base, half)])
        )


def paint_label(painter: QPainter, text: str, corner: QPointF, scale: float, *, right: bool) -> QRectF:
    """A word on a dark pill; `corner` is its lower left (or lower right) corner. Returns its rectangle."""
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text) + 16 * scale, metrics.height() + 6 * scale
    rect = QRectF(corner.x() - (width if right else 0), corner.y() - height, width, height)
    path = QPainterPath()
    path.addRoundedRect(rect, 5 * scale, 5 * scale)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(path, QColor(12, 14, 18, 175))
    painter.setPen(QColor("#f2f3f4"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    return rect
