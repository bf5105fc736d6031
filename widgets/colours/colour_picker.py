"""A small window that chooses a colour: a field of shades, a strip of hues, opacity, and numbers."""

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QLinearGradient, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from editor.tools.colours import Colour
from widgets.canvas.canvas_scene import checker_tile
from widgets.forms.fields import SpinBox
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import inset, tokens_of

_FIELD = QSize(232, 150)
_STRIP_PX = 14
_HUES = tuple(QColor.fromHsvF(step / 6 % 1.0, 1.0, 1.0) for step in range(7))
_WAYS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
_MAXIMA = {"h": 359, "s": 100, "v": 100, "r": 255, "g": 255, "b": 255, "a": 100}


class ColourPicker(QFrame):
    """Tells each change at once by `chosen`; closes on Return, Escape, or a click beside it."""

    chosen = Signal(object)  # Colour

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("Popup")
        self._hue, self._saturation, self._value, self._alpha = 0.0, 0.0, 0.0, 1.0
        self.field = ShadeField()
        self.hue = Strip(self.tr("Hue"))
        self.alpha = Strip(self.tr("Opacity"))
        self.hex = QLineEdit()
        self.hex.setAccessibleName(self.tr("Colour as hexadecimal number"))
        self.hex.setMaxLength(9)
        self.boxes = {name: self._box(name) for name in _MAXIMA}
        self._lay_out()
        self.field.picked.connect(self._on_field)
        self.hue.picked.connect(lambda share: self._set(hue=min(share, 0.9999)))
        self.alpha.picked.connect(lambda share: self._set(alpha=share))
        self.hex.editingFinished.connect(self._on_hex)

    def show_colour(self, colour: Colour) -> None:
        """Show a colour without telling it."""
        hue, saturation, value, alpha = QColor(*colour).getHsvF()  # type: ignore[misc] # PySide gives four
        if hue >= 0:  # greys keep the hue that was there
            self._hue = hue
        self._saturation, self._value, self._alpha = saturation, value, alpha
        self._refresh()

    def show_beside(self, widget: QWidget) -> None:
        """Open to the right of a widget, inside the screen."""
        self.adjustSize()
        corner = widget.mapToGlobal(QPoint(widget.width() + 10, widget.height() - self.height()))
        screen = widget.screen().availableGeometry()
        corner.setX(max(screen.left(), min(corner.x(), screen.right() - self.width())))
        corner.setY(max(screen.top(), min(corner.y(), screen.bottom() - self.height())))
        self.move(corner)
        self.show()
        self.hex.setFocus()
        self.hex.selectAll()

    def colour(self) -> QColor:
        return QColor.fromHsvF(self._hue, self._saturation, self._value, self._alpha)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(8)
        for part in (self.field, self.hue, self.alpha):
            layout.addWidget(part)
        first = QHBoxLayout()
        first.addWidget(_label(self.tr("Hex")))
        first.addWidget(self.hex, 1)
        layout.addLayout(first)
        first.addWidget(_label(self.tr("Opacity")))
        first.addWidget(self.boxes["a"])
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        names = (("h", self.tr("H")), ("s", self.tr("S")), ("v", self.tr("V")),
                 ("r", self.tr("R")), ("g", self.tr("G")), ("b", self.tr("B")))  # fmt: skip
        for index, (name, text) in enumerate(names):
            row, column = divmod(index, 3)
            grid.addWidget(_label(text), row, 2 * column)
            grid.addWidget(self.boxes[name], row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
        layout.addLayout(grid)

    def _box(self, name: str) -> QSpinBox:
        box = SpinBox()
        box.setRange(0, _MAXIMA[name])
        box.setProperty("bare", True)
        box.setKeyboardTracking(False)
        box.setMinimumWidth(48)
        box.setMaximumWidth(64)
        inset(box)
        box.valueChanged.connect(lambda: self._on_number(name))
        return box

    def _on_field(self, saturation: float, value: float) -> None:
        self._set(saturation=saturation, value=value)

    def _on_number(self, name: str) -> None:
        number = {key: box.value() for key, box in self.boxes.items()}
        if name in "hsv":
            self._set(hue=number["h"] / 360, saturation=number["s"] / 100, value=number["v"] / 100)
        elif name == "a":
            self._set(alpha=number["a"] / 100)
        else:
            self._take(QColor(number["r"], number["g"], number["b"], round(self._alpha * 255)))

    def _on_hex(self) -> None:
        text = self.hex.text().strip().removeprefix("#")
        colour = QColor(f"#{text[6:8]}{text[:6]}" if len(text) == 8 else f"#{text}")
        if colour.isValid():
            self._take(colour)
        else:
            self._refresh()  # what was typed is no colour: the old one stands

    def _take(self, colour: QColor) -> None:
        self.show_colour((colour.red(), colour.green(), colour.blue(), colour.alpha()))
        self._tell()

    def _set(
        self,
        *,
        hue: float | None = None,
        saturation: float | None = None,
        value: float | None = None,
        alpha: float | None = None,
    ) -> None:
        self._hue = self._hue if hue is None else hue
        self._saturation = self._saturation if saturation is None else saturation
        self._value = self._value if value is None else value
        self._alpha = self._alpha if alpha is None else alpha
        self._refresh()
        self._tell()

    def _tell(self) -> None:
        colour = self.colour()
        self.chosen.emit((colour.red(), colour.green(), colour.blue(), colour.alpha()))

    def _refresh(self) -> None:
        colour = self.colour()
        self.field.show_colour(self._hue, self._saturation, self._value)
        self.hue.show_share(self._hue, _HUES)
        opaque = QColor(colour.red(), colour.green(), colour.blue())
        clear = QColor(colour.red(), colour.green(), colour.blue(), 0)
        self.alpha.show_share(self._alpha, (clear, opaque))
        self.hex.setText(colour.name() + (f"{colour.alpha():02x}" if colour.alpha() < 255 else ""))
        numbers = {
            "h": round(self._hue * 360) % 360,
            "s": round(self._saturation * 100),
            "v": round(self._value * 100),
            "r": colour.red(),
            "g": colour.green(),
            "b": colour.blue(),
            "a": round(self._alpha * 100),
        }
        for name, box in self.boxes.items():
            blocked = box.blockSignals(True)
            box.setValue(numbers[name])
            box.blockSignals(blocked)


class ShadeField(QWidget):
    """Saturation from left to right, value from bottom to top, of one hue."""

    picked = Signal(float, float)  # saturation, value

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = (0.0, 0.0, 0.0)
        self.setMinimumSize(_FIELD)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Saturation and value"))

    def show_colour(self, hue: float, saturation: float, value: float) -> None:
        self._colour = hue, saturation, value
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pick(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        way = _WAYS.get(Qt.Key(event.key()))
        if way is None:
            super().keyPressEvent(event)
            return
        _, saturation, value = self._colour
        self.picked.emit(_share(saturation + way[0] / 100), _share(value + way[1] / 100))

    def _pick(self, point: QPointF) -> None:
        self.picked.emit(_share(point.x() / (self.width() - 1)), _share(1 - point.y() / (self.height() - 1)))

    def paintEvent(self, event: QPaintEvent) -> None:
        hue, saturation, value = self._colour
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        for end, colours in (
            (box.topRight(), (QColor("#ffffff"), QColor.fromHsvF(hue, 1.0, 1.0))),
            (box.bottomLeft(), (QColor(0, 0, 0, 0), QColor("#000000"))),
        ):
            gradient = QLinearGradient(box.topLeft(), end)
            gradient.setColorAt(0, colours[0])
            gradient.setColorAt(1, colours[1])
            painter.fillRect(box, gradient)
        centre = QPointF(saturation * (self.width() - 1), (1 - value) * (self.height() - 1))
        for colour, width in ((QColor(0, 0, 0, 150), 3.5), (QColor("#ffffff"), 1.75)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(centre, 6, 6)
        _paint_focus(painter, self)


class Strip(QWidget):
    """A gradient with a mark at a share (0..1) of its length."""

    picked = Signal(float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.0
        self._colours: tuple[QColor, ...] = (QColor("#000000"), QColor("#ffffff"))
        self.setMinimumWidth(_FIELD.width())
        self.setFixedHeight(_STRIP_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(name)
        set_tip(self, name)

    def show_share(self, share: float, colours: tuple[QColor, ...]) -> None:
        self._share, self._colours = share, colours
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.picked.emit(_share(event.position().x() / (self.width() - 1)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.picked.emit(_share(event.position().x() / (self.width() - 1)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -0.01, Qt.Key.Key_Right: 0.01}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.picked.emit(_share(self._share + step))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0, 2, 0, -2)
        painter.fillRect(box, QBrush(checker_tile("#ffffff", "#c8c8c8", 4)))
        gradient = QLinearGradient(box.topLeft(), box.topRight())
        for index, colour in enumerate(self._colours):
            gradient.setColorAt(index / (len(self._colours) - 1), colour)
        painter.fillRect(box, gradient)
        mark = QRectF(self._share * (self.width() - 7) + 1, 0.5, 5, self.height() - 1)
        painter.setPen(QPen(QColor(0, 0, 0, 170), 1))
        painter.setBrush(QColor("#ffffff"))
        painter.drawRoundedRect(mark, 2, 2)
        _paint_focus(painter, self)


def _paint_focus(painter: QPainter, widget: QWidget) -> None:
    if widget.hasFocus():
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens_of(widget).accent), 1))
        painter.drawRect(QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5))


def _label(text: str) -> Label:
    label = Label(text)
    label.setProperty("dim", True)
    return label


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
