"""Blending in place: the fast way to the results of `editor.blending.blend`.

Work goes strip by strip, so that what a strip needs stays in the processor's cache, and in memory that each
thread keeps: on fresh memory every operation would be several times slower.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from editor.blending import BLENDS
from editor.layers.blend_mode import BlendMode
from editor.pixels.raster import Area, Samples

Plane: TypeAlias = NDArray[np.float32]
Window: TypeAlias = tuple[slice, slice]
Strength: TypeAlias = "Plane | np.float32"

BOUNDLESS = frozenset({BlendMode.DESTINATION_IN, BlendMode.DESTINATION_ATOP})
"""Modes whose result depends on the source also where it is transparent."""
THINNING = BOUNDLESS | {BlendMode.DESTINATION_OUT}
"""Modes that take alpha away."""

_STRIP_PX = 65536  # smaller ones fit the cache better, but Python costs more than that saves
_ONE, _TINY = np.float32(1), np.float32(1e-30)


@dataclass
class Backdrop:
    """A composite that is being made: straight colour [3, h, w] and alpha [h, w] in 0..1.

    Args:
        opaque: alpha is 1 everywhere, which makes everything cheaper.
        blank: alpha is 0 everywhere.
    """

    colour: Plane
    alpha: Plane
    opaque: bool = False
    blank: bool = False

    @classmethod
    def empty(cls, area: Area) -> Backdrop:
        shape = (area.height, area.width)
        return cls(np.zeros((3, *shape), np.float32), np.zeros(shape, np.float32), blank=True)

    def copy(self) -> Backdrop:
        return Backdrop(self.colour.copy(), self.alpha.copy(), self.opaque, self.blank)

    def part(self, window: Window) -> Backdrop:
        """A view of some rows and columns; writing to it writes here."""
        return Backdrop(self.colour[:, *window], self.alpha[window], self.opaque, self.blank)


@dataclass
class Source:
    """What is blended: samples [h, w, 4] as a layer has them."""

    samples: Samples
    opaque: bool

    def planes(self) -> Backdrop:
        """All of it at once, in memory of its own."""
        planes = np.empty((4, *self.samples.shape[:2]), np.float32)
        _to_planes(self.samples, planes)
        return Backdrop(planes[:3], planes[3], self.opaque)


def blend_onto(backdrop: Backdrop, source: Source | Backdrop, strength: Strength, mode: BlendMode) -> None:
    """Blend `source`, times `strength`, onto a backdrop of its size.

    A source that is a backdrop is used up: its memory is written to.
    """
    if backdrop.alpha.size <= _STRIP_PX:
        _blend_strip(backdrop, _in_planes(source), strength, mode)
    else:
        for rows in _strips(backdrop.alpha):
            share = strength[rows] if isinstance(strength, np.ndarray) else strength
            _blend_strip(backdrop.part((rows, slice(None))), _in_planes(_rows_of(source, rows)), share, mode)
    if mode in THINNING:
        backdrop.opaque = False
    elif source.opaque and not isinstance(strength, np.ndarray) and strength == 1:
        backdrop.opaque = backdrop.opaque or mode is not BlendMode.SOURCE_ATOP
    backdrop.blank = False


def mix(backdrop: Backdrop, after: Backdrop, strength: Strength) -> None:
    """From the backdrop to `after` by `strength`, colours weighted by alpha; in place."""
    if not isinstance(strength, np.ndarray) and strength == 1:
        backdrop.colour[:], backdrop.alpha[:] = after.colour, after.alpha
        backdrop.opaque, backdrop.blank = after.opaque, after.blank
        return
    backdrop.blank = backdrop.blank and after.blank
    if backdrop.opaque and after.opaque:
        backdrop.colour += (after.colour - backdrop.colour) * strength
        return
    before = backdrop.alpha * (_ONE - strength)
    gained = after.alpha * strength
    alpha = before + gained
    total = backdrop.colour * before + after.colour * gained
    backdrop.colour[:] = total / np.maximum(alpha, _TINY)
    backdrop.alpha[:] = alpha
    backdrop.opaque = False


def rounded(planes: Plane, dtype: np.dtype[Any]) -> Samples:
    """Values 0..1 as integer samples of the same shape."""
    values = _scratch.take("rounded", *planes.shape)
    np.multiply(planes, np.float32(np.iinfo(dtype).max), out=values)
    values += np.float32(0.5)
    return cast("Samples", values.astype(dtype))


class _Scratch(threading.local):
    """Memory of one thread, used again and again."""

    def __init__(self) -> None:
        self._held: dict[str, Plane] = {}

    def take(self, name: str, *shape: int) -> Plane:
        """Planes with any contents; the next call with the same name takes the same memory."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or held.size < size:
            held = self._held[name] = np.empty(size, np.float32)
        return held[:size].reshape(shape)


_scratch = _Scratch()


