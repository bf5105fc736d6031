"""The colour under the pointer: a patch and its numbers."""

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import tokens_of

_PATCH_PX = 12


class ColourPatch(Label):
    """“#4fb3a0”, with the opacity where it is not full; the tool tip gives red, green and blue."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._colour = QColor()
        self.setIndent(_PATCH_PX + 8)

    def show_colour(self, colour: QColor) -> None:
        if colour == self._colour:
            return
        self._colour = colour
        text = colour.name()
        if colour.alpha() < 255:
            text += f" · {round(colour.alphaF() * 100)} %"
        self.setText(text)
        numbers = self.tr("Red {red}, green {green}, blue {blue}")
        set_tip(self, numbers.format(red=colour.red(), green=colour.green(), blue=colour.blue()))
        self.update()

    def sizeHint(self) -> QSize:
        wide = self.fontMetrics().horizontalAdvance("#000000 · 100 %")
        return QSize(wide + _PATCH_PX + 24, super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._colour.isValid():
            return
        tokens = tokens_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(8.5, (self.height() - _PATCH_PX) / 2, _PATCH_PX, _PATCH_PX)
        painter.setPen(QPen(QColor(tokens.control), 1))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(box, 3, 3)
