"""Gradient: paints a transition of colours along a line that is dragged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Node
from editor.pixels.raster import Area
from editor.tools.base import LEFT, SHIFT, PointerEvent, ToolContext
from editor.tools.colours import Colour
from editor.tools.fill import WholeTool
from editor.tools.geometry import at_angle, distance
from editor.tools.overlay import Handle, Point, Polyline, Shape
from editor.tools.painting.covering import covered
from editor.tools.painting.paint import MODES, NORMAL, Source
from editor.tools.painting.stroke import Paint
from editor.tools.painting.target import Target, target_of
from inference.parameters import N_, Parameters, param

LINEAR, RADIAL, CONICAL, REFLECTED = "linear", "radial", "conical", "reflected"
TO_BACKGROUND, TO_TRANSPARENT = "background", "transparent"
_CLICK_PX = 3  # of the screen


@dataclass(frozen=True, kw_only=True)
class GradientSettings(Parameters):
    form: str = param(LINEAR, N_("Tools", "Form"), choices=(LINEAR, RADIAL, CONICAL, REFLECTED))
    to: str = param(TO_BACKGROUND, N_("Tools", "To"), choices=(TO_BACKGROUND, TO_TRANSPARENT))
    reverse: bool = param(False, N_("Tools", "Reverse"))
    dither: bool = param(True, N_("Tools", "Dither"), help=N_("Tools", "Hides steps between 8-bit colours"))
    opacity: int = param(100, N_("Tools", "Opacity"), min=1, max=100)
    mode: str = param(NORMAL, N_("Tools", "Mode"), choices=MODES)


class Gradient(WholeTool):
    """Shift draws at multiples of 15°; the gradient fills the selection, or all of the document."""

    id = "gradient"
    label = N_("Tools", "Gradient")
    icon = "tool-gradient"
    Settings = GradientSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._start: Point | None = None
        self._end: Point = (0.0, 0.0)
        self._target: Target | None = None

    @property
    def active(self) -> bool:
        return self.busy or self._start is not None

    def press(self, event: PointerEvent) -> None:
        if self.active or LEFT not in event.buttons:
            return

        def begin() -> None:
            self._target = target_of(self.document)
            self._start = self._end = event.point

        self._try(begin)
        self.changed()

    def move(self, event: PointerEvent) -> None:
        if self._start is not None:
            self._end = at_angle(self._start, event.point) if event.has(SHIFT) else event.point
            self.changed()

    def release(self, event: PointerEvent) -> None:
        start, target = self._start, self._target
        if start is None or target is None:
            return
        self.move(event)
        self._start = None
        if distance(start, self._end) * event.zoom >= _CLICK_PX:
            self._try(lambda: self._draw(target, start, self._end))
        self.changed()

    def cancel(self) -> None:
        super().cancel()
        self._start = None
        self.changed()

    def commit(self) -> None:
        if self._start is not None:
            self.cancel()  # a line that is still being drawn is no gradient yet

    def overlay(self) -> tuple[Shape, ...]:
        if self._start is None:
            return ()
        line = Polyline((self._start, self._end))
        return (line, Handle(*self._start, kind="round"), Handle(*self._end, kind="round"))

    def _draw(self, target: Target, start: Point, end: Point) -> None:
        colours, settings = self.context.colours, self.settings
        fine = target.raster.top > 255
        paint = gradient_paint(settings, start, end, colours.foreground, colours.background, fine=fine)
        area = self.document.state.area

        def work() -> Node | None:
            return covered(target, paint, area, mode=settings.mode, opacity=settings.opacity / 100)

        self.compute(work, lambda node: self.push_node(target, node))


def gradient_paint(
    settings: GradientSettings, start: Point, end: Point, first: Colour, last: Colour, *, fine: bool = False
) -> Paint:
    """The paint of a gradient from `first` at `start` to `last` at `end`; not dithered if it is `fine`."""
    if settings.to == TO_TRANSPARENT:
        last = (*first[:3], 0)
    if settings.reverse:
        first, last = last, first
    low, high = (np.array(colour, np.float32) / 255 for colour in (first, last))

    def paint(area: Area) -> Source:
        share = gradient_share(settings.form, start, end, area)
        planes = low[:, None, None] + (high - low)[:, None, None] * share
        if settings.dither and not fine:
            planes[:3] += (_grain(area) - np.float32(0.5)) / 255
        return Source(np.clip(planes[:3], 0, 1).astype(np.float32), planes[3].astype(np.float32))

    return paint


def gradient_share(form: str, start: Point, end: Point, area: Area) -> NDArray[np.float32]:
    """How far along the gradient each pixel's centre [h, w] of an area lies, 0..1."""
    x = np.arange(area.x, area.right, dtype=np.float32)[None, :] + np.float32(0.5 - start[0])
    y = np.arange(area.y, area.bottom, dtype=np.float32)[:, None] + np.float32(0.5 - start[1])
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    if form == RADIAL:
        share = np.hypot(x, y) / length
    elif form == CONICAL:
        share = (np.arctan2(y, x) - math.atan2(dy, dx)) / (2 * math.pi) % 1
    else:
        share = (x * dx + y * dy) / length**2
        share = np.abs(share) if form == REFLECTED else share
    return np.clip(share, 0, 1).astype(np.float32)


def _grain(area: Area) -> NDArray[np.float32]:
    """Noise [h, w] in 0..1 that is the same at a place every time (a hash of the coordinates)."""
    x = np.arange(area.x, area.right, dtype=np.int64).astype(np.uint32)[None, :]
    y = np.arange(area.y, area.bottom, dtype=np.int64).astype(np.uint32)[:, None]
    mixed = x * np.uint32(0x9E3779B1) ^ y * np.uint32(0x85EBCA77)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    mixed ^= mixed >> np.uint32(12)
    mixed *= np.uint32(0x297A2D39)
    mixed ^= mixed >> np.uint32(15)
    return (mixed >> np.uint32(8)).astype(np.float32) / np.float32(2**24)
