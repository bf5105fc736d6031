"""Paints one row of the command palette: name with the found letters, menu, shortcut."""

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from widgets.look.theme import Tokens, scaled_font, tokens_of

ENTRY_ROLE = Qt.ItemDataRole.UserRole
_PAD = 12


@dataclass(frozen=True)
class Shown:
    """What a row shows; `positions` are the letters of `text` that were typed."""

    id: str
    text: str
    path: str
    keys: str
    positions: tuple[int, ...]


class PaletteDelegate(QStyledItemDelegate):
    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, self._view.fontMetrics().height() + 14)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = index.data(ENTRY_ROLE)
        if not isinstance(entry, Shown):
            return
        tokens = tokens_of(self._view)
        state: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        row: QRect = option.rect  # type: ignore[attr-defined]
        enabled = bool(state & QStyle.StateFlag.State_Enabled)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if enabled and state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            selected = bool(state & QStyle.StateFlag.State_Selected)
            painter.setBrush(QColor(tokens.selection if selected else tokens.hover))
            painter.drawRoundedRect(QRectF(row).adjusted(1, 1, -1, -1), 5, 5)
        place = row.adjusted(_PAD, 0, -_PAD, 0)
        keys = _paint_right(painter, place, entry.keys, tokens, enabled=enabled)
        x = _paint_name(painter, place.adjusted(0, 0, -keys, 0), entry, tokens, enabled=enabled)
        painter.setFont(scaled_font(self._view.font(), 0.9))
        painter.setPen(QColor(tokens.dim if enabled else tokens.faint))
        rest = QRect(x + 12, row.top(), max(0, place.right() - keys - x - 12), row.height())
        path = painter.fontMetrics().elidedText(entry.path, Qt.TextElideMode.ElideRight, rest.width())
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, path)
        painter.restore()


def _paint_right(painter: QPainter, place: QRect, keys: str, tokens: Tokens, *, enabled: bool) -> int:
    """The shortcut at the right edge; gives the room it takes."""
    if not keys:
        return 0
    painter.setPen(QColor(tokens.dim if enabled else tokens.faint))
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, keys)
    return painter.fontMetrics().horizontalAdvance(keys) + 16


def _paint_name(painter: QPainter, place: QRect, entry: Shown, tokens: Tokens, *, enabled: bool) -> int:
    """The name, its found letters in the accent's colour; gives where it ends."""
    metrics, x = painter.fontMetrics(), place.left()
    found = set(entry.positions)
    for start, end in _runs(entry.text, found):
        part = entry.text[start:end]
        colour = tokens.accent if start in found else tokens.text
        painter.setPen(QColor(colour if enabled else tokens.faint))
        painter.drawText(QRect(x, place.top(), place.right() - x, place.height()), _LEFT, part)
        x += metrics.horizontalAdvance(part)
    return x


_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


def _runs(text: str, found: set[int]) -> list[tuple[int, int]]:
    """[start, end) of stretches whose letters are all found, or all not."""
    edges = [0]
    edges += [at for at in range(1, len(text)) if (at in found) != (at - 1 in found)]
    return list(zip(edges, [*edges[1:], len(text)], strict=True)) if text else []
