"""Masks made tile by tile: what is empty or full everywhere shares one tile's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Mask
from editor.pixels.raster import TILE_PX, Area, Raster, frozen

Values: TypeAlias = NDArray[np.uint8]
Make: TypeAlias = Callable[[Area], Values]

FULL = 255
BAND_PX = 2 * TILE_PX


def empty() -> Mask:
    """The selection of nothing."""
    return Mask(raster=Raster.filled(1, 1, 0, channels=1))


def everything(area: Area) -> Mask:
    return Mask(raster=Raster.filled(area.width, area.height, FULL, channels=1), x=area.x, y=area.y)


def made(area: Area, make: Make) -> Mask:
    """A mask over `area` of the document; `make` gives the values [h, w] of any part of it.

    `make` is asked for bands of the area's width, so that no more than a band is held beside the result.
    """
    if area.is_empty:
        return empty()
    rows: list[tuple[Values, ...]] = []
    for band in bands(area):
        values = make(band)
        rows.extend(_row(values[top : top + TILE_PX]) for top in range(0, band.height, TILE_PX))
    return Mask(raster=Raster(area.width, area.height, rows), x=area.x, y=area.y)


def bands(area: Area, height: int = BAND_PX) -> Iterator[Area]:
    """Parts of an area of its whole width, from the top; `height` is a multiple of a tile's."""
    for y in range(area.y, area.bottom, height):
        yield Area(area.x, y, area.width, min(height, area.bottom - y))


def bounds(mask: Mask) -> Area:
    """The smallest area outside which nothing is selected at all; empty if nothing is."""
    raster = mask.raster
    found = Area(0, 0, 0, 0)
    for column, row in raster.tiles_in(raster.area):
        if raster.is_blank(column, row):
            continue
        tile = raster.tile(column, row)[..., 0]
        inside = _bounds(tile > 0)
        if inside is not None:
            place = raster.tile_area(column, row)
            found = found.united(inside.moved(place.x, place.y))
    return found if found.is_empty else found.moved(mask.x, mask.y)


def is_empty(mask: Mask) -> bool:
    """Whether nothing is selected."""
    return mask.outside == 0 and bounds(mask).is_empty


def cropped(mask: Mask) -> Mask:
    """The same selection without empty margins."""
    found = bounds(mask)
    if found == mask.area:
        return mask
    return made(found, mask.read)


def _row(values: Values) -> tuple[Values, ...]:
    return tuple(_shared(values[:, x : x + TILE_PX]) for x in range(0, values.shape[1], TILE_PX))


def _shared(values: Values) -> Values:
    """A tile [h, w, 1] of these values, one and the same where all are 0 or all are 255."""
    height, width = values.shape
    first = int(values[0, 0])
    if first in (0, FULL) and bool((values == first).all()):
        tile = _constant(first)
        return tile if (height, width) == tile.shape[:2] else tile[:height, :width]
    return frozen(values[..., None].copy())


@lru_cache(maxsize=2)
def _constant(value: int) -> Values:
    return Raster.filled(TILE_PX, TILE_PX, value, channels=1).tile(0, 0).astype(np.uint8, copy=False)


def _bounds(chosen: NDArray[np.bool_]) -> Area | None:
    columns = np.flatnonzero(chosen.any(axis=0))
    if columns.size == 0:
        return None
    rows = np.flatnonzero(chosen.any(axis=1))
    return Area(int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)
