"""Healing: a patch from elsewhere takes the place of a blemish, fitted to what surrounds it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.pixels.raster import Area, Samples
from editor.selection.wand import Read
from editor.tools.painting.membrane import membrane
from editor.tools.painting.paint import Source

_MARGIN_PX = 12  # of the surroundings that are compared and fitted to
_DIRECTIONS = 16
_DISTANCES = (1.25, 2.0, 3.0)
_COMPARED = 40_000  # pixels of the surroundings that are looked at


@dataclass(frozen=True)
class Blemish:
    """What is to be healed.

    Args:
        area: of the document, with some of the surroundings.
        share: how much of each pixel [h, w] of the area is painted over, 0..1.
        width: the brush's, in pixels.
    """

    area: Area
    share: NDArray[np.float32]
    width: float


def margin_around(touched: Area, within: Area) -> Area:
    """The area that healing what lies in `touched` looks at."""
    return touched.grown(_MARGIN_PX).intersected(within)


def healed(read: Read, blemish: Blemish, way: tuple[int, int]) -> Source:
    """The paint over the blemish's area: what lies `way` from it, with the colours of its surroundings."""
    area = blemish.area
    below, patch = _planes(read(area)), _planes(read(area.moved(*way)))
    known = (blemish.share == 0) & (below[..., 3] > 0) & (patch[..., 3] > 0)
    fitted = patch[..., :3] + membrane(below[..., :3] - patch[..., :3], known)
    alpha = np.ascontiguousarray(patch[..., 3])
    return Source(np.ascontiguousarray(np.clip(fitted, 0, 1).transpose(2, 0, 1)), alpha)


def best_way(read: Read, blemish: Blemish, within: Area) -> tuple[int, int]:
    """Where the most similar surroundings lie: the way to them from the blemish."""
    import cv2  # with its first use, not with the window

    inside = blemish.share > 0
    ring = cv2.dilate(inside.astype(np.uint8), np.ones((_MARGIN_PX, _MARGIN_PX), np.uint8)).astype(bool)
    rows, columns = np.nonzero(ring & ~inside)
    step = max(1, len(rows) // _COMPARED)
    rows, columns = rows[::step], columns[::step]
    below = _planes(read(blemish.area))[rows, columns]
    best, least = (round(blemish.width * 1.5), 0), math.inf
    for way in _ways(blemish):
        moved = blemish.area.moved(*way)
        if moved.intersected(within) != moved:
            continue
        there = _planes(read(moved))[rows, columns]
        cost = float(np.abs(there - below).mean()) + _overlap(inside, way)
        if cost < least:
            best, least = way, cost
    return best


def _ways(blemish: Blemish) -> Iterator[tuple[int, int]]:
    """Near places first, in all directions: as far as the brush is wide, and as the whole blemish is."""
    across, down = blemish.area.width / 2, blemish.area.height / 2
    half = blemish.width / 2
    for distance in _DISTANCES:
        for radius_x, radius_y in ((half, half), (across, down)):
            for index in range(_DIRECTIONS):
                angle = 2 * math.pi * index / _DIRECTIONS
                x, y = 2 * distance * radius_x * math.cos(angle), 2 * distance * radius_y * math.sin(angle)
                yield round(x), round(y)


def _overlap(inside: NDArray[np.bool_], way: tuple[int, int]) -> float:
    """The share of the blemish that would be healed with itself."""
    height, width = inside.shape
    dx, dy = way
    if abs(dx) >= width or abs(dy) >= height:
        return 0.0
    there = inside[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
    here = inside[max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)]
    return float((there & here).sum() / max(1, inside.sum()))


def _planes(samples: Samples) -> NDArray[np.float32]:
    """Samples [h, w, 4] in 0..1."""
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
