"""Pixels to and from Qt, and the little arithmetic that the window needs on whole pictures.

Pixels are uint8 [H, W, 3] RGB or [H, W, 4] RGBA with straight alpha, sRGB, read-only.
"""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from inference.request import Pixels


def read_only(pixels: Pixels) -> Pixels:
    """The same pixels as a contiguous array that cannot be written to; copies only if it must."""
    frozen = np.ascontiguousarray(pixels, dtype=np.uint8)
    if frozen is pixels and not pixels.flags.writeable:
        return pixels
    if frozen is pixels:
        frozen = pixels.view()
    frozen.flags.writeable = False
    return frozen


def to_rgba(pixels: Pixels) -> Pixels:
    """Pixels [H, W, 3 or 4] as read-only RGBA [H, W, 4]; missing alpha is opaque."""
    if pixels.shape[2] == 4:
        return read_only(pixels)
    height, width, _ = pixels.shape
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[..., :3] = pixels
    rgba[..., 3] = 255
    return read_only(rgba)


def to_rgb(pixels: Pixels) -> Pixels:
    """Pixels [H, W, 3 or 4] as read-only RGB [H, W, 3]; alpha is dropped, not composed."""
    return read_only(pixels if pixels.shape[2] == 3 else pixels[..., :3])


def transparent(width: int, height: int) -> Pixels:
    """Fully transparent RGBA pixels [height, width, 4]."""
    return read_only(np.zeros((height, width, 4), np.uint8))


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


def crossfade(first: Pixels, second: Pixels, share: float) -> Pixels:
    """(1 - share)·first + share·second for two pictures of one shape; share in 0..1, rounded to 1/256."""
    weight = round(share * 256)
    if weight <= 0:
        return first
    if weight >= 256:
        return second
    mixed = first.astype(np.uint16)
    mixed *= 256 - weight
    mixed += second.astype(np.uint16) * np.uint16(weight)
    mixed += 128
    mixed >>= 8
    return read_only(mixed.astype(np.uint8))


def thumbnail(pixels: Pixels, size_px: int) -> QImage:
    """A smooth QImage of at most `size_px` on its longer side, aspect kept, never enlarged."""
    image = to_qimage(pixels)
    if max(image.width(), image.height()) <= size_px:
        return image
    return image.scaled(
        size_px, size_px, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
