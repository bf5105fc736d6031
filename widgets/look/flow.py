"""Widgets side by side that begin a new row where one is full, as words in a paragraph do."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Flow(QWidget):
    """Asks for the width of its widest widget alone, so that any number of them fits into a narrow panel."""

    def __init__(self, parent: QWidget | None = None, *, spacing_px: int = 6) -> None:
        super().__init__(parent)
        self._spacing_px = spacing_px
        self._widgets: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        return tuple(self._widgets)

    def set_widgets(self, widgets: Sequence[QWidget]) -> None:
        """Show these and delete those of before that are not among them; without any nothing is shown."""
        for widget in set(self._widgets).difference(widgets):
            widget.hide()
            widget.deleteLater()
        self._widgets = list(widgets)
        for widget in widgets:
            widget.setParent(self)
            widget.show()
        self.setVisible(bool(widgets))
        self._place(self.width(), move=True)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(width, move=False)

    def sizeHint(self) -> QSize:
        least = self.minimumSizeHint()
        return QSize(least.width(), self.heightForWidth(max(self.width(), least.width())))

    def minimumSizeHint(self) -> QSize:
        hints = [widget.minimumSizeHint() for widget in self._widgets]
        return QSize(
            max((hint.width() for hint in hints), default=0),
            max((hint.height() for hint in hints), default=0),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place(self.width(), move=True)

    def _place(self, width: int, *, move: bool) -> int:
        """The height that the rows take; `move` puts the widgets there."""
        x = y = row = 0
        for widget in self._widgets:
            size = widget.sizeHint().boundedTo(QSize(max(width, 1), widget.sizeHint().height()))
            if x > 0 and x + size.width() > width:
                x, y, row = 0, y + row + self._spacing_px, 0
            if move:
                widget.setGeometry(QRect(QPoint(x, y), size))
            x += size.width() + self._spacing_px
            row = max(row, size.height())
        return y + row
