"""Small pictures of layers and masks, made without assembling the whole of them; any thread may."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from editor.colour.conversion import to_srgb
from editor.layers.layer import Mask
from editor.pixels.qimages import to_qimage
from editor.pixels.raster import TILE_PX, Area, Raster, to_eight_bits

_OVERSAMPLING = 3  # pixels taken for each of the thumbnail's along a side, before they are smoothed


def raster_thumbnail(raster: Raster, size_px: int) -> QImage:
    """A smooth QImage of at most `size_px` on its longer side; a mask becomes grey, opaque."""
    longer = max(raster.width, raster.height)
    step = max(1, longer // (size_px * _OVERSAMPLING))
    image = to_qimage(_as_rgba(sampled(raster, step)))
    if max(image.width(), image.height()) <= size_px:
        return image
    return image.scaled(
        size_px, size_px, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def mask_thumbnail(mask: Mask, frame: Area, size_px: int) -> QImage:
    """As `raster_thumbnail`, of what the mask says all over `frame`: it may reach less far, or farther."""
    if mask.area == frame:
        return raster_thumbnail(mask.raster, size_px)
    scale = min(1.0, size_px / max(frame.width, frame.height))
    image = QImage(
        max(1, round(frame.width * scale)), max(1, round(frame.height * scale)), QImage.Format.Format_RGB32
    )
    image.fill(QColor(mask.outside, mask.outside, mask.outside))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.scale(image.width() / frame.width, image.height() / frame.height)
    place = QRectF(mask.x - frame.x, mask.y - frame.y, mask.raster.width, mask.raster.height)
    painter.drawImage(place, raster_thumbnail(mask.raster, size_px))
    painter.end()
    return image


def part_of(raster: Raster, part: Area, wanted: QSize, profile: bytes = b"") -> QImage:
    """A smooth sRGB QImage of `part` (inside the raster) that covers `wanted` in its own proportions.

    It costs the same for a photo as for a small picture: no more pixels are looked at than are needed.
    """
    step = min(part.width // max(1, wanted.width()), part.height // max(1, wanted.height()))
    found = sampled_part(raster, part, max(1, step // _OVERSAMPLING))
    image = to_qimage(to_srgb(_as_rgba(found), profile))
    if image.width() <= wanted.width():
        return image
    return image.scaled(
        wanted, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )


def sampled_part(raster: Raster, part: Area, step: int) -> NDArray[np.uint8]:
    """Every `step`-th pixel of a part of a raster: 8 bits, [ceil(h / step), ceil(w / step), C]."""
    rows: list[NDArray[np.uint8]] = []
    for row in range(part.y // TILE_PX, (part.bottom - 1) // TILE_PX + 1):
        pieces: list[NDArray[np.uint8]] = []
        for column in range(part.x // TILE_PX, (part.right - 1) // TILE_PX + 1):
            place = raster.tile_area(column, row)
            common = place.intersected(part)
            top, left = common.y + (part.y - common.y) % step, common.x + (part.x - common.x) % step
            if top < common.bottom and left < common.right:
                rest = Area(left, top, common.right - left, common.bottom - top).within(place)
                pieces.append(to_eight_bits(raster.tile(column, row)[rest][::step, ::step]))
        if pieces:
            rows.append(np.concatenate(pieces, axis=1))
    return np.concatenate(rows, axis=0)


def sampled(raster: Raster, step: int) -> NDArray[np.uint8]:
    """Every `step`-th pixel across and down: 8 bits, [ceil(H / step), ceil(W / step), C]."""
    if step == 1:
        return to_eight_bits(raster.array())
    rows: list[NDArray[np.uint8]] = []
    for row in range(raster.rows):
        top = -(row * TILE_PX) % step
        if top < raster.tile_area(0, row).height:
            rows.append(np.concatenate(_sampled_row(raster, row, top, step), axis=1))
    return np.concatenate(rows, axis=0)


def _sampled_row(raster: Raster, row: int, top: int, step: int) -> list[NDArray[np.uint8]]:
    parts: list[NDArray[np.uint8]] = []
    for column in range(raster.columns):
        left = -(column * TILE_PX) % step
        if left < raster.tile_area(column, row).width:
            parts.append(to_eight_bits(raster.tile(column, row)[top::step, left::step]))
    return parts


def _as_rgba(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if samples.shape[2] == 4:
        return samples
    return np.concatenate([np.repeat(samples, 3, axis=2), np.full_like(samples, 255)], axis=2)
