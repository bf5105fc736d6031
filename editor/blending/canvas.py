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
class Canvas:
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
    def empty(cls, area: Area) -> Canvas:
        shape = (area.height, area.width)
        return cls(np.zeros((3, *shape), np.float32), np.zeros(shape, np.float32), blank=True)

    def copy(self) -> Canvas:
        return Canvas(self.colour.copy(), self.alpha.copy(), self.opaque, self.blank)

    def part(self, window: Window) -> Canvas:
        """A view of some rows and columns; writing to it writes here."""
        return Canvas(self.colour[:, *window], self.alpha[window], self.opaque, self.blank)


@dataclass
class Source:
    """What is blended: samples [h, w, 4] as a layer has them."""

    samples: Samples
    opaque: bool

    def planes(self) -> Canvas:
        """All of it at once, in memory of its own."""
        planes = np.empty((4, *self.samples.shape[:2]), np.float32)
        _to_planes(self.samples, planes)
        return Canvas(planes[:3], planes[3], self.opaque)


def blend_onto(canvas: Canvas, source: Source | Canvas, strength: Strength, mode: BlendMode) -> None:
    """Blend `source`, times `strength`, onto a canvas of its size.

    A source that is a canvas is used up: its memory is written to.
    """
    if canvas.alpha.size <= _STRIP_PX:
        _blend_strip(canvas, _in_planes(source), strength, mode)
    else:
        for rows in _strips(canvas.alpha):
            share = strength[rows] if isinstance(strength, np.ndarray) else strength
            _blend_strip(canvas.part((rows, slice(None))), _in_planes(_rows_of(source, rows)), share, mode)
    if mode in THINNING:
        canvas.opaque = False
    elif source.opaque and not isinstance(strength, np.ndarray) and strength == 1:
        canvas.opaque = canvas.opaque or mode is not BlendMode.SOURCE_ATOP
    canvas.blank = False


def mix(canvas: Canvas, after: Canvas, strength: Strength) -> None:
    """From the canvas to `after` by `strength`, colours weighted by alpha; in place."""
    if not isinstance(strength, np.ndarray) and strength == 1:
        canvas.colour[:], canvas.alpha[:] = after.colour, after.alpha
        canvas.opaque, canvas.blank = after.opaque, after.blank
        return
    canvas.blank = canvas.blank and after.blank
    if canvas.opaque and after.opaque:
        canvas.colour += (after.colour - canvas.colour) * strength
        return
    before = canvas.alpha * (_ONE - strength)
    gained = after.alpha * strength
    alpha = before + gained
    total = canvas.colour * before + after.colour * gained
    canvas.colour[:] = total / np.maximum(alpha, _TINY)
    canvas.alpha[:] = alpha
    canvas.opaque = False


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


def _rows_of(source: Source | Canvas, rows: slice) -> Source | Canvas:
    if isinstance(source, Canvas):
        return source.part((rows, slice(None)))
    return Source(source.samples[rows], source.opaque)


def _in_planes(source: Source | Canvas) -> Canvas:
    """Samples become planes in this thread's memory."""
    if isinstance(source, Canvas):
        return source
    height, width, _ = source.samples.shape
    planes = _scratch.take("source", 4, height, width)
    _to_planes(source.samples, planes)
    return Canvas(planes[:3], planes[3], source.opaque)


def _to_planes(samples: Samples, planes: Plane) -> None:
    """Samples [h, w, C] as planes [C, h, w] in 0..1."""
    factor = np.float32(1 / np.iinfo(samples.dtype).max)
    for plane, values in zip(planes, cv2.split(samples)):
        np.multiply(values, factor, out=plane, dtype=np.float32)


def _blend_strip(canvas: Canvas, source: Canvas, strength: Strength, mode: BlendMode) -> None:
    """With k = as·strength:  ao = k + ab·(1 - k),  Co = Cb + (k / ao)·(C' - Cb)  where

    C' = Cs + ab·(B(Cb, Cs) - Cs); the same as the equations of `editor.blending`, with fewer operations.
    """
    share = _share(source, strength)
    if mode in _COVERAGE:
        _COVERAGE[mode](canvas, source.colour, share)
        return
    step = source.colour
    if canvas.blank:
        canvas.colour[:], canvas.alpha[:] = step, share
        return
    if mode is not BlendMode.NORMAL:
        step = _scratch.take("blended", *step.shape)
        BLENDS[mode](canvas.colour, source.colour, step, _scratch.take("spare", *step.shape))
        if not canvas.opaque:
            step -= source.colour
            step *= canvas.alpha
            step += source.colour
    if canvas.opaque:
        _step_towards(canvas.colour, step, share)
        return
    alpha, weight = _scratch.take("alpha", 2, *canvas.alpha.shape)
    np.subtract(_ONE, share, out=alpha)
    alpha *= canvas.alpha
    alpha += share
    np.maximum(alpha, _TINY, out=weight)
    np.divide(share, weight, out=weight)
    _step_towards(canvas.colour, step, weight)
    canvas.alpha[:] = alpha


def _share(source: Canvas, strength: Strength) -> Strength:
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


def _plus(canvas: Canvas, colour: Plane, share: Strength) -> None:
    """min(1, as·Cs + ab·Cb) over min(1, as + ab)"""
    colour *= share
    if not canvas.opaque:
        canvas.colour *= canvas.alpha
        canvas.alpha += share
        np.minimum(canvas.alpha, _ONE, out=canvas.alpha)
    canvas.colour += colour
    np.minimum(canvas.colour, _ONE, out=canvas.colour)
    if not canvas.opaque:
        canvas.colour /= np.maximum(canvas.alpha, _TINY)
        np.minimum(canvas.colour, _ONE, out=canvas.colour)


def _source_atop(canvas: Canvas, colour: Plane, share: Strength) -> None:
    _step_towards(canvas.colour, colour, share)


def _destination_in(canvas: Canvas, colour: Plane, share: Strength) -> None:
    del colour
    canvas.alpha *= share


def _destination_out(canvas: Canvas, colour: Plane, share: Strength) -> None:
    del colour
    canvas.alpha *= _ONE - share


def _destination_atop(canvas: Canvas, colour: Plane, share: Strength) -> None:
    """Where there was less before, the source's colour comes in."""
    canvas.colour -= colour
    canvas.colour *= canvas.alpha
    canvas.colour += colour
    canvas.alpha[:] = share


_COVERAGE: Mapping[BlendMode, Callable[[Canvas, Plane, Strength], None]] = {
    BlendMode.PLUS: _plus,
    BlendMode.SOURCE_ATOP: _source_atop,
    BlendMode.DESTINATION_IN: _destination_in,
    BlendMode.DESTINATION_OUT: _destination_out,
    BlendMode.DESTINATION_ATOP: _destination_atop,
}
