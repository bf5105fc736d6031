"""A row of widgets of which those that find no room stand in a menu behind a button at its end."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from widgets.look.icons import IconButton

_SIDE_PX = 7


class OverflowRow(QWidget):
    """Head, then as many of the widgets as fit, the button, then what always stays."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head: QWidget | None = None
        self._rows: list[QWidget] = []
        self._always: list[QWidget] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.more = IconButton("chevron-right", self.tr("Options that find no room in the bar"), size_px=16)
        self._menu = QMenu(self.more)
        self.page = QWidget()
        self._column = QVBoxLayout(self.page)
        self._column.setContentsMargins(12, 8, 4, 8)
        self._column.setSpacing(8)
        entry = QWidgetAction(self._menu)
        entry.setDefaultWidget(self.page)
        self._menu.addAction(entry)
        self.more.setMenu(self._menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(_SIDE_PX, 0, 0, 0)
        self._layout.setSpacing(0)

    def fill(self, head: QWidget, rows: Sequence[QWidget], always: Sequence[QWidget]) -> None:
        """Take other widgets; those before are deleted."""
        for widget in (self._head, *self._rows, *self._always):
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        self._head, self._rows, self._always = head, list(rows), list(always)
        self._arrange()

    def overflowing(self) -> list[QWidget]:
        """What stands in the menu now."""
        return [row for row in self._rows if row.parentWidget() is self.page]

    def minimumSizeHint(self) -> QSize:
        return QSize(self._fixed_width(), super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        rows = sum(row.sizeHint().width() for row in self._rows)
        return QSize(self._fixed_width() + rows, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._arrange()
        return super().event(event)

    def _fixed_width(self) -> int:
        kept = [*self._always, *([self._head] if self._head is not None else [])]
        return _SIDE_PX + sum(one.sizeHint().width() for one in kept) + self.more.sizeHint().width()

    def _fitting(self) -> int:
        """How many of the rows find room."""
        widths = [row.sizeHint().width() for row in self._rows]
        left = self.width() - self._fixed_width()
        if sum(widths) <= left + self.more.sizeHint().width():  # without the button
            return len(widths)
        count = 0
        while count < len(widths) and sum(widths[: count + 1]) <= left:
            count += 1
        return count

    def _arrange(self) -> None:
        if self._head is None:
            return
        fitting = self._fitting()
        while self._layout.takeAt(0) is not None:
            pass
        for row in self._rows[fitting:]:
            if row.parentWidget() is not self.page:
                self._column.addWidget(row)
                row.show()
        shown = [self._head, *self._rows[:fitting], self.more, *self._always]
        for widget in shown:
            self._layout.addWidget(widget)
            widget.show()
        self._layout.addStretch(1)
        self.more.setVisible(fitting < len(self._rows))
