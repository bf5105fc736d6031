"""A picture ready to be painted at any zoom: smooth when small, sharp-edged when large."""

import math

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap

from editor.enlarge import enlarged

NEAREST_ABOVE = 4.0
_ENLARGED_PX = 1400  # the longer side of an enlarged version; larger pictures are sharp enough as they are


class Pyramid:
    """The pixmap of a picture and, made when first needed, its versions at 1/2, 1/4, 1/8 …"""

    def __init__(self, image: QImage | None = None) -> None:
        self._levels: list[QPixmap] = [QPixmap.fromImage(image)] if image is not None else []
        self._enlarged: tuple[int, QPixmap] | None = None

    @property
    def is_empty(self) -> bool:
        return not self._levels

    @property
    def size(self) -> tuple[int, int]:
        return (self._levels[0].width(), self._levels[0].height()) if self._levels else (0, 0)

    def set_image(self, image: QImage) -> None:
        self._levels = [QPixmap.fromImage(image)]
        self._enlarged = None

    def patch(self, image: QImage, at: QPoint) -> None:
        """Replace the rectangle at `at` by `image`."""
        painter = QPainter(self._levels[0])
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawImage(at, image)
        painter.end()
        del self._levels[1:]
        self._enlarged = None

    def paint(
        self, painter: QPainter, target: QRectF, part: QRect, zoom: float, *, smooth: bool = False
    ) -> None:
        """Paint the pixels `part` at their place when the whole picture fills `target`."""
        if not self._levels or part.isEmpty():
            return
        sharp = zoom > NEAREST_ABOVE and not smooth
        factor, pixmap = self._level(zoom) if sharp or zoom <= 1 else self._enlarged_level(zoom)
        width, height = self.size
        scale_x, scale_y = target.width() / width, target.height() / height
        place = QRectF(
            target.x() + part.x() * scale_x,
            target.y() + part.y() * scale_y,
            part.width() * scale_x,
            part.height() * scale_y,
        )
        source = QRectF(part.x() / factor, part.y() / factor, part.width() / factor, part.height() / factor)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not sharp and zoom != 1.0)
        painter.drawPixmap(place, pixmap, source)

    def _enlarged_level(self, zoom: float) -> tuple[float, QPixmap]:
        """A small picture enlarged well, a bit beyond what the screen shows."""
        wanted = min(math.ceil(zoom), _ENLARGED_PX // max(self.size))
        if wanted < 2:
            return self._level(1.0)
        if self._enlarged is None or self._enlarged[0] != wanted:
            self._enlarged = wanted, QPixmap.fromImage(enlarged(self._levels[0].toImage(), wanted))
        return 1 / wanted, self._enlarged[1]

    def _level(self, zoom: float) -> tuple[float, QPixmap]:
        """The smallest version that still has at least as many pixels as the screen shows."""
        index = 0
        while zoom * 2 ** (index + 1) <= 1.0 and min(self.size) >> (index + 1) > 0:
            index += 1
        while len(self._levels) <= index:
            self._levels.append(_halved(self._levels[-1]))
        return self.size[0] / self._levels[index].width(), self._levels[index]


def _halved(pixmap: QPixmap) -> QPixmap:
    return pixmap.scaled(
        max(1, pixmap.width() // 2),
        max(1, pixmap.height() // 2),
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
