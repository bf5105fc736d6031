"""Selections made larger and smaller by a distance."""

from __future__ import annotations

import math

import numpy as np

from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.selection.tiles import FULL, Values, made
from inference.errors import EditorError

LARGEST_PX = 2000
_EXACT_PX = 6  # up to here soft edges grow value by value; farther, in a few levels
_LEVELS = (64, 128, 192, 255)


def grow(mask: Mask, radius: float, within: Area) -> Mask:
    """Each pixel becomes the largest value within `radius` pixels of it.

    Raises:
        EditorError: a radius out of range.
    """
    reach = _reach(radius)
    area = mask.area.grown(reach).intersected(within)

    def make(part: Area) -> Values:
        around = part.grown(reach)
        return _dilated(mask.read(around), radius)[part.within(around)]

    return made(area, make)


def shrink(mask: Mask, radius: float, within: Area) -> Mask:
    """Each pixel becomes the smallest value within `radius` pixels of it; where the selection touches
    the edge of the document, it counts as going on beyond.

    Raises:
        EditorError: a radius out of range.
    """
    reach = _reach(radius)

    def make(part: Area) -> Values:
        around = part.grown(reach)
        return FULL - _dilated(FULL - repeated(mask, around, within), radius)[part.within(around)]

    return made(mask.area.intersected(within), make)


def border(mask: Mask, width: float, within: Area) -> Mask:
    """A frame of `width` pixels along the selection's edge, half inside and half outside of it."""
    outer, inner = grow(mask, width / 2, within), shrink(mask, width / 2, within)
    return made(outer.area, lambda part: np.minimum(outer.read(part), FULL - inner.read(part)))


def repeated(mask: Mask, area: Area, within: Area) -> Values:
    """The mask's values in `area`; outside `within`, those at its nearest edge."""
    inside = area.intersected(within)
    values = mask.read(inside)
    left, top = inside.x - area.x, inside.y - area.y
    right, bottom = area.right - inside.right, area.bottom - inside.bottom
    return np.pad(values, ((top, bottom), (left, right)), mode="edge")


def _reach(radius: float) -> int:
    if not 0 < radius <= LARGEST_PX:
        raise EditorError(
            "The distance is {radius:g} px: allowed is more than 0 and up to {most}.",
            radius=radius,
            most=LARGEST_PX,
        )
    return math.floor(radius)


def _dilated(values: Values, radius: float) -> Values:
    import cv2

    if not values.any():
        return values
    if radius <= _EXACT_PX:
        return cv2.dilate(values, _disc(radius), borderType=cv2.BORDER_CONSTANT, borderValue=(0.0,)).astype(
            np.uint8, copy=False
        )
    result = values.copy()
    levels = _LEVELS if _is_soft(values) else (FULL,)
    for level in levels:
        near = _distance(values >= level) <= radius + 1e-4
        np.maximum(result, np.where(near, np.uint8(level), np.uint8(0)), out=result)
    return result


def _distance(
    chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Exact distance of each pixel's centre to the nearest chosen one's; far beyond all if there is none."""
    import cv2

    if not chosen.any():
        return np.full(chosen.shape, np.float32(np.inf))
    apart = cv2.distanceTransform((~chosen).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(apart, np.float32)


def _is_soft(values: Values) -> bool:
    return bool(((values > 0) & (values < FULL)).any())


def _disc(radius: float) -> Values:
    reach = math.floor(radius)
    across = np.arange(-reach, reach + 1)
    return (across[:, None] ** 2 + across**2 <= radius * radius + 1e-6).astype(np.uint8)
