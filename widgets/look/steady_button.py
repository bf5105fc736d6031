"""A button that says one thing after the other and is as wide as the longest: what is beside it stays."""

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton


class SteadyButton(QPushButton):
    """See the module's text."""

    def __init__(self) -> None:
        super().__init__()
        self._others: tuple[str, ...] = ()

    def say(self, text: str, others: Iterable[str]) -> None:
        """Show `text`; `others` are what it says at other times."""
        self._others = tuple(others)
        self.setText(text)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return self._widest(super().sizeHint())

    def minimumSizeHint(self) -> QSize:
        return self._widest(super().minimumSizeHint())

    def _widest(self, own: QSize) -> QSize:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        for option.text in self._others:
            written = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, option.text)
            needed = self.style().sizeFromContents(QStyle.ContentsType.CT_PushButton, option, written, self)
            own.setWidth(max(own.width(), needed.width()))
        return own
