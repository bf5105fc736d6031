"""Enlarging small pictures for the screen without the blur of bilinear interpolation."""

import numpy as np
from PySide6.QtGui import QImage

from editor.pixels.qimages import from_qimage, to_qimage


def enlarged(image: QImage, factor: int) -> QImage:
    """The picture `factor` times as large in both directions (Lanczos on sRGB values)."""
    from PIL import Image  # not needed before the first picture is shown

    picture = Image.fromarray(from_qimage(image))
    size = (picture.width * factor, picture.height * factor)
    return to_qimage(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))
