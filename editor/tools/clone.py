"""Clone stamp: paints with another part of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.selection.wand import Read
from editor.tools.base import ALT, CTRL, PointerEvent, ToolContext
from editor.tools.brush import StrokeTool, TipSettings
from editor.tools.overlay import Handle, Point, Shape
from editor.tools.painting.paint import NORMAL, Source
from editor.tools.painting.stroke import Paint
from editor.tools.painting.target import Target
from editor.tools.wand import reader_for
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param


@dataclass(frozen=True, kw_only=True)
class CloneSettings(TipSettings):
    aligned: bool = param(
        True, N_("Tools", "Aligned"), help=N_("Tools", "Every stroke goes on from the same distance")
    )
    merged: bool = param(False, N_("Tools", "All layers"))


class SourcedTool(StrokeTool):
    """Alt and a click says where to paint from; Ctrl as well, because many desktops take Alt."""

    Settings = CloneSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._source: Point | None = None
        self._way: tuple[int, int] | None = None  # from where is painted to where is read

    def press(self, event: PointerEvent) -> None:
        if event.has(ALT) or event.has(CTRL):
            self._source, self._way = event.point, None
            self._pointer = event.point
            self.changed()
        else:
            super().press(event)

    def way_for(self, event: PointerEvent) -> tuple[int, int]:
        """How far from the pointer the source lies for the stroke that begins.

        Raises:
            EditorError: no source was chosen.
        """
        if self._source is None:
            raise EditorError(
                "There is nothing to paint from yet.", "Hold Alt or Ctrl and click on the part to copy."
            )
        if self._way is None or not self.settings.aligned:
            self._way = round(self._source[0] - event.x), round(self._source[1] - event.y)
        return self._way

    def reader(self, target: Target) -> Read:
        """Reads what is painted with, as it was before the stroke."""
        if target.on_mask and not self.settings.merged:
            assert target.node.mask is not None, "painting goes to a mask"
            return mask_reader(target.node.mask)
        return reader_for(self.document.state, merged=self.settings.merged)

    def overlay(self) -> tuple[Shape, ...]:
        shapes = super().overlay()
        if self._source is None:
            return shapes
        at = self._source
        if self._way is not None and self._pointer is not None and (self.active or self.settings.aligned):
            at = (self._pointer[0] + self._way[0], self._pointer[1] + self._way[1])
        return (*shapes, Handle(*at, kind="cross"))


class Clone(SourcedTool):
    id = "clone"
    label = N_("Tools", "Clone stamp")
    icon = "tool-clone"

    def paint_for(self, target: Target, event: PointerEvent) -> tuple[Paint, str]:
        dx, dy = self.way_for(event)
        read = self.reader(target)
        return lambda area: Source.of_samples(read(area.moved(dx, dy))), NORMAL


def mask_reader(mask: Mask) -> Read:
    """Reads a mask as an opaque grey picture."""

    def read(area: Area) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        values = mask.read(area)
        return np.stack([values, values, values, np.full_like(values, 255)], axis=-1)

    return read
