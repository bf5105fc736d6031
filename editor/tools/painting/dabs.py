"""The brush's tip as pixels; made once for each size, form and place between pixels."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CACHE_BYTES = 64 * 2**20
_PHASES = 4  # places a pixel across and down
_PHASED_PX = 300.0  # wider tips go to whole pixels: nobody can tell


class Dab(NamedTuple):
    """Coverage [h, w] in 0..1 (read-only) and the pixel of its top left corner."""

    values: NDArray[np.float32]
    x: int
    y: int


@dataclass(frozen=True)
class Tip:
    """Form of a dab.

    Args:
        diameter: in pixels, at least 1.
        hardness: share of the radius that is fully covered, 0..1; at 1 the edge is one pixel wide.
        roundness: height over width, more than 0 and up to 1.
        angle: degrees, clockwise.
    """

    diameter: float
    hardness: float = 1.0
    roundness: float = 1.0
    angle: float = 0.0

    def rounded(self) -> Tip:
        """One of fewer forms, that look the same: sizes in steps of 1 % and at least a quarter pixel."""
        step = max(0.25, 2.0 ** math.floor(math.log2(max(self.diameter, 1.0) / 100)))
        return Tip(
            max(1.0, round(self.diameter / step) * step),
            round(self.hardness, 2),
            round(max(self.roundness, 0.01), 2),
            float(round(self.angle) % 180) if self.roundness < 1 else 0.0,
        )


class Dabs:
    """Makes dabs and keeps the latest ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Tip, int, int], NDArray[np.float32]] = OrderedDict()
        self._bytes = 0

    def at(self, tip: Tip, x: float, y: float) -> Dab:
        """The dab whose centre is (x, y), to a quarter of a pixel."""
        form = tip.rounded()
        phases = _PHASES if form.diameter <= _PHASED_PX else 1
        column, across = divmod(round(x * phases), phases)
        row, down = divmod(round(y * phases), phases)
        key = (form, across * _PHASES // phases, down * _PHASES // phases)
        values = self._kept.get(key)
        if values is None:
            values = self._add(key)
        self._kept.move_to_end(key)
        reach = values.shape[0] // 2
        return Dab(values, column - reach, row - reach)

    def _add(self, key: tuple[Tip, int, int]) -> NDArray[np.float32]:
        values = stamped(key[0], key[1] / _PHASES, key[2] / _PHASES)
        self._kept[key] = values
        self._bytes += values.nbytes
        while self._bytes > _CACHE_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes
        return values


def stamped(tip: Tip, across: float, down: float) -> NDArray[np.float32]:
    """Coverage [n, n] of a tip whose centre lies `across`, `down` (0..1) from the middle of n × n pixels."""
    radius = tip.diameter / 2
    reach = math.ceil(radius + 1)
    places = np.arange(-reach, reach, dtype=np.float32) + np.float32(0.5)
    x, y = (places - np.float32(across))[None, :], (places - np.float32(down))[:, None]
    cosine, sine = math.cos(math.radians(tip.angle)), math.sin(math.radians(tip.angle))
    distance = np.hypot(x * cosine + y * sine, (y * cosine - x * sine) / tip.roundness)
    width = radius * (1 - tip.hardness)
    if width <= 1:
        values = np.clip(radius + 0.5 - distance, 0, 1)
    else:
        faded = np.clip((distance - (radius - width)) / width, 0, 1)
        values = 0.5 + 0.5 * np.cos(np.pi * faded)
    values = np.ascontiguousarray(values, np.float32)
    values.flags.writeable = False
    return values
