"""Overlapping windows that cover a plane, and how much each of them counts where they overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERLAP = 0.25
"""Of a window's side that its neighbours share with it, at least."""


@dataclass(frozen=True)
class Axis:
    """Windows of `size` places each along a line of `length`, at `starts`."""

    length: int
    size: int
    starts: tuple[int, ...]

    @classmethod
    def covering(cls, length: int, size: int) -> Axis:
        """As few as overlap by `OVERLAP`, at even distances; one of the line's own length if that is less."""
        size = min(size, length)
        overlap = min(round(size * OVERLAP), size - 1)
        count = max(1, math.ceil((length - overlap) / (size - overlap)))
        gaps = max(1, count - 1)
        return cls(length, size, tuple(round(index * (length - size) / gaps) for index in range(count)))

    def scaled(self, factor: int) -> Axis:
        """The same windows of a line with `factor` times as many places."""
        starts = tuple(start * factor for start in self.starts)
        return Axis(self.length * factor, self.size * factor, starts)

    def shares(self) -> list[NDArray[np.float32]]:
        """What each window counts at each of its places: little at its ends; together they add up to 1.

        So nothing steps where a window begins or ends.
        """
        places = np.arange(self.size) + 0.5
        ramp = np.minimum(np.minimum(places, self.size - places) / max(1.0, self.size * OVERLAP), 1.0)
        total = np.zeros(self.length)
        for start in self.starts:
            total[start : start + self.size] += ramp
        return [(ramp / total[start : start + self.size]).astype(np.float32) for start in self.starts]


@dataclass(frozen=True)
class Window:
    """One window: its rows and columns, and its share [h, w] there."""

    rows: slice
    columns: slice
    share: NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    """Windows that cover a plane, row by row."""

    down: Axis
    across: Axis

    @classmethod
    def covering(cls, height: int, width: int, window: tuple[int, int]) -> Windows:
        """Those of (height, width) `window` that cover a plane of that height and width."""
        return cls(Axis.covering(height, window[0]), Axis.covering(width, window[1]))

    def scaled(self, factor: int) -> Windows:
        """The same of a plane with `factor` times as many places in each direction."""
        return Windows(self.down.scaled(factor), self.across.scaled(factor))

    def __len__(self) -> int:
        return len(self.down.starts) * len(self.across.starts)

    def __iter__(self) -> Iterator[Window]:
        across = self.across.shares()
        for top, vertical in zip(self.down.starts, self.down.shares(), strict=True):
            for left, horizontal in zip(self.across.starts, across, strict=True):
                yield Window(
                    slice(top, top + self.down.size),
                    slice(left, left + self.across.size),
                    np.outer(vertical, horizontal),
                )
