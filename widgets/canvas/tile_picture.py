"""A picture painted from tiles that others compose: whatever is ready, at the level the zoom asks for.

The tiles around the view lie side by side in one image, the *mosaic*, so that smooth scaling has no seams.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from PySide6.QtCore import QObject, QRect, QRectF, Signal
from PySide6.QtGui import QImage, QPainter, QTransform

from editor.pixels.raster import TILE_PX
from widgets.canvas.enlarged_picture import EnlargedPicture, enlarging_factor
from widgets.canvas.viewport import Viewport

NEAREST_ABOVE = 4.0
_MARGIN_TILES = 1  # around the view, so that panning shows tiles that are there already
_COARSER_LEVELS = 8


class TileSource(Protocol):
    """What gives the tiles; `editor.rendering.tiles.TileCompositor` does."""

    @property
    def tiles_ready(self) -> Any: ...

    def request(self, level: int, tiles: Sequence[tuple[int, int]]) -> None: ...

    def tile(self, level: int, column: int, row: int) -> QImage | None: ...


class TilePicture(QObject):
    """Keeps what a view shows of a tile source, and paints it smooth when small, sharp-edged when large."""

    changed = Signal(QRectF)  # image coordinates of what looks different now

    def __init__(self, source: TileSource, width: int, height: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source = source
        self._size = width, height
        self._level = -1
        self._place = QRect()  # the mosaic in tiles of its level
        self._mosaic = QImage()
        self._spare = QImage()  # the mosaic before, whose memory is taken again
        self._asked: tuple[int, QRect] = (-1, QRect())
        self._enlarged = EnlargedPicture(self)
        self._enlarged.changed.connect(lambda: self.changed.emit(self.area))
        source.tiles_ready.connect(self._on_ready)

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def area(self) -> QRectF:
        return QRectF(0, 0, *self._size)

    def resize(self, width: int, height: int) -> None:
        """The picture has another size; what was shown goes."""
        if (width, height) != self._size:
            self._size = width, height
            self._level = -1
            self._enlarged.forget()

    def close(self) -> None:
        """Stop working; call it once, before this object goes. The source is its owner's to close."""
        self.source.tiles_ready.disconnect(self._on_ready)
        self._enlarged.close()

    def look_at(self, viewport: Viewport) -> None:
        """Have the tiles that this view shows; they come when they are composed."""
        level = level_for(viewport.zoom)
        seen = self._tiles(level, viewport.visible_rect())
        if seen.isEmpty():
            return
        if level != self._level or not self._place.contains(seen):
            margin = (-_MARGIN_TILES, -_MARGIN_TILES, _MARGIN_TILES, _MARGIN_TILES)
            self._lay(level, seen.adjusted(*margin) & self._tiles(level, self.area))
        if self._asked != (level, seen):
            self._asked = level, seen
            self.source.request(level, _from_the_middle(seen, self._place))
        if self._enlarged.set_factor(enlarging_factor(self._size, viewport.zoom)):
            self._enlarge()

    def paint(self, painter: QPainter, viewport: Viewport, *, smooth: bool = False) -> None:
        """Paint into the view; the caller clips. `smooth` never shows sharp-edged pixels."""
        self.look_at(viewport)
        zoom = viewport.zoom
        sharp = zoom > NEAREST_ABOVE and not smooth
        exact = zoom * 2**self._level == 1.0 and not viewport.angle % 90
        enlarged = None if sharp else self._enlarged.image
        painter.save()
        painter.setTransform(viewport.transform(), True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not sharp and not exact)
        if enlarged is not None and zoom > 1:
            painter.drawImage(self.area, enlarged, QRectF(enlarged.rect()))
        elif self._level >= 0:
            self._paint_mosaic(painter)
        painter.restore()

    def _paint_mosaic(self, painter: QPainter) -> None:
        scale = 2.0**self._level
        left, top = self._place.x() * TILE_PX, self._place.y() * TILE_PX
        width = min(self._mosaic.width(), self._size[0] / scale - left)
        height = min(self._mosaic.height(), self._size[1] / scale - top)
        painter.setTransform(QTransform.fromScale(scale, scale), True)
        painter.drawImage(QRectF(left, top, width, height), self._mosaic, QRectF(0, 0, width, height))

    # the mosaic

    def _lay(self, level: int, place: QRect) -> None:
        """Put the tiles of another place (or level) side by side; what was there already is copied."""
        old, old_place, same = self._mosaic, self._place, level == self._level
        size = place.size() * TILE_PX
        fits = self._spare.size() == size and not self._spare.isNull()
        made = self._spare if fits else QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        painter = QPainter(made)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        kept = place & old_place if same else QRect()
        if not kept.isEmpty():
            painter.drawImage(_within(kept, place), old, _within(kept, old_place))
        for row in range(place.top(), place.bottom() + 1):
            for column in range(place.left(), place.right() + 1):
                if not kept.contains(column, row):
                    self._fill(painter, level, column, row, place)
        painter.end()
        self._mosaic, self._spare = made, old
        self._level, self._place = level, place

    def _fill(self, painter: QPainter, level: int, column: int, row: int, place: QRect) -> None:
        """One tile, or what other levels know of it until it comes."""
        target = _within(QRect(column, row, 1, 1), place)
        tile = self.source.tile(level, column, row)
        if tile is not None:
            _put(painter, target, tile)
            return
        painter.fillRect(target, 0)
        for up in range(1, _COARSER_LEVELS):
            coarse = self.source.tile(level + up, column >> up, row >> up)
            if coarse is not None:
                part = TILE_PX >> up
                x, y = (column % (1 << up)) * part, (row % (1 << up)) * part
                painter.drawImage(target, coarse, QRect(x, y, part, part))
                return
        self._fill_from_finer(painter, level, column, row, target)

    def _fill_from_finer(self, painter: QPainter, level: int, column: int, row: int, target: QRect) -> None:
        if not level:
            return
        half = TILE_PX // 2
        for dy in (0, 1):
            for dx in (0, 1):
                fine = self.source.tile(level - 1, 2 * column + dx, 2 * row + dy)
                if fine is not None:
                    place = QRect(target.x() + dx * half, target.y() + dy * half, half, half)
                    part = QRect(0, 0, fine.width() // 2, fine.height() // 2)
                    painter.drawImage(QRect(place.topLeft(), part.size()), fine)

    def _on_ready(self, level: int, tiles: Sequence[tuple[int, int]]) -> None:
        """Tiles were composed: show those that lie in the mosaic."""
        if level != self._level:
            return
        shown = [key for key in tiles if self._place.contains(*key)]
        if not shown:
            return
        painter = QPainter(self._mosaic)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        dirty = QRect()
        for column, row in shown:
            tile = self.source.tile(level, column, row)
            if tile is not None:
                _put(painter, _within(QRect(column, row, 1, 1), self._place), tile)
                dirty |= QRect(column, row, 1, 1)
        painter.end()
        side = TILE_PX << level
        self.changed.emit(
            QRectF(dirty.x() * side, dirty.y() * side, dirty.width() * side, dirty.height() * side)
        )
        self._enlarge()

    def _enlarge(self) -> None:
        """Ask for a better enlarged version, if the picture is small enough to lie in the mosaic whole."""
        if self._enlarged.wanted and self._place == self._tiles(0, self.area):
            self._enlarged.start(self._mosaic.copy(QRect(0, 0, *self._size)))

    def _tiles(self, level: int, area: QRectF) -> QRect:
        """The tiles of a level that touch an area of the picture."""
        part = area & self.area
        if part.isEmpty():
            return QRect()
        side = TILE_PX << level
        left, top = math.floor(part.left() / side), math.floor(part.top() / side)
        right, bottom = math.ceil(part.right() / side), math.ceil(part.bottom() / side)
        return QRect(left, top, right - left, bottom - top)


def level_for(zoom: float) -> int:
    """The coarsest level that still has at least as many pixels as the screen shows."""
    return max(0, math.floor(math.log2(1 / zoom) + 1e-9))


def _within(tiles: QRect, place: QRect) -> QRect:
    """Tiles as pixels of a mosaic at `place`."""
    return QRect(
        (tiles.x() - place.x()) * TILE_PX,
        (tiles.y() - place.y()) * TILE_PX,
        tiles.width() * TILE_PX,
        tiles.height() * TILE_PX,
    )


def _put(painter: QPainter, target: QRect, tile: QImage) -> None:
    """A tile at its place; at the picture's edge its last pixels are repeated for smooth scaling."""
    painter.drawImage(target.topLeft(), tile)
    width, height = tile.width(), tile.height()
    if width < TILE_PX:
        edge = QRect(target.x() + width, target.y(), 1, height)
        painter.drawImage(edge, tile, QRect(width - 1, 0, 1, height))
    if height < TILE_PX:
        edge = QRect(target.x(), target.y() + height, width, 1)
        painter.drawImage(edge, tile, QRect(0, height - 1, width, 1))


def _from_the_middle(seen: QRect, place: QRect) -> list[tuple[int, int]]:
    """The tiles of the view from its middle outwards, then those around it."""
    middle = QRectF(seen).center()
    keys = [
        (column, row)
        for row in range(place.top(), place.bottom() + 1)
        for column in range(place.left(), place.right() + 1)
    ]

    def distance(key: tuple[int, int]) -> tuple[bool, float]:
        column, row = key
        return not seen.contains(column, row), math.hypot(column + 0.5 - middle.x(), row + 0.5 - middle.y())

    return sorted(keys, key=distance)
