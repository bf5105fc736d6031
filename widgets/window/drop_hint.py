"""What is shown over the picture while files are dragged over the window: where they would go."""

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.look.theme import scaled_font, tokens_of, with_alpha

_MARGIN = 16


class DropHint(QWidget):
    """Two halves while a picture is open: open beside it, or put into it as layers."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._as_layers = False
        self._both = False
        self.hide()

    @property
    def as_layers(self) -> bool:
        """Whether what is dropped now becomes layers."""
        return self._both and self._as_layers

    def begin(self, *, has_document: bool) -> None:
        self._both = has_document
        self.setGeometry(self._parent.rect())
        self.show()
        self.raise_()

    def point_at(self, position: QPoint) -> None:
        """The pointer, in the parent's pixels."""
        right = position.x() >= self.width() / 2
        if right != self._as_layers:
            self._as_layers = right
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), with_alpha(tokens_of(self).backdrop, 0.72))
        if not self._both:
            self._paint_zone(painter, self.rect(), self.tr("Drop to open"), lit=True)
            return
        half = self.width() // 2
        left, right = QRect(0, 0, half, self.height()), QRect(half, 0, self.width() - half, self.height())
        self._paint_zone(painter, left, self.tr("Open"), lit=not self._as_layers)
        self._paint_zone(painter, right, self.tr("Add as layers"), lit=self._as_layers)

    def _paint_zone(self, painter: QPainter, zone: QRect, text: str, *, lit: bool) -> None:
        tokens = tokens_of(self)
        box = QRectF(zone).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        painter.setPen(QPen(QColor(tokens.accent if lit else tokens.control), 2, Qt.PenStyle.DashLine))
        painter.setBrush(with_alpha(tokens.accent, 0.12 if lit else 0.0))
        painter.drawRoundedRect(box, 12, 12)
        painter.setPen(QColor(tokens.text if lit else tokens.dim))
        painter.setFont(scaled_font(self.font(), 1.3, bold=True))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
