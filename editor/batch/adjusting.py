"""Adjustments in a row, put into a picture's samples without rounding between them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from editor import adjustments
from editor.pixels.raster import TILE_PX, Area, Samples, frozen
from inference.parameters import Parameters

_FAR_PX = 4 * TILE_PX  # parts are larger where each has to look around itself
_TABLE_ROWS = 256


def adjusted(
    samples: Samples,
    settings: Sequence[Parameters],
    amount: float = 100.0,
    cores: int | None = None,
    scale: float = 1.0,
) -> Samples:
    """RGBA samples [H, W, 4], uint8 or uint16, after all adjustments; rounded once, at the end.

    Args:
        amount: percent of each change, 0..150: 100 as it is, 50 half of the way, beyond 100 as much further.
        cores: threads at once; None is all.
        scale: the size of these samples' picture as a share of the one that is meant, for previews.
    """
    if not settings or amount == 0:
        return samples
    share = np.float32(amount / 100)
    kinds = [adjustments.kind_of(one) for one in settings]
    by_table = all(kind.by_channel for kind in kinds)
    if by_table:
        table = _table(samples.dtype, settings, share)
        work = _Tables(samples, table)
        parts = _bands(samples)
    else:
        reach = sum(adjustments.reach_px(one) for one in settings)
        work = _Planes(samples, settings, share, reach, scale)
        parts = _squares(samples, TILE_PX if reach == 0 else _FAR_PX)
    into = np.empty_like(samples)

    def carry_out(part: Area) -> None:
        work.write(part, into)

    count = min(len(parts), cores or os.cpu_count() or 1)
    if count == 1:
        for part in parts:
            carry_out(part)
    else:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(carry_out, parts))
    return cast("Samples", frozen(into))


class _Tables:
    """Each channel looked up in a table of all its samples: exact, for nothing lies between them."""

    def __init__(self, samples: Samples, table: Samples) -> None:
        self._samples, self._table = samples, table

    def write(self, part: Area, into: Samples) -> None:
        rows = slice(part.y, part.bottom)
        if self._samples.dtype == np.uint8:
            import cv2

            cv2.LUT(self._samples[rows], self._table[None], into[rows])
            return
        for channel in range(4):
            into[rows, :, channel] = self._table[:, channel][self._samples[rows, :, channel]]


class _Planes:
    """Parts with their surroundings, as floats."""

    def __init__(
        self,
        samples: Samples,
        settings: Sequence[Parameters],
        share: np.float32,
        reach_px: int,
        scale: float,
    ) -> None:
        self._samples, self._settings, self._share, self._reach_px = samples, settings, share, reach_px
        self._scale = scale
        self._whole = Area(0, 0, samples.shape[1], samples.shape[0])

    def write(self, part: Area, into: Samples) -> None:
        around = part.grown(self._reach_px).intersected(self._whole)
        planes = _as_planes(self._samples[around.within(self._whole)])
        after = _after(planes, self._settings, self._share, self._scale)
        rows, columns = part.within(around)
        into[part.within(self._whole)] = _as_samples(after[:, rows, columns], into.dtype)


def _after(
    planes: NDArray[np.float32], settings: Sequence[Parameters], share: np.float32, scale: float = 1.0
) -> NDArray[np.float32]:
    for one in settings:
        changed: Any = adjustments.apply(one, planes, scale)
        if changed is not planes and share != 1:
            changed = np.clip(planes + share * (changed - planes), np.float32(0), np.float32(1))
        planes = changed
    return planes


def _table(dtype: np.dtype[Any], settings: Sequence[Parameters], share: np.float32) -> Samples:
    """What every sample [256 or 65536, 4] becomes in each channel."""
    every = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    ramp = np.repeat(every[:, None], 4, axis=1).reshape(_TABLE_ROWS, -1, 4)
    after = _after(_as_planes(ramp), settings, share)
    found = _as_samples(after, dtype).reshape(-1, 4).copy()
    found[:, 3] = every  # alpha is no colour
    return found


def _as_planes(samples: Samples) -> NDArray[np.float32]:
    top = np.float32(np.iinfo(samples.dtype).max)
    return np.ascontiguousarray(np.moveaxis(samples, 2, 0)).astype(np.float32) / top


def _as_samples(planes: NDArray[np.float32], dtype: np.dtype[Any]) -> Samples:
    top = np.float32(np.iinfo(dtype).max)
    return cast("Samples", (np.moveaxis(planes, 0, 2) * top + np.float32(0.5)).astype(dtype))


def _bands(samples: Samples) -> list[Area]:
    height, width = samples.shape[:2]
    return [Area(0, y, width, min(TILE_PX, height - y)) for y in range(0, height, TILE_PX)]


def _squares(samples: Samples, side: int) -> list[Area]:
    height, width = samples.shape[:2]
    whole = Area(0, 0, width, height)
    return [
        Area(x, y, side, side).intersected(whole)
        for y in range(0, height, side)
        for x in range(0, width, side)
    ]
