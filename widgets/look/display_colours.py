"""The way from a document's colours to those of the screen that shows it."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from inference.errors import EditorError
from inference.request import Pixels

Transform = Callable[[Pixels], Pixels]


class DisplayColours(QObject):
    """Keeps one transform until the profile of document or window changes; None changes nothing."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._profiles: tuple[bytes, bytes] = (b"", b"")
        self.transform: Transform | None = None

    def use(self, document_profile: bytes) -> bool:
        """Make the transform for a document's profile; whether it is another one than before."""
        profiles = document_profile, window_profile(self._widget)
        if profiles == self._profiles:
            return False
        self._profiles = profiles
        self.transform = _transform(*profiles)
        return True


def window_profile(widget: QWidget) -> bytes:
    """The ICC profile of the colours that a widget's window is shown in; b"" (sRGB) if none is known."""
    handle = widget.window().windowHandle()
    if handle is None:
        return b""
    space = handle.format().colorSpace()
    return bytes(space.iccProfile().data()) if space.isValid() else b""


def on_screen(pixels: Pixels, document: bytes, screen: bytes) -> Pixels:
    """RGBA pixels in a document's colours as a screen with `window_profile` shows them; any thread."""
    transform = _transform(document, screen)
    return pixels if transform is None else transform(pixels)


def _transform(document: bytes, screen: bytes) -> Transform | None:
    if document == screen:
        return None
    from editor.colour.conversion import (
        display_transform,  # brings LittleCMS, which most pictures do not need
    )

    try:
        return display_transform(document, screen)
    except EditorError:  # a profile that nobody can use: its numbers are shown as sRGB
        return None