def _strips(plane: Plane) -> Iterator[slice]:
    height, width = plane.shape
    step = max(1, _STRIP_PX // max(1, width))
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def _rows_of(source: Source | Backdrop, rows: slice) -> Source | Backdrop:
    if isinstance(source, Backdrop):
        return source.part((rows, slice(None)))
    return Source(source.samples[rows], source.opaque)


def _in_planes(source: Source | Backdrop) -> Backdrop:
    """Samples become planes in this thread's memory."""
    if isinstance(source, Backdrop):
        return source
    height, width, _ = source.samples.shape
    planes = _scratch.take("source", 4, height, width)
    _to_planes(source.samples, planes)
    return Backdrop(planes[:3], planes[3], source.opaque)


def _to_planes(samples: Samples, planes: Plane) -> None:
    """Samples [h, w, C] as planes [C, h, w] in 0..1."""
    factor = np.float32(1 / np.iinfo(samples.dtype).max)
    for plane, values in zip(planes, cv2.split(samples)):
        plane[:] = values  # a conversion within the multiplication would be slower
        plane *= factor


def _blend_strip(backdrop: Backdrop, source: Backdrop, strength: Strength, mode: BlendMode) -> None:
    """With k = as·strength:  ao = k + ab·(1 - k),  Co = Cb + (k / ao)·(C' - Cb)  where

    C' = Cs + ab·(B(Cb, Cs) - Cs); the same as the equations of `editor.blending`, with fewer operations.
    """
    share = _share(source, strength)
    if mode in _COVERAGE:
        _COVERAGE[mode](backdrop, source.colour, share)
        return
    step = source.colour
    if backdrop.blank:
        backdrop.colour[:], backdrop.alpha[:] = step, share
        return
    if mode is not BlendMode.NORMAL:
        step = _scratch.take("blended", *step.shape)
        BLENDS[mode](backdrop.colour, source.colour, step, _scratch.take("spare", *step.shape))
        if not backdrop.opaque:
            step -= source.colour
            step *= backdrop.alpha
            step += source.colour
    if backdrop.opaque:
        _step_towards(backdrop.colour, step, share)
        return
    alpha, weight = _scratch.take("alpha", 2, *backdrop.alpha.shape)
    np.subtract(_ONE, share, out=alpha)
    alpha *= backdrop.alpha
    alpha += share
    np.maximum(alpha, _TINY, out=weight)
    np.divide(share, weight, out=weight)
    _step_towards(backdrop.colour, step, weight)
    backdrop.alpha[:] = alpha


def _share(source: Backdrop, strength: Strength) -> Strength:
    """The source's alpha times strength; in the source's own memory where it is a plane."""
    if source.opaque:
        return strength
    if isinstance(strength, np.ndarray) or strength != 1:
        source.alpha *= strength
    return source.alpha


def _step_towards(colour: Plane, other: Plane, share: Strength) -> None:
    """colour + share·(other - colour), in place; `other` is used up."""
    if isinstance(share, np.ndarray) or share != 1:
        other -= colour
        other *= share
        colour += other
    else:
        colour[:] = other


def _plus(backdrop: Backdrop, colour: Plane, share: Strength) -> None:
    """min(1, as·Cs + ab·Cb) over min(1, as + ab)"""
    colour *= share
    if not backdrop.opaque:
        backdrop.colour *= backdrop.alpha
        backdrop.alpha += share
        np.minimum(backdrop.alpha, _ONE, out=backdrop.alpha)
    backdrop.colour += colour
    np.minimum(backdrop.colour, _ONE, out=backdrop.colour)
    if not backdrop.opaque:
        backdrop.colour /= np.maximum(backdrop.alpha, _TINY)
        np.minimum(backdrop.colour, _ONE, out=backdrop.colour)


def _source_atop(backdrop: Backdrop, colour: Plane, share: Strength) -> None:
    _step_towards(backdrop.colour, colour, share)


def _destination_in(backdrop: Backdrop, colour: Plane, share: Strength) -> None:
    del colour
    backdrop.alpha *= share


def _destination_out(backdrop: Backdrop, colour: Plane, share: Strength) -> None:
    del colour
    backdrop.alpha *= _ONE - share


def _destination_atop(backdrop: Backdrop, colour: Plane, share: Strength) -> None:
    """Where there was less before, the source's colour comes in."""
    backdrop.colour -= colour
    backdrop.colour *= backdrop.alpha
    backdrop.colour += colour
    backdrop.alpha[:] = share


_COVERAGE: Mapping[BlendMode, Callable[[Backdrop, Plane, Strength], None]] = {
    BlendMode.PLUS: _plus,
    BlendMode.SOURCE_ATOP: _source_atop,
    BlendMode.DESTINATION_IN: _destination_in,
    BlendMode.DESTINATION_OUT: _destination_out,
    BlendMode.DESTINATION_ATOP: _destination_atop,
}
