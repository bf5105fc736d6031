"""How a JPEG was encoded: found in a file, estimated as a quality, and given to Pillow again."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from PIL import Image, JpegImagePlugin

from editor.layers.state import JPEG_SAMPLINGS, JpegEncoding

# ISO/IEC 10918-1, tables K.1 and K.2, row by row: libjpeg's quality scales them
_LUMINANCE = np.array(
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
     14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
     18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
)  # fmt: skip
_CHROMINANCE = np.array(
    [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
     24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99]
    + [99] * 32
)  # fmt: skip
_FINE, _COARSE = "4:4:4", "4:2:0"


def encoding_of(image: Image.Image) -> JpegEncoding | None:
    """The tables and the colours' resolution of an opened JPEG; None of anything else."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return None
    given = image.quantization
    tables = tuple(tuple(int(value) for value in given[key]) for key in sorted(given))
    found = JpegEncoding(tables=tables, subsampling=_subsampling(image))
    return found if found.is_usable else None


def estimated_quality(encoding: JpegEncoding) -> int:
    """libjpeg's quality, 1 to 100, whose tables are nearest to these."""
    standards = (_LUMINANCE, _CHROMINANCE)
    pairs = list(zip(encoding.tables, standards))
    found = {
        quality: sum(int(np.abs(_scaled(standard, quality) - table).sum()) for table, standard in pairs)
        for quality in range(1, 101)
    }
    return min(found, key=lambda quality: (found[quality], -quality))


def pillow_options(encoding: JpegEncoding) -> dict[str, Any]:
    """Pillow's keywords that encode another picture in the same way."""
    return {
        "qtables": [list(table) for table in encoding.tables],
        "subsampling": JPEG_SAMPLINGS.index(encoding.subsampling),
    }


def _scaled(standard: np.ndarray, quality: int) -> np.ndarray:
    """A standard table at a quality, as libjpeg's jpeg_quality_scaling has it."""
    share = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((standard * share + 50) // 100, 1, 255)


def _subsampling(image: Any) -> str:
    """The colours' resolution; what Pillow cannot write (4:1:1, 4:4:0) becomes the nearest that it can."""
    number = JpegImagePlugin.get_sampling(image)
    if 0 <= number < len(JPEG_SAMPLINGS):
        return JPEG_SAMPLINGS[number]
    layers = cast("list[tuple[int, int, int, int]]", getattr(image, "layer", []))
    if len(layers) != 3:
        return _FINE  # grey, or ink that became RGB
    across, down = layers[0][1], layers[0][2]
    return _COARSE if across * down >= 4 else _FINE
