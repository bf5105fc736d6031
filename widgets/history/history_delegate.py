"""Paints a row of the history, with a mark at the state that was saved."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from widgets.history.history_model import SAVED_ROLE
from widgets.look.icons import icon
from widgets.look.theme import tokens_of

_MARK_PX = 14


class HistoryDelegate(QStyledItemDelegate):
    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        if index.data(SAVED_ROLE):
            row: QRect = option.rect  # type: ignore[attr-defined]
            tokens = tokens_of(self._view)
            box = QRect(0, 0, _MARK_PX, _MARK_PX)
            box.moveCenter(row.center())
            box.moveRight(row.right() - 8)
            icon("save", tokens.dim, tokens.faint, _MARK_PX).paint(painter, box)
