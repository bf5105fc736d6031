"""A tone curve on a grid over a histogram: points are added, moved and removed by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.adjustments.histogram_painting import paint_histogram
from widgets.look.plain_text import set_tip
from widgets.look.theme import Tokens, tokens_of, with_alpha

Points: TypeAlias = tuple[tuple[float, float], ...]
Evaluate: TypeAlias = Callable[[Points, int], Sequence[float]]  # points, count → so many outputs, 0..1

_STEP = 1 / 255
_GAP = 2 / 255  # points keep this distance across
_REACH_PX = 10
_LEAVE_PX = 28  # so far outside, a dragged point is let go
_MARGIN = 8


class CurveEditor(QWidget):
    """Points are (input, output) in 0..1 from left to right; the first and the last stay."""

    changed = Signal(tuple, bool)  # points, whether a drag goes on
    finished = Signal()
    selected = Signal(int)

    def __init__(self, evaluate: Evaluate, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._evaluate = evaluate
        self._points: Points = ((0.0, 0.0), (1.0, 1.0))
        self._selected = 0
        self._dragging = False
        self._removed: tuple[float, float] | None = None  # dragged out, comes back if dragged in again
        self._histogram: Sequence[float] = ()
        self._colour: QColor | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(200)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(self.tr("Curve"))
        set_tip(
            self,
            self.tr(
                "Click to add a point, drag to move it, drag it out or press Delete to remove it.\n"
                "Keys: Page Up and Page Down choose a point, arrows move it, Insert adds one."
            ),
        )

    @property
    def points(self) -> Points:
        return self._points

    @property
    def selected_index(self) -> int:
        return self._selected

    def sizeHint(self) -> QSize:
        return QSize(260, 220)

    def set_points(self, points: Points) -> None:
        """Show points without telling; a running drag is not disturbed."""
        if not self._dragging and points != self._points:
            self._points = points
            self._select(min(self._selected, len(points) - 1))

    def set_histogram(self, shares: Sequence[float], colour: QColor | None = None) -> None:
        """Heights 0..1 from dark to bright, and the channel's colour (None: the theme's)."""
        self._histogram, self._colour = shares, colour
        self.update()

    def set_point(self, x: float, y: float, *, dragging: bool = False) -> None:
        """Move the selected point, as far as its neighbours let it."""
        points, index = self._points, self._selected
        low = points[index - 1][0] + _GAP if index else 0.0
        high = points[index + 1][0] - _GAP if index + 1 < len(points) else 1.0
        moved = (min(max(x, low), max(low, high)), min(max(y, 0.0), 1.0))
        self._tell((*points[:index], moved, *points[index + 1 :]), dragging=dragging)

    def add_point(self, x: float, y: float, *, dragging: bool = False) -> bool:
        """Put a point between others and select it; False where there is no room."""
        if any(abs(x - other) < _GAP for other, _ in self._points):
            return False
        index = sum(1 for other, _ in self._points if other < x)
        points = (*self._points[:index], (x, min(max(y, 0.0), 1.0)), *self._points[index:])
        self._selected = index
        self._tell(points, dragging=dragging)
        self.selected.emit(index)
        return True

    def remove_point(self, *, dragging: bool = False) -> bool:
        """Take the selected point out; the first and the last stay."""
        index = self._selected
        if not 0 < index < len(self._points) - 1:
            return False
        self._selected = index - 1
        self._tell((*self._points[:index], *self._points[index + 1 :]), dragging=dragging)
        self.selected.emit(self._selected)
        return True

    # the hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position())
        if event.button() == Qt.MouseButton.RightButton and index >= 0:
            self._select(index)
            self.remove_point()
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._dragging = True
        self._removed = None
        if index >= 0:
            self._select(index)
        elif not self.add_point(*self._value(event.position()), dragging=True):
            self._dragging = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._dragging:
            over = self._at(event.position()) >= 0
            self.setCursor(Qt.CursorShape.OpenHandCursor if over else Qt.CursorShape.CrossCursor)
            return
        x, y = self._value(event.position())
        outside = (
            not QRectF(self.rect())
            .adjusted(-_LEAVE_PX, -_LEAVE_PX, _LEAVE_PX, _LEAVE_PX)
            .contains(event.position())
        )
        if outside:
            if self._removed is None and self.remove_point(dragging=True):
                self._removed = (x, y)
        elif self._removed is not None:
            self._removed = None if self.add_point(x, y, dragging=True) else self._removed
        else:
            self.set_point(x, y, dragging=True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging and event.button() == Qt.MouseButton.LeftButton:
            self._dragging = False
            self._removed = None
            self.finished.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._at(event.position()) >= 0:
            self.remove_point()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEP * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        moves = {
            Qt.Key.Key_Left: (-step, 0.0),
            Qt.Key.Key_Right: (step, 0.0),
            Qt.Key.Key_Up: (0.0, step),
            Qt.Key.Key_Down: (0.0, -step),
        }
        move = moves.get(Qt.Key(event.key()))
        x, y = self._points[self._selected]
        if move is not None:
            self.set_point(x + move[0], y + move[1])
        elif event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            by = 1 if event.key() == Qt.Key.Key_PageDown else -1
            self._select(max(0, min(self._selected + by, len(self._points) - 1)))
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_point()
        elif event.key() in (Qt.Key.Key_Insert, Qt.Key.Key_Plus):
            self._add_beside()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # keys that the menus would take, such as Del for a layer
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
            if plain and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Plus):
                event.accept()
                return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    # how it looks

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, box = tokens_of(self), self._box()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(box.adjusted(-4, -4, 4, 4), 5, 5)
        colour = self._colour or QColor(tokens.dim)
        paint_histogram(painter, box, self._histogram, with_alpha(colour, 0.35))
        self._paint_grid(painter, box, tokens)
        painter.setPen(QPen(self._colour or QColor(tokens.text), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(self._curve(box))
        self._paint_points(painter, tokens)

    def _paint_grid(self, painter: QPainter, box: QRectF, tokens: Tokens) -> None:
        painter.setPen(QPen(with_alpha(tokens.control, 0.6), 1))
        for part in (0.25, 0.5, 0.75):
            x, y = round(box.left() + part * box.width()) + 0.5, round(box.top() + part * box.height()) + 0.5
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        painter.setPen(QPen(with_alpha(tokens.control, 0.8), 1, Qt.PenStyle.DashLine))
        painter.drawLine(box.bottomLeft(), box.topRight())

    def _paint_points(self, painter: QPainter, tokens: Tokens) -> None:
        for index, point in enumerate(self._points):
            chosen = index == self._selected
            painter.setPen(QPen(QColor(tokens.text), 1.4))
            painter.setBrush(QColor(tokens.accent if chosen else tokens.panel))
            painter.drawEllipse(self._place(point), 4.5, 4.5)
            if chosen and self.hasFocus():
                painter.setPen(QPen(QColor(tokens.accent), 1.4))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(self._place(point), 8, 8)

    def _curve(self, box: QRectF) -> QPolygonF:
        count = max(2, round(box.width()))
        values = self._evaluate(self._points, count)
        return QPolygonF(
            [
                QPointF(box.left() + index / (count - 1) * box.width(), box.bottom() - value * box.height())
                for index, value in enumerate(values)
            ]
        )

    # places and values

    def _box(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)

    def _place(self, point: tuple[float, float]) -> QPointF:
        box = self._box()
        return QPointF(box.left() + point[0] * box.width(), box.bottom() - point[1] * box.height())

    def _value(self, position: QPointF) -> tuple[float, float]:
        box = self._box()
        x = (position.x() - box.left()) / box.width()
        y = (box.bottom() - position.y()) / box.height()
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def _at(self, position: QPointF) -> int:
        """The point under the pointer, -1 for none."""
        best, nearest = -1, float(_REACH_PX)
        for index, point in enumerate(self._points):
            away = position - self._place(point)
            distance = (away.x() ** 2 + away.y() ** 2) ** 0.5
            if distance <= nearest:
                best, nearest = index, distance
        return best

    def _add_beside(self) -> None:
        """A point on the curve, midway to the next one."""
        index = min(self._selected, len(self._points) - 2)
        x = (self._points[index][0] + self._points[index + 1][0]) / 2
        self.add_point(x, self._evaluate(self._points, 256)[round(x * 255)])

    def _select(self, index: int) -> None:
        self._selected = index
        self._describe()
        self.selected.emit(index)
        self.update()

    def _tell(self, points: Points, *, dragging: bool) -> None:
        if points != self._points:
            self._points = points
            self._describe()
            self.update()
            self.changed.emit(points, dragging)

    def _describe(self) -> None:
        x, y = self._points[self._selected]
        text = self.tr("Point {number} of {count}: input {input}, output {output}")
        self.setAccessibleDescription(
            text.format(
                number=self._selected + 1,
                count=len(self._points),
                input=round(x * 255),
                output=round(y * 255),
            )
        )
