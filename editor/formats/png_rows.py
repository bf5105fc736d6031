"""PNG's row filters in NumPy, and the choice of one for a band of rows."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from editor.pixels.raster import Samples

Rows: TypeAlias = NDArray[np.uint8]
Filter: TypeAlias = Callable[[Rows, Rows, int], Rows]

TRIAL_ROWS = 4


def row_bytes(samples: Samples) -> Rows:
    """Samples [H, W, C] as PNG stores them: rows [H, W·C·bytes], the high byte first."""
    stored = samples.astype(">u2") if samples.dtype == np.uint16 else samples
    return np.ascontiguousarray(stored).view(np.uint8).reshape(samples.shape[0], -1)


def filtered(rows: Rows, above: Rows, step: int, *, fast: bool = False) -> bytes:
    """Rows with the filter that suits them best, each behind its filter's number.

    `above` is the row before the first (zeros at the top); `step` the bytes of a pixel; `fast` leaves out the
    filter that costs most.
    """
    kind = _best(rows, above, step, FILTERS[:-1] if fast else FILTERS)
    previous = np.concatenate([above[None], rows[:-1]])
    result = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    result[:, 0] = kind
    result[:, 1:] = FILTERS[kind](rows, previous, step)
    return result.tobytes()


def _best(rows: Rows, above: Rows, step: int, filters: Sequence[Filter]) -> int:
    """The filter after which a few rows from the middle deflate to least."""
    start = max(0, (rows.shape[0] - TRIAL_ROWS) // 2)
    sample = rows[start : start + TRIAL_ROWS]
    first = rows[start - 1] if start else above
    previous = np.concatenate([first[None], sample[:-1]])
    sizes = [len(zlib.compress(use(sample, previous, step).tobytes(), 1)) for use in filters]
    return int(np.argmin(sizes))


def _none(rows: Rows, previous: Rows, step: int) -> Rows:
    return rows


def _sub(rows: Rows, previous: Rows, step: int) -> Rows:
    result = rows.copy()
    result[:, step:] -= rows[:, :-step]
    return result


def _up(rows: Rows, previous: Rows, step: int) -> Rows:
    return rows - previous


def _average(rows: Rows, previous: Rows, step: int) -> Rows:
    left: Any = _left(rows, step)
    # (a + b) // 2 without leaving 8 bits
    return rows - ((left & previous) + ((left ^ previous) >> 1))


def _paeth(rows: Rows, previous: Rows, step: int) -> Rows:
    left, corner = _left(rows, step), _left(previous, step)
    to_left = np.maximum(previous, corner) - np.minimum(previous, corner)  # |p - a|
    to_above = np.maximum(left, corner) - np.minimum(left, corner)  # |p - b|
    # |p - c| is the sum where a and b lie on the same side of c, else the difference
    same_side = (previous >= corner) == (left >= corner)
    both = np.minimum(to_left.astype(np.uint16) + to_above, 255).astype(np.uint8)
    apart = np.maximum(to_left, to_above) - np.minimum(to_left, to_above)
    to_corner = np.where(same_side, both, apart)
    guess = np.where(to_above <= to_corner, previous, corner)
    use_left = (to_left <= to_above) & (to_left <= to_corner)
    return rows - np.where(use_left, left, guess)


def _left(rows: Rows, step: int) -> Rows:
    result = np.zeros_like(rows)
    result[:, step:] = rows[:, :-step]
    return result


FILTERS: tuple[Filter, ...] = (_none, _sub, _up, _average, _paeth)
"""By PNG's numbers."""
