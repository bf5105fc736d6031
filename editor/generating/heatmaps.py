"""Attention maps as the window shows them: a highlight over the picture, and the box around a subject."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage

from editor.pixels.arithmetic import read_only
from inference.request import Pixels

_DIMMED = 0.55  # how bright the picture is where the model does not look, in an exported map
_TINTED = 0.35
_FLOOR = 0.25  # below this share of its maximum a map is noise
_BOX_LEVEL = 0.4
_BOX_MARGIN = 0.06  # of the picture: maps are coarse, and hair is easily missed


def heat_image(heat: NDArray[np.float32]) -> QImage:
    """A map [h, w] as a greyscale QImage of its size; its maximum is white, its noise floor is black."""
    strength = _normalised(heat)
    levels = np.ascontiguousarray(np.round(strength * 255), dtype=np.uint8)
    height, width = levels.shape
    return QImage(levels.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


def overlaid(pixels: Pixels, heat: NDArray[np.float32], colour: tuple[int, int, int]) -> Pixels:
    """A picture [H, W, 3 or 4] with a map over it in a colour (0..255), the rest darkened: RGB [H, W, 3]."""
    import cv2

    height, width = pixels.shape[:2]
    strength = cv2.resize(_normalised(heat), (width, height), interpolation=cv2.INTER_CUBIC)
    strength = np.clip(strength, 0, 1)[..., None]
    dimmed = pixels[..., :3] * (_DIMMED + (1 - _DIMMED) * strength)
    mixed = dimmed + (np.array(colour, np.float32) - dimmed) * (_TINTED * strength)
    return read_only(np.round(mixed).astype(np.uint8))


def subject_box(heat: NDArray[np.float32]) -> QRectF:
    """The box (0..1 of both sides) around where a map [h, w] is strong; everything if it is flat."""
    strong = _normalised(heat) >= _BOX_LEVEL
    if not strong.any():
        return QRectF(0, 0, 1, 1)
    height, width = strong.shape
    rows, columns = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
    box = QRectF(
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1 - columns[0]) / width),
        float((rows[-1] + 1 - rows[0]) / height),
    )
    return box.adjusted(-_BOX_MARGIN, -_BOX_MARGIN, _BOX_MARGIN, _BOX_MARGIN) & QRectF(0, 0, 1, 1)


def crop_for(box: QRectF, image: QSize, cell: QSize) -> QRectF:
    """The rectangle (pixels of `image`) of the cell's shape that shows `box` (0..1), kept inside the image.

    A box higher than the cell's shape allows is cut at the bottom: a face is at the top.
    """
    width, height = box.width() * image.width(), box.height() * image.height()
    aspect = cell.width() / cell.height()
    width = min(max(width, height * aspect * 0.6), image.width(), image.height() * aspect)
    height = width / aspect
    left = box.center().x() * image.width() - width / 2
    top = box.top() * image.height()
    if height > box.height() * image.height():
        top = box.center().y() * image.height() - height / 2
    left = min(max(left, 0.0), image.width() - width)
    top = min(max(top, 0.0), image.height() - height)
    return QRectF(left, top, width, height)


def _normalised(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    peak = float(heat.max(initial=0.0))
    if peak <= 0:
        return np.zeros(heat.shape, np.float32)
    return np.clip((heat / peak - _FLOOR) / (1 - _FLOOR), 0, 1).astype(np.float32)
