"""A label of one line that ends in an ellipsis where it is too long; the whole text is its tool tip."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent

from widgets.look.plain_text import Label

_MIN_WIDTH = 40


class ElidedLabel(Label):
    """Takes the width that it gets and never asks for more."""

    def minimumSizeHint(self) -> QSize:
        return QSize(_MIN_WIDTH, super().minimumSizeHint().height())

    @property
    def shown_text(self) -> str:
        """What fits into the label now."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, self.shown_text)
