"""Rulers along the top and the left of a view, in pixels of the picture; guides are dragged out of them."""

import math

from PySide6.QtCore import QLineF, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.canvas.canvas import Canvas
from widgets.look.plain_text import set_tip
from widgets.look.theme import scaled_font, tabular, tokens_of

THICKNESS_PX = 20
_LABEL_EVERY_PX = 70.0
_TICK_MIN_PX = 6.0


class Ruler(QWidget):
    """Shows where the view lies and, as a line, where the pointer is; empty while the view is turned."""

    guide_moved = Signal(object, bool)  # position in the picture (None outside the canvas), dropped

    def __init__(self, canvas: Canvas, orientation: Qt.Orientation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._across = orientation == Qt.Orientation.Horizontal
        self._cursor: float | None = None
        fixed, free = QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding
        self.setSizePolicy(free if self._across else fixed, fixed if self._across else free)
        self.setCursor(Qt.CursorShape.SplitVCursor if self._across else Qt.CursorShape.SplitHCursor)
        self.setFont(tabular(scaled_font(self.font(), 0.72)))
        self.setAccessibleName(self.tr("Ruler"))
        set_tip(self, self.tr("Drag from here to place a guide"))
        canvas.view_moved.connect(self.update)
        canvas.pointed.connect(self._on_pointed)

    def sizeHint(self) -> QSize:
        return QSize(THICKNESS_PX, THICKNESS_PX)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._tell_guide(event, dropped=False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._tell_guide(event, dropped=True)

    def _tell_guide(self, event: QMouseEvent, *, dropped: bool) -> None:
        inside = self._canvas.mapFromGlobal(event.globalPosition())
        position = None
        if QRectF(self._canvas.rect()).contains(inside):
            point = self._canvas.viewport.to_image(self._canvas.device(inside))
            position = float(round(point.y() if self._across else point.x()))
        self.guide_moved.emit(position, dropped)

    def _on_pointed(self, point: object) -> None:
        old, self._cursor = self._cursor, None
        if isinstance(point, QPointF):
            seen = self._canvas.viewport.to_view(point) / self._canvas.ratio
            self._cursor = seen.x() if self._across else seen.y()
        for place in (old, self._cursor):
            if place is not None:
                start = QPoint(int(place) - 2, 0) if self._across else QPoint(0, int(place) - 2)
                size = QSize(5, THICKNESS_PX) if self._across else QSize(THICKNESS_PX, 5)
                self.update(start.x(), start.y(), size.width(), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, painter = tokens_of(self), QPainter(self)
        painter.fillRect(event.rect(), QColor(tokens.panel))
        painter.setPen(QPen(QColor(tokens.line), 1))
        edge = THICKNESS_PX - 0.5
        painter.drawLine(self._line(0.0, edge, float(max(self.width(), self.height())), edge))
        if not self._canvas.viewport.angle:
            self._paint_ticks(painter)
        if self._cursor is not None:
            painter.setPen(QPen(QColor(tokens.accent), 1))
            place = math.floor(self._cursor) + 0.5
            painter.drawLine(self._line(place, 0.0, place, float(THICKNESS_PX)))

    def _paint_ticks(self, painter: QPainter) -> None:
        tokens, viewport, ratio = tokens_of(self), self._canvas.viewport, self._canvas.ratio
        zoom = viewport.zoom / ratio
        start = (viewport.origin().x() if self._across else viewport.origin().y()) / ratio
        length = self.width() if self._across else self.height()
        big = step_for(zoom, _LABEL_EVERY_PX)
        small = next((big / parts for parts in (10, 5, 2) if _fine_enough(big, parts, zoom)), big)
        first, last = math.floor(-start / zoom / small), math.ceil((length - start) / zoom / small)
        for index in range(first, last + 1):
            place = math.floor(start + index * small * zoom) + 0.5
            labelled = abs(index * small / big - round(index * small / big)) < 1e-6
            painter.setPen(QPen(QColor(tokens.control), 1))
            painter.drawLine(self._line(place, 6.0 if labelled else 14.0, place, THICKNESS_PX - 1.0))
            if labelled:
                painter.setPen(QColor(tokens.dim))
                self._paint_label(painter, place, f"{round(index * small)}")

    def _paint_label(self, painter: QPainter, place: float, text: str) -> None:
        painter.save()
        if self._across:
            painter.drawText(QPointF(place + 3, 10), text)
        else:
            painter.translate(10, place + 3)
            painter.rotate(-90)
            painter.drawText(QPointF(-painter.fontMetrics().horizontalAdvance(text), 0), text)
        painter.restore()

    def _line(self, along: float, across: float, along_end: float, across_end: float) -> QLineF:
        if self._across:
            return QLineF(along, across, along_end, across_end)
        return QLineF(across, along, across_end, along_end)


def step_for(zoom: float, apart_px: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten, at least 1, whose steps are `apart_px` apart on screen."""
    wanted = apart_px / zoom
    power = 10.0 ** max(0, math.floor(math.log10(wanted)))
    return max(1.0, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted))


def _fine_enough(big: float, parts: int, zoom: float) -> bool:
    step = big / parts
    return step * zoom >= _TICK_MIN_PX and step == round(step)
