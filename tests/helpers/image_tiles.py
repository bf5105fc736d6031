"""Tiles of a still image: what the tile compositor gives, without threads."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QImage, QPainter

from editor.pixels.raster import TILE_PX


class ImageTiles(QObject):
    """Has every level at once; `asked` remembers the last request."""

    tiles_ready = Signal(int, object)

    def __init__(self, image: QImage, parent: QObject | None = None, *, slow: bool = False) -> None:
        super().__init__(parent)
        self._image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        self._levels: dict[int, QImage] = {}
        self._slow = slow
        self.ready: set[tuple[int, int, int]] = set()
        self.asked: tuple[int, tuple[tuple[int, int], ...]] = (-1, ())

    def request(self, level: int, tiles: Sequence[tuple[int, int]]) -> None:
        self.asked = level, tuple(tiles)
        if not self._slow:
            self.finish()

    def finish(self) -> None:
        """Everything that was asked for is composed now."""
        level, tiles = self.asked
        self.ready |= {(level, *key) for key in tiles}
        self.tiles_ready.emit(level, tiles)

    def tile(self, level: int, column: int, row: int) -> QImage | None:
        if (level, column, row) not in self.ready:
            return None
        picture = self._level(level)
        area = QRect(column * TILE_PX, row * TILE_PX, TILE_PX, TILE_PX) & picture.rect()
        return picture.copy(area)

    def paint(self, patch: QImage) -> None:
        """Put another picture over the corner."""
        painter = QPainter(self._image)
        painter.drawImage(0, 0, patch)
        painter.end()
        self._levels.clear()
        self.tiles_ready.emit(self.asked[0], self.asked[1])

    def _level(self, level: int) -> QImage:
        if level not in self._levels:
            width, height = (-(-side // 2**level) for side in (self._image.width(), self._image.height()))
            self._levels[level] = self._image.scaled(
                width,
                height,
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        return self._levels[level]
