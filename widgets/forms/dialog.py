"""What all dialogs share: they do not block, have the same margins, and close with Escape."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid


class Dialog(QDialog):
    """A non-modal window with a column of content and a row of buttons at its foot."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(False)
        self.setWindowFlag(Qt.WindowType.WindowContextHelpButtonHint, False)
        self.column = QVBoxLayout()
        self.column.setSpacing(10)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(8)
        self.foot.addStretch(1)
        self._first: QWidget | None = None
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(16)
        layout.addLayout(self.column, 1)
        layout.addLayout(self.foot)

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Show):
            self._grow()
        return handled

    def begin_with(self, field: QWidget) -> None:
        """The field that has the keyboard when the dialog opens, its value chosen to be typed over."""
        self._first = field

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._first is not None and not event.spontaneous():  # not when it comes back from the task bar
            self._first.setFocus()
            if isinstance(self._first, QLineEdit | QAbstractSpinBox):
                self._first.selectAll()

    def _grow(self) -> None:
        """Make room for texts that became longer."""
        layout = self._layout
        needed = layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else 0
        if self.isVisible() and needed > self.height():
            self.resize(self.width(), needed)

    def while_here(self, answer: Callable[..., object]) -> Callable[..., None]:
        """`answer`, which nobody waits for any more when the dialog is gone."""

        def told(*values: Any) -> None:
            if isValid(self):
                answer(*values)

        return told

    def add_cancel(self) -> QPushButton:
        """A button that closes the dialog and changes nothing."""
        button = self.add_button(QCoreApplication.translate("Dialog", "Cancel"))
        button.clicked.connect(self.close)
        return button

    def add_button(self, text: str, *, primary: bool = False) -> QPushButton:
        """A button at the right end of the foot."""
        button = QPushButton(text)
        button.setProperty("primary", primary)
        button.setDefault(primary)
        button.setAutoDefault(primary)
        self.foot.addWidget(button)
        return button
