"""Selections with softer or rounder edges."""

from __future__ import annotations

import math

import numpy as np

from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.selection.growing import LARGEST_PX, repeated
from editor.selection.tiles import Values, made
from inference.errors import EditorError

_REACH = 3  # standard deviations beyond which a Gaussian is nothing
_COARSE_SIGMA = 6.0  # a wider blur is done on a smaller picture: nobody can tell


def feather(mask: Mask, radius: float, within: Area) -> Mask:
    """Blur the edge over about `radius` pixels to either side (a Gaussian of half as wide a deviation).

    Raises:
        EditorError: a radius out of range.
    """
    _check(radius)
    area = mask.area.grown(math.ceil(_REACH * radius / 2)).intersected(within)
    return _blurred(mask, radius / 2, area, within)


def smooth(mask: Mask, radius: float, within: Area) -> Mask:
    """Round corners and drop specks of about `radius` pixels; edges stay one pixel wide."""
    _check(radius)
    sigma = radius / 2
    soft = _blurred(mask, sigma, mask.area.grown(math.ceil(radius)).intersected(within), within)
    steepness = max(1.0, sigma * math.sqrt(2 * math.pi))  # one over the slope of a blurred straight edge

    def make(part: Area) -> Values:
        centred = (soft.read(part).astype(np.float32) - 127.5) * steepness
        return np.clip(np.rint(centred + 127.5), 0, 255).astype(np.uint8)

    return made(soft.area, make)


def _check(radius: float) -> None:
    if not 0 < radius <= LARGEST_PX:
        raise EditorError(
            "The radius is {radius:g} px: allowed is more than 0 and up to {most}.",
            radius=radius,
            most=LARGEST_PX,
        )


def _blurred(mask: Mask, sigma: float, area: Area, within: Area) -> Mask:
    if sigma > _COARSE_SIGMA:
        return _blurred_small(mask, sigma, area, within)
    reach = math.ceil(_REACH * sigma)

    def make(part: Area) -> Values:
        around = part.grown(reach)
        return _gaussian(repeated(mask, around, within), sigma)[part.within(around)]

    return made(area, make)


def _blurred_small(mask: Mask, sigma: float, area: Area, within: Area) -> Mask:
    """Blur a picture reduced by a whole factor, and enlarge it part by part."""
    import cv2

    factor = math.floor(sigma / _COARSE_SIGMA * 2)
    reach = math.ceil(_REACH * sigma / factor) + 2
    width, height = -(-area.width // factor) + 2 * reach, -(-area.height // factor) + 2 * reach
    small = np.empty((height, width), np.float32)
    for row in range(height):
        strip = Area(area.x - reach * factor, area.y + (row - reach) * factor, width * factor, factor)
        values = _anywhere(mask, strip, within)
        small[row] = values.reshape(factor, width, factor).mean(axis=(0, 2), dtype=np.float32)
    small = _gaussian(small, sigma / factor)

    def make(part: Area) -> Values:
        across = (np.arange(part.x, part.right) - area.x + 0.5) / factor - 0.5 + reach
        down = (np.arange(part.y, part.bottom) - area.y + 0.5) / factor - 0.5 + reach
        columns = np.broadcast_to(across.astype(np.float32), (part.height, part.width))
        rows = np.broadcast_to(down.astype(np.float32)[:, None], (part.height, part.width))
        large = cv2.remap(small, columns.copy(), rows.copy(), cv2.INTER_LINEAR)
        return np.clip(np.rint(large), 0, 255).astype(np.uint8)

    return made(area, make)


def _anywhere(mask: Mask, area: Area, within: Area) -> Values:
    """`repeated`, also for an area that lies beside `within`."""
    rows = np.clip(np.arange(area.y, area.bottom), within.y, within.bottom - 1)
    columns = np.clip(np.arange(area.x, area.right), within.x, within.right - 1)
    top, left = int(rows[0]), int(columns[0])
    read = mask.read(Area(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1))
    return read[rows - top][:, columns - left]


def _gaussian(values: np.ndarray, sigma: float) -> np.ndarray:  # pyright: ignore[reportMissingTypeArgument]
    import cv2

    size = 2 * math.ceil(_REACH * sigma) + 1
    return cv2.GaussianBlur(values, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
