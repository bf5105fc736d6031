"""Where the tiles of a document lie, and how an image of one is put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter

from editor.pixels.raster import TILE_PX, Area


class Key(NamedTuple):
    level: int
    column: int
    row: int

    def reduced(self, by: int) -> Key:
        """The tile that this one is part of when the picture is 2^by times smaller; itself if `by` is 0."""
        return Key(self.level + by, self.column >> by, self.row >> by)


def levels(width: int, height: int) -> int:
    """How many levels make sense for a document: until the longer side fits into one tile."""
    longer, count = max(width, height), 1
    while longer > TILE_PX:
        longer, count = -(-longer // 2), count + 1
    return count


def grid(width: int, height: int, level: int) -> tuple[int, int]:
    """Columns and rows of tiles of a document at a level."""
    across, down = level_size(width, height, level)
    return -(-across // TILE_PX), -(-down // TILE_PX)


def level_size(width: int, height: int, level: int) -> tuple[int, int]:
    """A document's size at a level."""
    return -(-width >> level), -(-height >> level)


def tile_area(width: int, height: int, key: Key) -> Area:
    """What a tile of a document covers, in pixels of its level."""
    whole = Area(0, 0, *level_size(width, height, key.level))
    return Area(key.column * TILE_PX, key.row * TILE_PX, TILE_PX, TILE_PX).intersected(whole)


def at_level(area: Area, level: int) -> Area:
    """All pixels of a level that a change in an area of the document touches."""
    touched = reduced(area, level)
    # layers may lie a fraction of a reduced pixel beside the grid, so their neighbours change too
    return touched.grown(1) if level and not area.is_empty else touched


def reduced(area: Area, level: int) -> Area:
    """The pixels at 2^-level of the size that hold an area."""
    left, top = area.x >> level, area.y >> level
    return Area(left, top, -(-area.right >> level) - left, -(-area.bottom >> level) - top)


def enlarged(image: QImage, coarse: Area, areas: Sequence[Area], by: int) -> list[QImage]:
    """Areas out of an image of `coarse`, which was made 2^by times smaller."""
    width, height = coarse.width << by, coarse.height << by
    ignore, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    whole = image.scaled(width, height, ignore, smooth)
    return [whole.copy(QRect(*area.moved(-coarse.x << by, -coarse.y << by))) for area in areas]


def patched(old: QImage | None, part: Area, image: QImage) -> QImage:
    """An image with a part replaced: a new one, since the old may just be painted."""
    if old is None or (part.width, part.height) == (old.width(), old.height()):
        return image
    whole = old.copy()
    painter = QPainter(whole)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.drawImage(part.x, part.y, image)
    painter.end()
    return whole
