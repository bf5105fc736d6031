"""Pixels to and from Qt; see `pixels` for what they are."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from editor.pixels.arithmetic import crossfade, read_only, to_rgb, to_rgba, transparent
from inference.request import Pixels

__all__ = [
    "crossfade",
    "from_qimage",
    "read_only",
    "thumbnail",
    "to_qimage",
    "to_rgb",
    "to_rgba",
    "transparent",
]


def to_qimage(pixels: Pixels) -> QImage:
    """A QImage of its own over a copy of `pixels`, so that it stays valid whatever happens to the array."""
    height, width, channels = pixels.shape
    layout = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    contiguous = np.ascontiguousarray(pixels)
    return QImage(contiguous.data, width, height, width * channels, layout).copy()


def from_qimage(image: QImage) -> Pixels:
    """Read-only RGBA [H, W, 4] of any QImage."""
    converted = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(converted.constBits(), np.uint8).reshape(
        converted.height(), converted.bytesPerLine()
    )
    return read_only(
        rows[:, : converted.width() * 4].reshape(converted.height(), converted.width(), 4).copy()
    )


def thumbnail(pixels: Pixels, size_px: int) -> QImage:
    """A smooth QImage of at most `size_px` on its longer side, aspect kept, never enlarged."""
    image = to_qimage(pixels)
    if max(image.width(), image.height()) <= size_px:
        return image
    return image.scaled(
        size_px, size_px, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
