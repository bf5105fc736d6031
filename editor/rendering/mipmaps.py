"""Tiles of rasters at half, quarter … size, kept as long as memory allows.

A reduced tile is known by the tiles it was made from, not by its raster: after a stroke only what lies over
the painted tiles is reduced again.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from editor.pixels.raster import TILE_PX, Area, Raster, Samples, to_eight_bits

Tile = NDArray[np.uint8]
CACHE_BYTES = 512 * 2**20


class Facts(NamedTuple):
    """What is known of a tile: a number that no other tile ever has, and what its alpha (or mask) is like."""

    token: int
    full: bool
    blank: bool


def scaled_area(area: Area, level: int) -> Area:
    """The area at 2^-level that holds all of `area`; its corner is rounded down."""
    left, top = area.x >> level, area.y >> level
    width, height = -(-area.width >> level), -(-area.height >> level)
    return Area(left, top, width, height)


class Mipmaps:
    """Reduced tiles and facts about tiles; used from several threads."""

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._limit = cache_bytes
        self._held = 0
        self._tiles: OrderedDict[tuple[int, ...], Tile] = OrderedDict()
        self._facts: dict[int, tuple[weakref.ref[Samples], Facts]] = {}
        self._keys: weakref.WeakKeyDictionary[Raster, dict[tuple[int, int, int], tuple[int, ...]]] = (
            weakref.WeakKeyDictionary()
        )
        self._tokens = itertools.count()
        self._lock = threading.Lock()

    def facts(self, tile: Samples) -> Facts:
        """Facts about a tile, worked out when first asked."""
        known = self._facts.get(id(tile))
        if known is not None and known[0]() is tile:
            return known[1]
        last = tile[..., -1]
        top = np.iinfo(tile.dtype).max
        full = bool(last.min() == top)
        facts = Facts(next(self._tokens), full, not full and not last.any())
        key = id(tile)

        def forget(gone: weakref.ref[Samples]) -> None:
            kept = self._facts.get(key)
            if kept is not None and kept[0] is gone:
                del self._facts[key]

        self._facts[key] = (weakref.ref(tile, forget), facts)
        return facts

    def tile(self, raster: Raster, level: int, column: int, row: int) -> Samples:
        """The tile of a raster at 2^-level; at level 0 the raster's own, else 8 bits."""
        if level == 0:
            return raster.tile(column, row)
        key = self._key(raster, level, column, row)
        with self._lock:
            kept = self._tiles.get(key)
            if kept is not None:
                self._tiles.move_to_end(key)
                return kept
        reduced = self._reduced(raster, level, column, row)
        with self._lock:
            if key not in self._tiles:
                self._tiles[key] = reduced
                self._held += reduced.nbytes
            while self._held > self._limit and len(self._tiles) > 1:
                _, oldest = self._tiles.popitem(last=False)
                self._held -= oldest.nbytes
        return reduced

    def is_full(self, raster: Raster, level: int, area: Area) -> bool:
        """Whether alpha is known to be full in all tiles of an area inside a raster at a level."""
        return all(
            self.facts(self.tile(raster, level, column, row)).full
            for row in range(area.y // TILE_PX, (area.bottom - 1) // TILE_PX + 1)
            for column in range(area.x // TILE_PX, (area.right - 1) // TILE_PX + 1)
        )

    def patch(self, raster: Raster, level: int, area: Area) -> tuple[Samples, bool, bool]:
        """Samples [h, w, C] of an area inside a raster at a level; and whether all are full, or blank."""
        x, y, width, height = area
        column, row = x // TILE_PX, y // TILE_PX
        if (x + width - 1) // TILE_PX == column and (y + height - 1) // TILE_PX == row:
            tile = self.tile(raster, level, column, row)
            facts = self.facts(tile)
            x, y = x - column * TILE_PX, y - row * TILE_PX
            return tile[y : y + height, x : x + width], facts.full, facts.blank
        dtype = raster.dtype if level == 0 else np.dtype(np.uint8)
        samples = np.empty((height, width, raster.channels), dtype)
        full = blank = True
        for place, column, row in self.tiles_in(raster, level, area):
            tile = self.tile(raster, level, column, row)
            facts = self.facts(tile)
            full, blank = full and facts.full, blank and facts.blank
            common = place.intersected(area)
            samples[common.within(area)] = tile[common.within(place)]
        return samples, full, blank

    def tiles_in(self, raster: Raster, level: int, area: Area) -> list[tuple[Area, int, int]]:
        """(place, column, row) of the tiles at a level that touch an area of the raster at that level."""
        whole = scaled_area(raster.area, level)
        part = area.intersected(whole)
        if part.is_empty:
            return []
        return [
            (Area(c * TILE_PX, r * TILE_PX, TILE_PX, TILE_PX).intersected(whole), c, r)
            for r in range(part.y // TILE_PX, (part.bottom - 1) // TILE_PX + 1)
            for c in range(part.x // TILE_PX, (part.right - 1) // TILE_PX + 1)
        ]

    def _key(self, raster: Raster, level: int, column: int, row: int) -> tuple[int, ...]:
        """What a reduced tile is known by; a raster's own keys are kept as long as the raster lives."""
        place = (level, column, row)
        with self._lock:
            known = self._keys.get(raster)
            key = known.get(place) if known is not None else None
        if key is None:
            key = (level, *self._sources(raster, level, column, row))
            with self._lock:
                self._keys.setdefault(raster, {})[place] = key
        return key

    def _sources(self, raster: Raster, level: int, column: int, row: int) -> list[int]:
        span = 1 << level
        return [
            self.facts(raster.tile(c, r)).token
            for r in range(row * span, min((row + 1) * span, raster.rows))
            for c in range(column * span, min((column + 1) * span, raster.columns))
        ]

    def _reduced(self, raster: Raster, level: int, column: int, row: int) -> Tile:
        width = -(-raster.width >> (level - 1))
        height = -(-raster.height >> (level - 1))
        place = Area(column * 2 * TILE_PX, row * 2 * TILE_PX, 2 * TILE_PX, 2 * TILE_PX)
        place = place.intersected(Area(0, 0, width, height))
        larger = np.empty((place.height, place.width, raster.channels), np.uint8)
        full = True
        for part, c, r in self.tiles_in(raster, level - 1, place):
            tile = self.tile(raster, level - 1, c, r)
            larger[part.within(place)] = to_eight_bits(tile)
            full = full and self.facts(tile).full
        return halved(larger, full)


def halved(tile: Tile, full: bool) -> Tile:
    """Means of 2×2 pixels [⌈h/2⌉, ⌈w/2⌉, C], colours by their alpha; `full` says that alpha is all 255."""
    height, width, channels = tile.shape
    if height % 2 or width % 2:
        tile = np.pad(tile, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        height, width, _ = tile.shape
    size = (width // 2, height // 2)
    if channels == 1 or full:
        result = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
    else:
        values = tile.astype(np.float32)
        values[..., :3] *= values[..., 3:]
        means = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        alpha = means[..., 3:]
        np.divide(means[..., :3], alpha, out=means[..., :3], where=alpha > 0)
        result = (means + np.float32(0.5)).astype(np.uint8)
    reduced = cast("Tile", np.ascontiguousarray(result)).reshape(size[1], size[0], channels)
    reduced.flags.writeable = False
    return reduced
