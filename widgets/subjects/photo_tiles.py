"""Photos that something is learnt from: dropped, taken out, and the part of each that counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from editor.pixels.qimages import to_qimage
from inference.request import Pixels
from widgets.look.flow import Flow
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import scaled_font, tokens_of

Crop = tuple[float, float, float]
WHOLE: Crop = (0.5, 0.5, 1.0)
TILE_PX = 112
MOST = 20
_ZOOM = 1.1
_NUDGE = 0.02
_SMALLEST = 0.2
_SHADE = QColor(0, 0, 0, 140)


class PhotoTile(QWidget):
    """One photo, dark outside of the part that is learnt: drag moves the part, the wheel changes its size."""

    cropped = Signal()
    removed = Signal()

    def __init__(self, pixels: Pixels, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pixels = pixels
        self.crop = WHOLE
        self.is_set = False  # by hand: no suggestion replaces it
        self._image: QImage | None = None
        self._grabbed: tuple[QPointF, Crop] | None = None
        self.setFixedSize(TILE_PX, TILE_PX)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.remove = IconButton("close", self.tr("Take this photo out"), self, size_px=12)
        self.remove.move(TILE_PX - self.remove.sizeHint().width() - 2, 2)
        self.remove.clicked.connect(self.removed)
        self.set_number(number)
        set_tip(
            self, self.tr("The bright part is learnt: drag to move it, wheel or + and - to change its size")
        )

    def sizeHint(self) -> QSize:
        return QSize(TILE_PX, TILE_PX)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def set_number(self, number: int) -> None:
        """Which of the photos it is, from 1."""
        self._number = str(number)
        self.setAccessibleName(self.tr("Photo {number}").format(number=number))
        self.update()

    def suggest(self, crop: Crop) -> None:
        """Show a suggested part, unless one was chosen by hand."""
        if not self.is_set:
            self.crop = crop
            self.update()

    def place(self) -> QRectF:
        """Where the photo is drawn, with its own proportions."""
        height, width = self.pixels.shape[:2]
        size = QSize(width, height).scaled(
            QSize(TILE_PX - 2, TILE_PX - 2), Qt.AspectRatioMode.KeepAspectRatio
        )
        size = size.expandedTo(QSize(1, 1))  # of a panorama nothing would be left
        left, top = (TILE_PX - size.width()) / 2, (TILE_PX - size.height()) / 2
        return QRectF(left, top, size.width(), size.height())

    def part(self) -> QRectF:
        """The part that is learnt, on the tile."""
        photo = self.place()
        x, y, side = self.crop
        length = min(photo.width(), photo.height()) * side
        left = min(max(photo.left() + x * photo.width() - length / 2, photo.left()), photo.right() - length)
        top = min(max(photo.top() + y * photo.height() - length / 2, photo.top()), photo.bottom() - length)
        return QRectF(left, top, length, length)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        photo, part = self.place(), self.part()
        if self._image is None:
            wanted = photo.size().toSize() * self.devicePixelRatioF()
            self._image = to_qimage(self.pixels).scaled(
                wanted, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        painter.drawImage(photo, self._image)
        painter.fillRect(photo, _SHADE)
        painter.setClipRect(part)
        painter.drawImage(photo, self._image)
        painter.setClipping(False)
        colours = tokens_of(self)
        painter.setPen(QPen(QColor(colours.accent if self.hasFocus() else colours.dim), 1.5))
        painter.drawRect(part.adjusted(0.75, 0.75, -0.75, -0.75))
        self._paint_marks(painter)

    def _paint_marks(self, painter: QPainter) -> None:
        """The number that advice names it by, and a ground for the button: photos have any colour."""
        colours = tokens_of(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(scaled_font(self.font(), 0.85))
        button = QRectF(self.remove.geometry())
        number = QRectF(2, button.top(), painter.fontMetrics().horizontalAdvance(self._number) + 10, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.panel))
        for box in (button, number):
            painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(colours.text))
        painter.drawText(number, Qt.AlignmentFlag.AlignCenter, self._number)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = (event.position(), self.crop)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            start, (x, y, side) = self._grabbed
            moved, photo = event.position() - start, self.place()
            self._set((x + moved.x() / photo.width(), y + moved.y() / photo.height(), side))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        if turned:
            self._zoom(_ZOOM ** (turned / 120))
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        x, y, side = self.crop
        moves = {
            Qt.Key.Key_Left: (-_NUDGE, 0.0),
            Qt.Key.Key_Right: (_NUDGE, 0.0),
            Qt.Key.Key_Up: (0.0, -_NUDGE),
            Qt.Key.Key_Down: (0.0, _NUDGE),
        }
        key = Qt.Key(event.key())
        if key in moves:
            self._set((x + moves[key][0], y + moves[key][1], side))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._zoom(1 / _ZOOM if key is Qt.Key.Key_Minus else _ZOOM)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def _zoom(self, factor: float) -> None:
        x, y, side = self.crop
        self._set((x, y, side * factor))

    def _set(self, crop: Crop) -> None:
        self.choose(crop)
        self.cropped.emit()

    def choose(self, crop: Crop) -> None:
        """Take a part as chosen by hand."""
        x, y, side = crop
        self.crop = (min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0), min(max(side, _SMALLEST), 1.0))
        part, photo = self.part(), self.place()  # the middle of what is really learnt
        middle = part.center() - photo.topLeft()
        self.crop = (middle.x() / photo.width(), middle.y() / photo.height(), self.crop[2])
        self.is_set = True
        self.update()


class PhotoTiles(QWidget):
    """Rows of tiles that take files; `wanted` tells paths to be read."""

    wanted = Signal(tuple)  # of Path
    choose = Signal()
    take_selection = Signal()
    changed = Signal()  # photos came or went
    cropped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.tiles: list[PhotoTile] = []
        self.hint = Label(self.tr("Drop three to five photos of it here"))
        self.hint.setObjectName("DropArea")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setMinimumHeight(TILE_PX)
        self.add = QPushButton(self.tr("Add photos…"))
        self.add.clicked.connect(self.choose)
        self.take = QPushButton(self.tr("Take the selection"))
        set_tip(self.take, self.tr("What is selected in the open picture becomes one of the photos"))
        self.take.clicked.connect(self.take_selection)
        self._flow = Flow()
        buttons = QHBoxLayout()
        buttons.addWidget(self.add)
        buttons.addWidget(self.take)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.hint)
        layout.addWidget(self._flow)
        layout.addLayout(buttons)

    @property
    def photos(self) -> tuple[Pixels, ...]:
        return tuple(tile.pixels for tile in self.tiles)

    @property
    def crops(self) -> tuple[Crop, ...]:
        return tuple(tile.crop for tile in self.tiles)

    def add_photos(self, photos: Sequence[Pixels], crop: Crop | None = None) -> None:
        """Show more photos, with a part that was chosen; the same one is not taken twice but in parts."""
        for pixels in photos:
            if len(self.tiles) >= MOST or (crop is None and self._has(pixels)):
                continue
            tile = PhotoTile(pixels, len(self.tiles) + 1)
            if crop is not None:
                tile.choose(crop)
            tile.removed.connect(lambda tile=tile: self._remove(tile))
            tile.cropped.connect(self.cropped)
            self.tiles.append(tile)
        self._show()

    def suggest(self, crops: Sequence[Crop]) -> None:
        """Show suggested parts, one for each photo."""
        for tile, crop in zip(self.tiles, crops, strict=False):
            tile.suggest(crop)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.wanted.emit(tuple(paths))

    def _has(self, pixels: Pixels) -> bool:
        return any(np.array_equal(tile.pixels, pixels) for tile in self.tiles)

    def _remove(self, tile: PhotoTile) -> None:
        self.tiles.remove(tile)
        for number, one in enumerate(self.tiles, 1):
            one.set_number(number)
        self._show()

    def _show(self) -> None:
        self.hint.setVisible(not self.tiles)
        self._flow.set_widgets(self.tiles)
        self.changed.emit()
