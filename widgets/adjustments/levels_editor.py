"""Levels: black, gamma and white as handles under a histogram, and the range of the output."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from editor.adjustments.levels import GAMMA_MAX, GAMMA_MIN, NEUTRAL, SMALLEST_SPAN, Range
from widgets.adjustments.histogram_painting import paint_histogram
from widgets.forms.fields import DoubleSpinBox, SpinBox
from widgets.look.plain_text import set_tip
from widgets.look.theme import inset, tabular, tokens_of, with_alpha

_MARGIN = 8
_HANDLE = 7
BLACK, GAMMA, WHITE, LOW, HIGH = range(5)


class LevelsEditor(QWidget):
    """Handles and numbers of one range."""

    changed = Signal(tuple, bool)  # range, whether a drag goes on
    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range: Range = NEUTRAL
        self.input = LevelsTrack((BLACK, GAMMA, WHITE), tall=True)
        self.output = LevelsTrack((LOW, HIGH), tall=False)
        self.input.setAccessibleName(self.tr("Input levels"))
        self.output.setAccessibleName(self.tr("Output levels"))
        names = (
            self.tr("Black point"),
            self.tr("Gamma"),
            self.tr("White point"),
            self.tr("Darkest output"),
            self.tr("Brightest output"),
        )
        self.boxes = [self._box(index, name) for index, name in enumerate(names)]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.input)
        layout.addLayout(_spread(self.boxes[:3]))
        layout.addSpacing(4)
        layout.addWidget(self.output)
        layout.addLayout(_spread(self.boxes[3:]))
        for track in (self.input, self.output):
            track.moved.connect(self._on_moved)
            track.finished.connect(self.finished)
        self._show()

    @property
    def range(self) -> Range:
        return self._range

    def set_range(self, given: Range) -> None:
        """Show a range without telling; a running drag is not disturbed."""
        if not (self.input.dragging or self.output.dragging):
            self._range = given
            self._show()

    def set_histogram(self, heights: Sequence[float], colour: QColor | None = None) -> None:
        self.input.set_histogram(heights, colour)

    def set_value(self, index: int, value: float, *, dragging: bool = False) -> None:
        """Change one of the five numbers, as far as the others let it."""
        values = list(self._range)
        values[index] = _limited(index, value, self._range)
        changed = (values[0], values[1], values[2], values[3], values[4])
        if changed != self._range:
            self._range = changed
            self._show()
            self.changed.emit(changed, dragging)

    def _on_moved(self, index: int, position: float, dragging: bool) -> None:
        value = gamma_at(position, self._range) if index == GAMMA else position
        self.set_value(index, value, dragging=dragging)

    def _show(self) -> None:
        black, gamma, white, low, high = self._range
        self.input.set_positions((black, gamma_position(self._range), white))
        self.output.set_positions((low, high))
        for index, box in enumerate(self.boxes):
            blocked = box.blockSignals(True)
            if isinstance(box, QSpinBox):
                box.setValue(round(self._range[index] * 255))
            else:
                box.setValue(gamma)
            box.blockSignals(blocked)

    def _box(self, index: int, name: str) -> QSpinBox | QDoubleSpinBox:
        box: QSpinBox | QDoubleSpinBox
        if index == GAMMA:
            box = DoubleSpinBox()
            box.setRange(GAMMA_MIN, GAMMA_MAX)
            box.setSingleStep(0.05)
            box.valueChanged.connect(lambda value: self.set_value(index, value))
        else:
            box = SpinBox()
            box.setRange(0, 255)
            box.valueChanged.connect(lambda value: self.set_value(index, value / 255))
        box.setKeyboardTracking(False)
        box.setAccessibleName(name)
        set_tip(box, name)
        box.setFont(tabular(box.font()))
        inset(box)
        return box


class LevelsTrack(QWidget):
    """A bar from dark to bright with handles; over the taller one stands the histogram."""

    moved = Signal(int, float, bool)  # which number, position 0..1, whether a drag goes on
    finished = Signal()

    def __init__(self, numbers: Sequence[int], *, tall: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers = tuple(numbers)
        self._positions: tuple[float, ...] = tuple(0.0 for _ in numbers)
        self._selected = 0
        self._tall = tall
        self.dragging = False
        self._histogram: Sequence[float] = ()
        self._colour: QColor | None = None
        self.setFixedHeight(140 if tall else 34)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        set_tip(self, self.tr("Drag the handles; keys: Page Up and Page Down choose one, arrows move it"))

    def sizeHint(self) -> QSize:
        return QSize(260, self.height())

    def set_positions(self, positions: Sequence[float]) -> None:
        self._positions = tuple(positions)
        self.update()

    def set_histogram(self, heights: Sequence[float], colour: QColor | None) -> None:
        self._histogram, self._colour = heights, colour
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        x = event.position().x()
        away = [abs(self._place(position) - x) for position in self._positions]
        # of handles on top of each other, the one on the side where there is room
        self._selected = min(range(len(away)), key=lambda index: (round(away[index]), self._crowded(index)))
        self.dragging = True
        self._drag_to(x)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.dragging:
            self._drag_to(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.dragging and event.button() == Qt.MouseButton.LeftButton:
            self.dragging = False
            self.finished.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        step = (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1) / 255
        if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            by = 1 if key == Qt.Key.Key_PageDown else -1
            self._selected = max(0, min(self._selected + by, len(self._positions) - 1))
            self.update()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Up):
            sign = 1 if key in (Qt.Key.Key_Right, Qt.Key.Key_Up) else -1
            position = self._positions[self._selected] + sign * step
            self.moved.emit(self._numbers[self._selected], min(max(position, 0.0), 1.0), False)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, bar = tokens_of(self), self._bar()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._tall:
            box = QRectF(bar.left(), 4, bar.width(), bar.top() - 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.raised))
            painter.drawRoundedRect(box.adjusted(-4, -4, 4, 2), 5, 5)
            paint_histogram(
                painter, box, self._histogram, with_alpha(self._colour or QColor(tokens.dim), 0.55)
            )
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        gradient.setColorAt(0, QColor("#000000"))
        gradient.setColorAt(1, self._colour or QColor("#ffffff"))
        painter.setPen(QPen(QColor(tokens.control), 1))
        painter.setBrush(gradient)
        painter.drawRoundedRect(bar, 3, 3)
        shades = ("#000000", "#808080", "#ffffff") if len(self._positions) == 3 else ("#000000", "#ffffff")
        for index, position in enumerate(self._positions):
            focused = index == self._selected and self.hasFocus()
            self._paint_handle(painter, position, shades[index], focused=focused)

    def _paint_handle(self, painter: QPainter, position: float, shade: str, *, focused: bool) -> None:
        tokens, x, top = tokens_of(self), self._place(position), self._bar().bottom()
        painter.setPen(QPen(QColor(tokens.accent if focused else tokens.text), 1.6 if focused else 1.2))
        painter.setBrush(QColor(shade))
        points = [QPointF(x, top - 4), QPointF(x + _HANDLE, top + 8), QPointF(x - _HANDLE, top + 8)]
        painter.drawPolygon(QPolygonF(points))

    def _bar(self) -> QRectF:
        return QRectF(_MARGIN, self.height() - 24, self.width() - 2 * _MARGIN, 10)

    def _place(self, position: float) -> float:
        return self._bar().left() + position * self._bar().width()

    def _crowded(self, index: int) -> bool:
        """Whether a handle lies at the end that its neighbours come from."""
        return (self._positions[index] > 0.5) != (index == 0)

    def _drag_to(self, x: float) -> None:
        bar = self._bar()
        position = min(max((x - bar.left()) / bar.width(), 0.0), 1.0)
        self.moved.emit(self._numbers[self._selected], position, True)
        self.update()


def gamma_position(given: Range) -> float:
    """Where the input lies that becomes the middle: black + (white - black)·0.5^gamma."""
    black, gamma, white, _, _ = given
    return black + (white - black) * 0.5**gamma


def gamma_at(position: float, given: Range) -> float:
    """The gamma whose middle lies at `position`, within its bounds."""
    black, _, white, _, _ = given
    share = min(max((position - black) / (white - black), 1e-4), 1 - 1e-4)
    return min(max(math.log(share) / math.log(0.5), GAMMA_MIN), GAMMA_MAX)


def _limited(index: int, value: float, given: Range) -> float:
    if index == GAMMA:
        return min(max(round(value, 2), GAMMA_MIN), GAMMA_MAX)
    value = round(value * 255) / 255
    if index == BLACK:
        return min(max(value, 0.0), given[WHITE] - SMALLEST_SPAN)
    if index == WHITE:
        return max(min(value, 1.0), given[BLACK] + SMALLEST_SPAN)
    return min(max(value, 0.0), 1.0)


def _spread(boxes: Sequence[QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    for index, box in enumerate(boxes):
        if index:
            row.addStretch(1)
        row.addWidget(box)
    return row
