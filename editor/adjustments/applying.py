"""An adjustment put into a layer's pixels for good, inside the selection."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from editor import adjustments
from editor.layers.layer import Layer, Mask
from editor.pixels.raster import TILE_PX, Area, Raster, Samples
from inference.parameters import Parameters

_PART_PX = 4 * TILE_PX


def apply_to_layer(layer: Layer, settings: Parameters, selection: Mask | None = None) -> Layer:
    """The layer with adjusted pixels where `selection` says so; what is outside stays bit for bit.

    Works on all cores; for large layers call it off the GUI thread. A text layer becomes plain pixels.

    Raises:
        EditorError: `settings` belong to no adjustment.
    """
    adjustments.kind_of(settings)
    parts = [part for part in _parts(layer.raster, settings) if _is_touched(layer, selection, part)]

    def adjust(part: Area) -> Samples | None:
        return _adjusted(layer, settings, selection, part)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        done = list(pool.map(adjust, parts))
    changed = [(part, samples) for part, samples in zip(parts, done) if samples is not None]
    if not changed:
        return layer
    return layer.changed(raster=_written(layer.raster, changed), text=None, recipe=None, maps={})


def _parts(raster: Raster, settings: Parameters) -> list[Area]:
    """Whole tiles together; larger pieces where each has to look far around itself."""
    side = TILE_PX if adjustments.kind_of(settings).local else _PART_PX
    return [
        Area(x, y, side, side).intersected(raster.area)
        for y in range(0, raster.height, side)
        for x in range(0, raster.width, side)
    ]


def _is_touched(layer: Layer, selection: Mask | None, part: Area) -> bool:
    return selection is None or bool(selection.read(part.moved(layer.x, layer.y)).any())


def _adjusted(layer: Layer, settings: Parameters, selection: Mask | None, part: Area) -> Samples | None:
    """New samples of a part of the raster; None where they are the old ones."""
    raster = layer.raster
    around = part.grown(adjustments.reach_px(settings)).intersected(raster.area)
    before = _planes(raster.read(around))
    after = adjustments.apply(settings, before)
    if after is before:
        return None
    rows, columns = part.within(around)
    before, after = before[:, rows, columns], after[:, rows, columns]
    old = raster.read(part)
    if selection is None:
        new = _samples(after, raster)
    else:
        values = selection.read(part.moved(layer.x, layer.y))
        mixed = _mixed(before, after, values.astype(np.float32) / np.float32(255))
        new: Samples = np.where(values[..., None] > 0, _samples(mixed, raster), old)
    return None if np.array_equal(new, old) else new


def _mixed(
    before: NDArray[np.float32], after: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    """From before to after by `share` [h, w], colours by their alpha."""
    kept, gained = before[3] * (1 - share), after[3] * share
    alpha = kept + gained
    total = before[:3] * kept + after[:3] * gained
    seen = np.broadcast_to(alpha > 0, total.shape)
    colour = np.divide(total, np.broadcast_to(alpha, total.shape), out=after[:3].copy(), where=seen)
    return np.concatenate([colour, alpha[None]])


def _planes(samples: Samples) -> NDArray[np.float32]:
    top = np.float32(np.iinfo(samples.dtype).max)
    return np.ascontiguousarray(np.moveaxis(samples, 2, 0)).astype(np.float32) / top


def _samples(planes: NDArray[np.float32], raster: Raster) -> Samples:
    values = np.moveaxis(planes, 0, 2) * np.float32(raster.top) + np.float32(0.5)
    return cast("Samples", values.astype(raster.dtype))


def _written(raster: Raster, parts: list[tuple[Area, Samples]]) -> Raster:
    """The raster with new parts, which are whole tiles; untouched tiles are shared."""
    tiles: list[list[Any]] = [
        [raster.tile(column, row) for column in range(raster.columns)] for row in range(raster.rows)
    ]
    for part, samples in parts:
        for column, row in raster.tiles_in(part):
            tile = samples[raster.tile_area(column, row).within(part)].copy()
            tile.flags.writeable = False
            tiles[row][column] = tile
    return Raster(raster.width, raster.height, [tuple(row) for row in tiles])
