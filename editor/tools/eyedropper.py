"""Eyedropper: takes a colour from the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Layer
from editor.pixels.raster import Area, to_eight_bits
from editor.rendering.compositing import composite
from editor.tools.base import ALT, DragTool, PointerEvent
from editor.tools.colours import Colour
from editor.tools.overlay import Shape, Swatch
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param


@dataclass(frozen=True, kw_only=True)
class EyedropperSettings(Parameters):
    size: int = param(1, N_("Tools", "Sample size"), min=1, max=101, help=N_("Tools", "Pixels across"))
    merged: bool = param(True, N_("Tools", "All layers"))


class Eyedropper(DragTool):
    """Sets the foreground colour, with Alt the background, to the mean of some pixels."""

    id = "eyedropper"
    label = N_("Tools", "Eyedropper")
    icon = "tool-eyedropper"
    cursor = "dropper"
    Settings = EyedropperSettings

    def begin(self, event: PointerEvent) -> None:
        colours = self.context.colours
        self._old = (colours.foreground, colours.background)
        self.drag(event)

    def drag(self, event: PointerEvent) -> None:
        colour = self.colour_at(event)
        if colour is None:
            return
        if event.has(ALT):
            self.context.colours.set_background(colour)
        else:
            self.context.colours.set_foreground(colour)

    def finish(self, event: PointerEvent) -> None:
        """The colour is set already."""

    def abort(self) -> None:
        self.context.colours.set_foreground(self._old[0])
        self.context.colours.set_background(self._old[1])

    def overlay(self) -> tuple[Shape, ...]:
        if self.start is None or self.last is None:
            return ()
        on_background = self.last.has(ALT)
        colours = self.context.colours
        new = colours.background if on_background else colours.foreground
        return (Swatch(self.last.x, self.last.y, new, self._old[1 if on_background else 0]),)

    def colour_at(self, event: PointerEvent) -> Colour | None:
        """The mean colour around a point, weighted by alpha; None where nothing is."""
        size = self.settings.size
        half = (size - 1) // 2
        area = Area(math.floor(event.x) - half, math.floor(event.y) - half, size, size)
        pixels = self._pixels(area)
        return None if pixels is None else mean_colour(pixels)

    def _pixels(self, area: Area) -> NDArray[np.uint8] | None:
        document = self.document
        if self.settings.merged:
            inside = area.intersected(document.state.area)
            return None if inside.is_empty else composite(document.state.layers, inside)
        layer = document.active_node
        if not isinstance(layer, Layer):
            raise EditorError("The chosen layer has no pixels of its own.", "Sample all layers instead.")
        inside = area.intersected(layer.area)
        if inside.is_empty:
            return None
        return to_eight_bits(layer.raster.read(inside.moved(-layer.x, -layer.y)))


def mean_colour(pixels: NDArray[np.uint8]) -> Colour | None:
    """The opaque colour of pixels [h, w, 4] on the whole; None if all are transparent."""
    alpha = pixels[..., 3].astype(np.float64)
    weight = float(alpha.sum())
    if weight == 0:
        return None
    red, green, blue = (round(float((pixels[..., i] * alpha).sum() / weight)) for i in range(3))
    return red, green, blue, 255
