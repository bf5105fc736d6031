"""Line icons in the colour of the text, crisp at every scale factor."""

from functools import cache
from importlib import resources

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QToolButton, QWidget

from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import tokens_of

_SCALES = (1, 2, 3)


@cache
def _source(name: str) -> bytes:
    return (resources.files("resources") / "icons" / f"{name}.svg").read_bytes()


@cache
def icon(name: str, colour: str, faint: str, size_px: int = 18) -> QIcon:
    """The icon `name` with every `currentColor` replaced; `faint` is its colour when disabled."""
    made = QIcon()
    for mode, shade in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, faint)):
        renderer = QSvgRenderer(QByteArray(_source(name).replace(b"currentColor", shade.encode())))
        for scale in _SCALES:
            made.addPixmap(_rendered(renderer, size_px * scale, scale), mode)
    return made


def _rendered(renderer: QSvgRenderer, size: int, scale: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap


def icon_for(widget: QWidget, name: str, *, size_px: int = 18, accent: bool = False) -> QIcon:
    """The icon in the colours of a widget's theme."""
    tokens = tokens_of(widget)
    return icon(name, tokens.accent if accent else tokens.dim, tokens.faint, size_px)


class IconLabel(Label):
    """A line icon in the accent colour that follows the theme."""

    def __init__(self, name: str, size_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._name, self._size_px = name, size_px
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._refresh()

    def _refresh(self) -> None:
        shown = icon_for(self, self._name, size_px=self._size_px, accent=True)
        self.setPixmap(shown.pixmap(QSize(self._size_px, self._size_px)))


class ThemedButton(QToolButton):
    """A button whose icon is in the colours of the theme: `refresh` sets it, also when these change."""

    def refresh(self) -> None:
        raise NotImplementedError

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.refresh()


class IconButton(ThemedButton):
    """A flat button with a line icon that follows the theme; the tool tip is its accessible name."""

    def __init__(
        self,
        name: str,
        tip: str,
        parent: QWidget | None = None,
        *,
        size_px: int = 16,
        checkable: bool = False,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._size_px = size_px
        self.setCheckable(checkable)
        set_tip(self, tip)
        self.setAccessibleName(tip)
        self.setIconSize(QSize(size_px, size_px))
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.toggled.connect(self.refresh)
        self.refresh()

    def set_icon(self, name: str) -> None:
        self._name = name
        self.refresh()

    def follow(self, action: QAction) -> None:
        """Mirror an action (state and trigger) but keep the themed icon."""
        self.setDefaultAction(action)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.refresh()

    def refresh(self) -> None:
        self.setIconSize(QSize(self._size_px, self._size_px))
        self.setIcon(icon_for(self, self._name, size_px=self._size_px, accent=self.isChecked()))
