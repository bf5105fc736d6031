"""Arithmetic on rasters that never holds a whole picture in floating point."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Layer, Mask
from editor.layers.limits import check_size
from editor.pixels.raster import Area, Raster, Samples, frozen

BAND_ROWS = 256  # a row of tiles


def by_bands(raster: Raster, make: Callable[[Area], Samples]) -> Raster:
    """A raster of the same size and type, made in bands of whole rows; `make` gets the band's area."""
    first = make(Area(0, 0, raster.width, min(BAND_ROWS, raster.height)))
    whole = np.empty((raster.height, raster.width, first.shape[2]), first.dtype)
    whole[: first.shape[0]] = first
    for top in range(BAND_ROWS, raster.height, BAND_ROWS):
        rows = min(BAND_ROWS, raster.height - top)
        whole[top : top + rows] = make(Area(0, top, raster.width, rows))
    return Raster.of(frozen(whole))


def with_alpha(layer: Layer, mask: Mask, *, remove: bool = False) -> Raster:
    """A layer's raster with its alpha times a mask (`remove`: times what the mask leaves)."""
    raster = layer.raster

    def band(area: Area) -> Samples:
        samples = raster.read(area).copy()
        share = coverage(mask, area.moved(layer.x, layer.y))
        samples[..., 3] = samples[..., 3] * (1 - share if remove else share) + np.float32(0.5)
        return samples

    return by_bands(raster, band)


def coverage(mask: Mask | None, area: Area) -> NDArray[np.float32]:
    """How much of each pixel [H, W] of a document's area is meant, 0..1; None is everything."""
    if mask is None:
        return np.ones((area.height, area.width), np.float32)
    return (mask.read(area) / np.float32(255)).astype(np.float32, copy=False)


def cropped(raster: Raster, area: Area) -> Raster:
    """A part of a raster as one of its own; `area` must lie inside."""
    if area == raster.area:
        return raster
    return Raster.of(frozen(np.ascontiguousarray(raster.read(area))))


def spread(layer: Layer, area: Area) -> Layer:
    """The layer, transparent around, so large that it covers `area` of the document too.

    Raises:
        EditorError: it would be too large.
    """
    if layer.area.contains(area):
        return layer
    united = layer.area.united(area)
    check_size(united.width, united.height)
    empty = Raster.filled(united.width, united.height, dtype=layer.raster.dtype)
    raster = empty.written(layer.x - united.x, layer.y - united.y, layer.raster.array())
    return layer.changed(raster=raster, x=united.x, y=united.y)


def bounds(mask: Mask, within: Area) -> Area:
    """The smallest area inside `within` that holds everything the mask shows; empty if it shows nothing."""
    found = Area(0, 0, 0, 0)
    for top in range(within.y, within.bottom, BAND_ROWS):
        band = Area(within.x, top, within.width, min(BAND_ROWS, within.bottom - top))
        found = found.united(box_of(mask.read(band) > 0).moved(band.x, band.y))
    return found


def box_of(shown: NDArray[np.bool_]) -> Area:
    """The smallest area that holds every True of [H, W]; empty if there is none."""
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not rows.size:
        return Area(0, 0, 0, 0)
    return Area(int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def as_depth(colour: tuple[int, int, int, int], dtype: np.dtype[np.generic]) -> NDArray[np.float32]:
    """A straight 8-bit RGBA colour in the units of a raster's samples."""
    scale = 257 if dtype == np.uint16 else 1
    return np.asarray(colour, np.float32) * np.float32(scale)
