"""Finds texts of shown widgets that have less room than they need."""

import re
from collections.abc import Iterator

from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QFontComboBox,
    QLabel,
    QScrollArea,
    QTabBar,
    QWidget,
)

from widgets.look.elided_label import ElidedLabel

_TOLERANCE_PX = 1  # of rounding


def cut_texts(root: QWidget) -> list[str]:
    """What is cut of a shown window or panel: its class, its text, what it has and what it needs."""
    for _ in range(3):  # a text that a timer has just set is laid out with the next turn
        QApplication.processEvents()
    found: list[str] = []
    for widget in (root, *root.findChildren(QWidget)):
        if not widget.isVisible() or widget.visibleRegion().isEmpty():  # behind another tab
            continue
        for text, has, needs in _needs(widget):
            if has < needs - _TOLERANCE_PX:
                found.append(f"{type(widget).__name__} “{text}”: {has} of {needs} px")
        outside = _outside(widget)
        if outside > _TOLERANCE_PX and _text_of(widget):
            found.append(f"{type(widget).__name__} “{_text_of(widget)}”: {outside} px outside")
        if isinstance(widget, QScrollArea) and widget.widget() is not None and not _scrolls(widget):
            wide, shown = widget.widget().minimumSizeHint().width(), widget.viewport().width()
            if wide > shown + _TOLERANCE_PX:
                found.append(f"{type(widget.widget()).__name__} in a scroll area: {shown} of {wide} px")
    return found


def _needs(widget: QWidget) -> Iterator[tuple[str, int, int]]:
    """(text, room that it has, room that it needs)."""
    if isinstance(widget, QLabel) and widget.text() and not isinstance(widget, ElidedLabel):
        if widget.wordWrap():
            yield widget.text(), widget.height(), widget.heightForWidth(widget.width())
            longest = max(
                re.findall(r"[!-~]+", widget.text()), key=len, default=""
            )  # Chinese breaks anywhere
            yield longest, widget.width(), widget.fontMetrics().horizontalAdvance(longest)
        else:
            yield widget.text(), widget.width(), widget.sizeHint().width()
            yield widget.text(), widget.height(), widget.fontMetrics().height()
    elif isinstance(widget, QAbstractButton) and widget.text() and not _only_icon(widget):
        yield widget.text(), widget.width(), widget.sizeHint().width()
        yield widget.text(), widget.height(), widget.sizeHint().height()
    elif isinstance(widget, QComboBox) and not isinstance(widget, QFontComboBox):
        edge = 30  # the arrow and the padding
        yield (
            widget.currentText(),
            widget.width(),
            widget.fontMetrics().horizontalAdvance(widget.currentText()) + edge,
        )
    elif isinstance(widget, QTabBar):
        for index in range(widget.count()):
            text = widget.tabText(index)
            yield text, widget.tabRect(index).width(), widget.fontMetrics().horizontalAdvance(text)


def _only_icon(button: QAbstractButton) -> bool:
    style = getattr(button, "toolButtonStyle", None)
    return style is not None and style() == style().ToolButtonIconOnly and not button.icon().isNull()


def _text_of(widget: QWidget) -> str:
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text()
    return widget.currentText() if isinstance(widget, QComboBox) else ""


def _outside(widget: QWidget) -> int:
    """By how much a widget reaches beyond the sides of what holds it, up to its window."""
    most, parent = 0, widget.parentWidget()
    while parent is not None and not widget.isWindow():
        left = widget.mapTo(parent, widget.rect().topLeft()).x()
        most = max(most, -left, left + widget.width() - parent.width())
        area = parent.parentWidget()
        if parent.isWindow() or (isinstance(area, QAbstractScrollArea) and _scrolls(area)):
            break
        parent = area
    return most


def _scrolls(area: QAbstractScrollArea) -> bool:
    """Whether what is beyond the sides can be scrolled to."""
    return area.horizontalScrollBarPolicy() != area.horizontalScrollBarPolicy().ScrollBarAlwaysOff
