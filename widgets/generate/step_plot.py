"""The curve of a step search: the share of right pictures by the step of the refinement."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from inference.evaluation.choose_step import StepCurve
from widgets.look.plain_text import show_tip
from widgets.look.theme import scaled_font, tabular, tokens_of

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 30, 38
_DOT_PX = 3.0
_GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEAST_LABEL_PX = 24  # so far apart are the steps that are named


class StepPlot(QWidget):
    """One line a set of prompts; a dashed line marks the best step. Empty before the first results."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curve: StepCurve | None = None
        self._last = 1  # the last step of the axis
        self._empty = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Share of right pictures by step"))

    def sizeHint(self) -> QSize:
        return QSize(520, 280)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 200)

    def show_curve(self, curve: StepCurve | None, last_step: int, empty: str) -> None:
        """Show a curve on an axis up to `last_step`, or the text `empty`."""
        self._curve, self._last, self._empty = curve, max(1, last_step), empty
        self.setAccessibleDescription(self._described())
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self._text_at(event.pos().x())
            show_tip(event.globalPos(), text, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(tabular(scaled_font(self.font(), 0.92)))
        self._paint_grid(painter)
        if self._curve is None:
            painter.setPen(QColor(tokens_of(self).dim))
            # between two lines of the grid
            between = QRectF(
                self._area.left(), self._y(0.75), self._area.width(), self._y(0.5) - self._y(0.75)
            )
            painter.drawText(between, Qt.AlignmentFlag.AlignCenter, self._empty)
        else:
            self._paint_best(painter, self._curve)
            self._paint_lines(painter, self._curve)

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def _x(self, step: float) -> float:
        return self._area.left() + self._area.width() * step / self._last

    def _y(self, share: float) -> float:
        return self._area.bottom() - self._area.height() * share

    def _paint_grid(self, painter: QPainter) -> None:
        tokens, area = tokens_of(self), self._area
        for share in _GRID:
            painter.setPen(QPen(QColor(tokens.line if share else tokens.control), 1))
            painter.drawLine(QPointF(area.left(), self._y(share)), QPointF(area.right(), self._y(share)))
            painter.setPen(QColor(tokens.dim))
            beside = QRectF(0, self._y(share) - 10, _LEFT - 8, 20)
            painter.drawText(
                beside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{share:.0%}"
            )
        every = 2
        while area.width() * every / self._last < _LEAST_LABEL_PX:
            every += 2
        for step in range(0, self._last + 1, every):
            below = QRectF(self._x(step) - 20, area.bottom() + 4, 40, 16)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(step))
        title = QRectF(area.left(), self.height() - 18, area.width(), 16)
        painter.drawText(title, Qt.AlignmentFlag.AlignCenter, self.tr("Step of the refinement"))

    def _paint_best(self, painter: QPainter, curve: StepCurve) -> None:
        tokens, area, x = tokens_of(self), self._area, self._x(curve.chosen)
        painter.setPen(QPen(QColor(tokens.accent), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_lines(self, painter: QPainter, curve: StepCurve) -> None:
        tokens, area = tokens_of(self), self._area
        legend = area.left()
        for index, (name, values) in enumerate(curve.tiam.items()):
            colour = tokens.subject(index)
            points = [QPointF(self._x(s), self._y(v)) for s, v in zip(curve.tried, values, strict=True)]
            painter.setPen(QPen(colour, 2))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            for point in points:
                painter.drawEllipse(point, _DOT_PX, _DOT_PX)
            painter.drawEllipse(QPointF(legend + 4, _TOP / 2), _DOT_PX + 1, _DOT_PX + 1)
            painter.setPen(QColor(tokens.text))
            text = self._set_label(name)
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(QRectF(legend + 14, 0, width + 4, _TOP), Qt.AlignmentFlag.AlignVCenter, text)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            legend += width + 36

    def _set_label(self, name: str) -> str:
        labels = {
            "2": self.tr("two subjects"),
            "3": self.tr("three subjects"),
            "2-colours": self.tr("two coloured subjects"),
            "3-colours": self.tr("three coloured subjects"),
        }
        return labels.get(name, name)

    def _text_at(self, x: float) -> str:
        if self._curve is None:
            return ""
        step = min(self._curve.tried, key=lambda step: abs(self._x(step) - x))
        return self._described_step(self._curve, step)

    def _described_step(self, curve: StepCurve, step: int) -> str:
        index = curve.tried.index(step)
        lines = [self.tr("Step {step}").format(step=step)]
        lines += [f"{self._set_label(name)}: {values[index]:.0%}" for name, values in curve.tiam.items()]
        return "\n".join(lines)

    def _described(self) -> str:
        if self._curve is None:
            return self._empty
        texts = (self._described_step(self._curve, step) for step in self._curve.tried)
        return "; ".join(itertools.chain(text.replace("\n", ", ") for text in texts))
