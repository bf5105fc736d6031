"""Tone functions of single channels as tables: exact for 8- and 16-bit values, fast for any function."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SIZE = 65536
_TOP = np.float32(SIZE - 1)


def inputs() -> NDArray[np.float32]:
    """The values 0..1 that a table has outputs for."""
    return (np.arange(SIZE) / (SIZE - 1)).astype(np.float32)


def looked_up(values: Plane, table: Plane) -> Plane:
    """Outputs [SIZE] of `inputs()`, at values 0..1 rounded to 16 bits."""
    import cv2

    places = np.clip(values * _TOP + np.float32(0.5), 0, _TOP).astype(np.uint16)
    return cast("Plane", cv2.LUT(places, table))
