"""A row that tells how far something is: its name, words about its state, and a bar below them."""

from collections.abc import Iterable

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from widgets.look.elided_label import ElidedLabel
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font, tabular


class ProgressRow(QWidget):
    """The name, the words and the bar; who makes it says what stands at both ends."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = ElidedLabel("")
        self.state = Label()
        self.state.setProperty("dim", True)
        self.state.setFont(tabular(scaled_font(self.state.font(), 0.92)))
        self.bar = QProgressBar(textVisible=False)

    def lay_out(self, before: Iterable[QWidget], after: Iterable[QWidget]) -> None:
        """Put all of it side by side."""
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.label, 1)
        top.addWidget(self.state)
        text = QVBoxLayout()
        text.setSpacing(5)
        text.addLayout(top)
        text.addWidget(self.bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(8)
        for widget in before:
            layout.addWidget(widget)
        layout.addLayout(text, 1)
        for widget in after:
            layout.addWidget(widget)
