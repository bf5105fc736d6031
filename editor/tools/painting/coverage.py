"""How much paint a stroke has put where: a sparse plane in tiles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from editor.pixels.raster import TILE_PX, Area
from editor.tools.painting.dabs import Dab


class Coverage:
    """Values 0..1 over an area from (0, 0) on; tiles exist where something was painted."""

    def __init__(self, width: int, height: int) -> None:
        self._area = Area(0, 0, width, height)
        self._tiles: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._dirty: dict[tuple[int, int], Area] = {}
        self.touched = Area(0, 0, 0, 0)

    def add(self, dab: Dab, flow: float, cap: float) -> None:
        """Put a dab on; paint builds up by `flow` towards `cap`, and never beyond."""
        height, width = dab.values.shape
        whole = Area(dab.x, dab.y, width, height)
        for key, place in tiles_of(whole.intersected(self._area)):
            tile = self._tiles.get(key)
            if tile is None:
                tile = self._tiles[key] = np.zeros((TILE_PX, TILE_PX), np.float32)
            part = tile[place.within(_tile_area(key))]
            missing = np.float32(cap) - part
            np.maximum(missing, 0, out=missing)
            missing *= dab.values[place.within(whole)]
            if flow < 1:
                missing *= np.float32(flow)
            part += missing
            self._dirty[key] = self._dirty.get(key, Area(0, 0, 0, 0)).united(place)
            self.touched = self.touched.united(place)

    def take_dirty(self) -> list[Area]:
        """The areas, one a tile, that changed since the last call."""
        areas = list(self._dirty.values())
        self._dirty = {}
        return areas

    def read(self, area: Area) -> NDArray[np.float32]:
        """The values [h, w] of any area; nothing outside of what was painted. May be a view."""
        keys = list(tiles_of(area))
        if len(keys) == 1:
            tile = self._tiles.get(keys[0][0])
            if tile is not None:
                return tile[area.within(_tile_area(keys[0][0]))]
        values = np.zeros((area.height, area.width), np.float32)
        for key, place in keys:
            tile = self._tiles.get(key)
            if tile is not None:
                values[place.within(area)] = tile[place.within(_tile_area(key))]
        return values


def tiles_of(area: Area) -> Iterator[tuple[tuple[int, int], Area]]:
    """((column, row), part of the area) of each tile that an area touches."""
    if area.is_empty:
        return
    for row in range(area.y // TILE_PX, (area.bottom - 1) // TILE_PX + 1):
        for column in range(area.x // TILE_PX, (area.right - 1) // TILE_PX + 1):
            key = (column, row)
            yield key, _tile_area(key).intersected(area)


def _tile_area(key: tuple[int, int]) -> Area:
    return Area(key[0] * TILE_PX, key[1] * TILE_PX, TILE_PX, TILE_PX)
