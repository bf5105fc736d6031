"""Fields for numbers and choices that a scrolling pointer leaves alone, and that take both decimal marks."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFontComboBox,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

_STRONG = Qt.FocusPolicy.StrongFocus  # Qt's own would take the focus by the wheel


def _turn(field: QWidget, event: QWheelEvent, turned: Callable[[QWheelEvent], None]) -> None:
    """Hand the wheel to a field that has the focus; else it goes on to what scrolls around it."""
    if field.hasFocus():
        turned(event)
    else:
        event.ignore()


_SIDES_PX = 2  # that a style leaves free beside the words


class ComboBox(QComboBox):
    """A choice; the wheel changes it only while it has the focus, and what is too long ends in “…”."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(_STRONG)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text(option)  # type: ignore[attr-defined]
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def shown_text(self, option: QStyleOptionComboBox) -> str:
        """The words of the choice as far as there is room for them."""
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width()
        if not self.itemIcon(self.currentIndex()).isNull():
            room -= self.iconSize().width() + 4
        return self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, room - _SIDES_PX
        )

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(_SIDES_PX, 0)  # else the longest choice would end in “…”

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turn(self, event, super().wheelEvent)


class FontComboBox(QFontComboBox):
    """A choice of a font; the wheel changes it only while it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(_STRONG)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turn(self, event, super().wheelEvent)


class SpinBox(QSpinBox):
    """A whole number; the wheel changes it only while it has the focus."""

    def __init__(self, parent: QWidget | None = None, **settings: Any) -> None:
        super().__init__(parent, **settings)
        self.setFocusPolicy(_STRONG)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turn(self, event, super().wheelEvent)


class DoubleSpinBox(QDoubleSpinBox):
    """A number typed with a point or a comma, whatever the language of the system.

    Neither is ever taken for a mark of thousands: 1.5 is one and a half everywhere.
    """

    def __init__(self, parent: QWidget | None = None, **settings: Any) -> None:
        super().__init__(parent, **settings)
        self.setFocusPolicy(_STRONG)
        self.setGroupSeparatorShown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turn(self, event, super().wheelEvent)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(self._with_own_mark(text))

    def validate(self, text: str, position: int) -> object:  # type: ignore[override] # PySide wants three
        state, _, _ = super().validate(self._with_own_mark(text), position)  # type: ignore[misc]
        return state, text, position

    def _with_own_mark(self, text: str) -> str:
        """The text with the mark that the system's language has, which is all that Qt reads."""
        mark = self.locale().decimalPoint()
        return text.replace("," if mark == "." else ".", mark)


class Slider(QSlider):
    """A horizontal slider; the wheel moves it only while it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(_STRONG)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _turn(self, event, super().wheelEvent)
