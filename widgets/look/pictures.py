"""Small QImages for lists and tracks, made of pixels."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage

from editor.generating.heatmaps import crop_for
from editor.pixels.qimages import to_qimage
from inference.request import Pixels

WHOLE = QRectF(0, 0, 1, 1)


def cropped(pixels: Pixels, box: QRectF, cell: QSize, ratio: float) -> QImage:
    """The part of a picture around `box` (0..1) in the shape of `cell`, at the screen's resolution."""
    image = to_qimage(pixels)
    part = image.copy(crop_for(box, image.size(), cell).toRect())
    wanted = QSize(round(cell.width() * ratio), round(cell.height() * ratio))
    if part.width() <= wanted.width():
        return part
    return part.scaled(
        wanted, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
