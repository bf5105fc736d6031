"""Pixels in tiles: an immutable picture that shares unchanged tiles with the pictures it was made from.

A stroke over a photo of 24 megapixels copies the tiles it touches, not the photo; undo holds those tiles.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from inference.errors import EditorError

TILE_PX = 256

Samples: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
"""Integer samples [H, W, C]; 0 to the largest value of the type stands for 0 to 1."""


class Area(NamedTuple):
    """A rectangle in pixels, free of Qt."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def is_empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def intersected(self, other: Area) -> Area:
        # thousands of times a frame, so without properties and calls
        x, y, width, height = self
        left, top, right, bottom = other
        right, bottom = left + right, top + bottom
        left, top = (x if x > left else left), (y if y > top else top)
        width, height = x + width, y + height
        width = (width if width < right else right) - left
        height = (height if height < bottom else bottom) - top
        return Area(left, top, width if width > 0 else 0, height if height > 0 else 0)

    def united(self, other: Area) -> Area:
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        left, top = min(self.x, other.x), min(self.y, other.y)
        return Area(left, top, max(self.right, other.right) - left, max(self.bottom, other.bottom) - top)

    def moved(self, dx: int, dy: int) -> Area:
        return Area(self.x + dx, self.y + dy, self.width, self.height)

    def grown(self, by: int) -> Area:
        return Area(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def contains(self, other: Area) -> bool:
        return other.is_empty or self.intersected(other) == other

    def within(self, outer: Area) -> tuple[slice, slice]:
        """Index of this area in an array that covers `outer`: (rows, columns)."""
        left, top = self.x - outer.x, self.y - outer.y
        return slice(top, top + self.height), slice(left, left + self.width)


class Raster:
    """Read-only uint8 or uint16 samples [height, width, channels]; RGBA with straight alpha, or a mask."""

    __slots__ = ("__weakref__", "_assembled", "_tiles", "_whole", "channels", "dtype", "height", "width")

    def __init__(
        self, width: int, height: int, tiles: Sequence[tuple[Samples, ...]], whole: Samples | None = None
    ) -> None:
        """Use `Raster.of`, `Raster.filled` or `written`; `tiles` are read-only and cover the picture."""
        self.width = width
        self.height = height
        self._tiles = tuple(tiles)
        self._whole = whole
        self._assembled: weakref.ref[Any] | None = None
        first = self._tiles[0][0]
        self.channels: int = first.shape[2]
        self.dtype: np.dtype[Any] = first.dtype

    @classmethod
    def of(cls, samples: Samples) -> Self:
        """A raster over an array [H, W, C] or [H, W]; the array is not copied and must not change again.

        Raises:
            EditorError: another shape or another type of samples.
        """
        pixels: Samples = samples[..., None] if samples.ndim == 2 else samples
        if pixels.ndim != 3 or 0 in pixels.shape or pixels.shape[2] not in (1, 4):
            raise EditorError("A layer cannot hold pixels of shape {shape}.", shape=samples.shape)
        if pixels.dtype.name not in ("uint8", "uint16"):  # files and callers without types bring others
            raise EditorError("A layer cannot hold samples of type {kind}.", kind=samples.dtype)
        whole = frozen(pixels)
        height, width, _ = whole.shape
        rows = [
            tuple(whole[y : y + TILE_PX, x : x + TILE_PX] for x in range(0, width, TILE_PX))
            for y in range(0, height, TILE_PX)
        ]
        return cls(width, height, rows, whole)

    @classmethod
    def filled(
        cls, width: int, height: int, value: int = 0, *, channels: int = 4, dtype: Any = np.uint8
    ) -> Self:
        """One value everywhere; holds a single tile's memory, whatever the size."""
        if width < 1 or height < 1:
            raise EditorError(
                "A layer cannot be {width} × {height} pixels.",
                "Use at least 1 × 1.",
                width=width,
                height=height,
            )
        tile = _constant_tile(value, channels, np.dtype(dtype).name)
        columns = [min(TILE_PX, width - x) for x in range(0, width, TILE_PX)]
        rows = [
            tuple(tile if (w, h) == (TILE_PX, TILE_PX) else tile[:h, :w] for w in columns)
            for h in (min(TILE_PX, height - y) for y in range(0, height, TILE_PX))
        ]
        return cls(width, height, rows)

    @property
    def columns(self) -> int:
        """Tiles across."""
        return len(self._tiles[0])

    @property
    def rows(self) -> int:
        """Tiles down."""
        return len(self._tiles)

    @property
    def area(self) -> Area:
        return Area(0, 0, self.width, self.height)

    @property
    def top(self) -> int:
        """The sample that stands for 1: 255 or 65535."""
        return int(np.iinfo(self.dtype).max)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole picture as an array."""
        return self.width * self.height * self.channels * self.dtype.itemsize

    def tile(self, column: int, row: int) -> Samples:
        """A read-only tile [≤ 256, ≤ 256, C]; the same object as long as it did not change."""
        return self._tiles[row][column]

    def is_blank(self, column: int, row: int) -> bool:
        """Whether a tile is known, without looking at it, to be all zero."""
        return _owner(self._tiles[row][column]) is _owner(_constant_tile(0, self.channels, self.dtype.name))

    def tile_row(self, row: int) -> tuple[Samples, ...]:
        """The tiles of a row, from left to right; the same object as long as none of them changed."""
        return self._tiles[row]

    def tile_area(self, column: int, row: int) -> Area:
        tile = self._tiles[row][column]
        return Area(column * TILE_PX, row * TILE_PX, tile.shape[1], tile.shape[0])

    def tiles_in(self, area: Area) -> Iterator[tuple[int, int]]:
        """(column, row) of the tiles that touch an area."""
        part = area.intersected(self.area)
        if part.is_empty:
            return
        for row in range(part.y // TILE_PX, (part.bottom - 1) // TILE_PX + 1):
            for column in range(part.x // TILE_PX, (part.right - 1) // TILE_PX + 1):
                yield column, row

    def array(self) -> Samples:
        """The whole picture [H, W, C], read-only; kept as long as somebody holds it."""
        if self._whole is not None:
            return self._whole
        kept = self._assembled() if self._assembled is not None else None
        if kept is None:
            kept = frozen(np.concatenate([np.concatenate(row, axis=1) for row in self._tiles], axis=0))
            self._assembled = weakref.ref(kept)
        return kept

    def read(self, area: Area) -> Samples:
        """The samples of an area inside the picture, as an array that may be a read-only view."""
        part = area.intersected(self.area)
        if part != area or area.is_empty:
            raise ValueError(f"{area} is not inside {self.area}")
        if self._whole is not None:
            return self._whole[area.y : area.bottom, area.x : area.right]
        result = np.empty((area.height, area.width, self.channels), self.dtype)
        for column, row in self.tiles_in(area):
            place = self.tile_area(column, row)
            common = place.intersected(area)
            result[common.within(area)] = self._tiles[row][column][common.within(place)]
        return frozen(result)

    def written(self, x: int, y: int, patch: Samples) -> Raster:
        """The raster with `patch` [h, w, C] at (x, y), clipped to the picture; untouched tiles are shared."""
        if patch.ndim == 2:
            patch = patch[..., None]
        if patch.shape[2] != self.channels or patch.dtype != self.dtype:
            raise ValueError(f"a patch {patch.shape} {patch.dtype} does not fit {self.channels} {self.dtype}")
        given = Area(x, y, patch.shape[1], patch.shape[0])
        touched: dict[int, list[Samples]] = {}
        for column, row in self.tiles_in(given):
            place = self.tile_area(column, row)
            common = place.intersected(given)
            if common == place:
                changed = patch[common.within(given)].copy()
            else:
                changed = self._tiles[row][column].copy()
                changed[common.within(place)] = patch[common.within(given)]
            changed.flags.writeable = False
            touched.setdefault(row, list(self._tiles[row]))[column] = changed
        rows = [tuple(touched[row]) if row in touched else own for row, own in enumerate(self._tiles)]
        return Raster(self.width, self.height, rows)

    def difference(self, other: Raster) -> Area:
        """The area of the tiles that are not shared with a raster of the same size."""
        rows: list[int] = []
        columns: set[int] = set()
        for row, (own, others) in enumerate(zip(self._tiles, other._tiles, strict=True)):
            if own is others:
                continue
            differing = [column for column, (a, b) in enumerate(zip(own, others, strict=True)) if a is not b]
            if differing:
                rows.append(row)
                columns.update(differing)
        if not rows:
            return Area(0, 0, 0, 0)
        first, last = self.tile_area(min(columns), rows[0]), self.tile_area(max(columns), rows[-1])
        return first.united(last)

    def buffers(self) -> Iterator[tuple[int, int]]:
        """(identity, bytes) of every buffer that is held; shared ones come more than once."""
        for row in self._tiles:
            for tile in row:
                owner = _owner(tile)
                yield id(owner), owner.nbytes


def sharing(raster: Raster, other: Raster) -> Raster:
    """The same samples, with the tiles of `other` wherever they are equal; nothing larger is held."""
    if raster is other or raster.area != other.area or raster.dtype != other.dtype:
        return raster
    rows: list[tuple[Samples, ...]] = []
    for row in range(raster.rows):
        tiles: list[Samples] = []
        for own, known in zip(raster.tile_row(row), other.tile_row(row), strict=True):
            same = own is known or np.array_equal(own, known)
            tiles.append(known if same else frozen(own.copy()))
        # whole rows, too: a comparison then need not look into them
        shared = all(one is known for one, known in zip(tiles, other.tile_row(row), strict=True))
        rows.append(other.tile_row(row) if shared else tuple(tiles))
    return Raster(raster.width, raster.height, rows)


def frozen(samples: Any) -> Any:
    """The same samples, contiguous and read-only; copies only if it must."""
    contiguous = np.ascontiguousarray(samples)
    if not contiguous.flags.writeable:
        return contiguous
    if contiguous is samples:
        contiguous = contiguous.view()
    contiguous.flags.writeable = False
    return contiguous


def to_eight_bits(samples: Samples) -> NDArray[np.uint8]:
    """uint16 samples rounded to uint8; uint8 ones as they are."""
    if samples.dtype == np.uint8:
        return cast("NDArray[np.uint8]", samples)
    # (v·255 + 32767) // 65535, without division
    wide = samples.astype(np.uint32)
    return ((wide * 255 + 32895) >> 16).astype(np.uint8)


def to_sixteen_bits(samples: Samples) -> NDArray[np.uint16]:
    """uint8 samples spread over uint16 (255 → 65535); uint16 ones as they are."""
    if samples.dtype == np.uint16:
        return cast("NDArray[np.uint16]", samples)
    return samples.astype(np.uint16) * np.uint16(257)


def _owner(tile: Samples) -> Samples:
    """The array whose memory a tile is a view of."""
    return tile.base if isinstance(tile.base, np.ndarray) else tile


@lru_cache(maxsize=64)
def _constant_tile(value: int, channels: int, dtype: str) -> Samples:
    return frozen(np.full((TILE_PX, TILE_PX, channels), value, dtype))
