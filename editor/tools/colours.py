"""The two colours that tools paint with."""

from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from inference.errors import EditorError

Colour: TypeAlias = tuple[int, int, int, int]
"""Straight RGBA, 0..255, in the document's colour space."""

BLACK: Colour = (0, 0, 0, 255)
WHITE: Colour = (255, 255, 255, 255)


class Colours(QObject):
    """Foreground and background; one for the whole program."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._foreground = BLACK
        self._background = WHITE

    @property
    def foreground(self) -> Colour:
        return self._foreground

    @property
    def background(self) -> Colour:
        return self._background

    def set_foreground(self, colour: Colour) -> None:
        self._set(colour, self._background)

    def set_background(self, colour: Colour) -> None:
        self._set(self._foreground, colour)

    def swap(self) -> None:
        self._set(self._background, self._foreground)

    def reset(self) -> None:
        """Black on white."""
        self._set(BLACK, WHITE)

    def _set(self, foreground: Colour, background: Colour) -> None:
        for colour in (foreground, background):
            if len(colour) != 4 or not all(0 <= value <= 255 for value in colour):
                raise EditorError("A colour is {colour}: allowed are four numbers 0 to 255.", colour=colour)
        if (foreground, background) != (self._foreground, self._background):
            self._foreground, self._background = foreground, background
            self.changed.emit()
