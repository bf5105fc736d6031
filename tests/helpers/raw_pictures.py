"""A small DNG, made by hand."""

from pathlib import Path

import numpy as np
import tifffile


def dng(path: Path, level: int = 30_000) -> Path:
    """A small raw picture of an even grey, with a white thumbnail before it."""
    sensor = np.full((64, 96), level, np.uint16)
    colours = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, bytes((0, 1, 1, 2)), True)]
    matrix = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    about = [
        (50706, "B", 4, bytes((1, 4, 0, 0)), True),
        (50708, "s", 0, "Testcam", True),
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),
        (50778, "H", 1, 21, True),
        (271, "s", 0, "Test", True),
        (272, "s", 0, "Testcam", True),
    ]
    levels = [(50717, "H", 1, 65535, True)]
    with tifffile.TiffWriter(path) as file:
        thumbnail = np.full((16, 24, 3), 255, np.uint8)
        file.write(thumbnail, photometric="rgb", subfiletype=1, subifds=1, extratags=about, metadata=None)
        file.write(sensor, photometric="cfa", subfiletype=0, extratags=colours + levels, metadata=None)
    return path
