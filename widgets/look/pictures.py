"""Small QImages for lists and tracks, made of pixels."""

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter

from editor.generating.heatmaps import crop_for
from editor.pixels.raster import Area, Raster
from editor.rendering.thumbnails import part_of

WHOLE = QRectF(0, 0, 1, 1)


def cropped(raster: Raster, box: QRectF, cell: QSize, ratio: float, profile: bytes = b"") -> QImage:
    """The part of a picture around `box` (0..1) in the shape of `cell`, at the screen's resolution."""
    found = crop_for(box, QSize(raster.width, raster.height), cell).toRect()
    part = Area(found.x(), found.y(), max(1, found.width()), max(1, found.height())).intersected(raster.area)
    wanted = QSize(round(cell.width() * ratio), round(cell.height() * ratio))
    return part_of(raster, part, wanted, profile)


def faded(first: QImage, second: QImage, share: float) -> QImage:
    """Between two opaque pictures of one size: `share` of the second over the first."""
    mixed = first.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(mixed)
    painter.setOpacity(share)
    painter.drawImage(mixed.rect(), second)
    painter.end()
    return mixed
