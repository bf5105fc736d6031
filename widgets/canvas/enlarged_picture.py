"""A small picture enlarged better than by bilinear interpolation, on another thread."""

import math

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from editor.rendering.enlarge import enlarged
from editor.system.background import Background
from inference.errors import EditorError

_ENLARGED_PX = 1400  # the longer side of an enlarged version; larger pictures are sharp enough as they are


class EnlargedPicture(QObject):
    """The newest enlarged version of a picture; the one before stays until it is there."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._factor = 0
        self._image: QImage | None = None
        self._next: QImage | None = None

    @property
    def wanted(self) -> bool:
        return self._factor >= 2

    @property
    def image(self) -> QImage | None:
        return self._image if self.wanted else None

    def forget(self) -> None:
        self._image = self._next = None
        self._factor = 0

    def close(self) -> None:
        """Wait for the thread; call it once, before this object goes."""
        self.forget()
        self._background.wait()

    def set_factor(self, factor: int) -> bool:
        """How many times as large the picture is wanted; below 2 not at all. Whether one is to be made."""
        if factor == self._factor:
            return False
        self._factor = factor
        return self.wanted

    def start(self, original: QImage) -> None:
        """Enlarge a picture; while one is being enlarged, the newest waits."""
        self._next = original
        if not self._background.busy:
            self._begin()

    def _begin(self) -> None:
        original, self._next, factor = self._next, None, self._factor
        if original is None or factor < 2:
            return

        def make() -> QImage:
            made = enlarged(original, factor)
            return made.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)

        self._background.run(make, self._on_made, self._on_failed)

    def _on_made(self, image: QImage) -> None:
        if self.wanted:
            self._image = image
            self.changed.emit()
        self._begin()

    def _on_failed(self, _error: EditorError) -> None:
        self._begin()  # bilinear scaling does as well


def enlarging_factor(size: tuple[int, int], zoom: float) -> int:
    """How many times a picture of this size is worth enlarging at a zoom; below 2 not at all."""
    return min(math.ceil(zoom), _ENLARGED_PX // max(size)) if zoom > 1 else 0
