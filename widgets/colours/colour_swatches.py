"""Foreground and background colour as two squares; a click chooses another colour."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from editor.tools.colours import Colour, Colours
from widgets.canvas.canvas_scene import checker_tile
from widgets.colours.colour_picker import ColourPicker
from widgets.look.icons import IconButton
from widgets.look.plain_text import set_tip
from widgets.look.theme import tokens_of

_SIDE = 22
_FRONT, _BACK = QRect(1, 1, _SIDE, _SIDE), QRect(11, 11, _SIDE, _SIDE)


class ColourPair(QWidget):
    """The two squares, the foreground in front; Return and Space open the foreground's picker."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._picker: ColourPicker | None = None
        self.setFixedSize(QSize(34, 34))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("Foreground and background colour"))
        colours.changed.connect(self._on_changed)
        self._on_changed()

    @property
    def picker(self) -> ColourPicker | None:
        """The open picker, for tests."""
        return self._picker if self._picker is not None and self._picker.isVisible() else None

    def choose(self, *, foreground: bool) -> None:
        """Open the picker beside the squares."""
        if self._picker is None:
            self._picker = ColourPicker(self)
            self._picker.chosen.connect(self._on_chosen)
        self._foreground = foreground
        self._picker.show_colour(self._colours.foreground if foreground else self._colours.background)
        self._picker.show_beside(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and (_FRONT.contains(point) or _BACK.contains(point)):
            self.choose(foreground=_FRONT.contains(point))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.choose(foreground=True)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_square(painter, _BACK, self._colours.background)
        self._paint_square(painter, _FRONT, self._colours.foreground)
        if self.hasFocus():
            painter.setPen(QPen(QColor(tokens_of(self).accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_square(self, painter: QPainter, place: QRect, colour: Colour) -> None:
        tokens = tokens_of(self)
        painter.fillRect(place, QColor(tokens.panel))
        inner = place.adjusted(2, 2, -2, -2)
        painter.fillRect(inner, QBrush(checker_tile("#ffffff", "#c8c8c8", 4)))
        painter.fillRect(inner, QColor(*colour))
        painter.setPen(QPen(QColor(tokens.control), 1))
        painter.drawRect(place.adjusted(1, 1, -2, -2))

    def _on_chosen(self, colour: Colour) -> None:
        if self._foreground:
            self._colours.set_foreground(colour)
        else:
            self._colours.set_background(colour)

    def _on_changed(self) -> None:
        names = [QColor(*colour).name() for colour in (self._colours.foreground, self._colours.background)]
        text = self.tr("Foreground {foreground}, background {background}")
        set_tip(self, text.format(foreground=names[0], background=names[1]))
        self.update()


class ColourSwatches(QWidget):
    """The squares, with small buttons that swap them and put black and white there."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pair = ColourPair(colours)
        swap = IconButton("swap", self.tr("Swap the two colours"), size_px=12)
        swap.clicked.connect(colours.swap)
        reset = IconButton("reset", self.tr("Black and white"), size_px=12)
        reset.clicked.connect(colours.reset)
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        for button in (swap, reset):
            button.setFixedSize(17, 18)
            button.setStyleSheet("padding: 0")
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(3)
        layout.addLayout(buttons)
        layout.addWidget(self.pair, 0, Qt.AlignmentFlag.AlignHCenter)
