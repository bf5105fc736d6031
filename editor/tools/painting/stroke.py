"""One stroke: dabs gather in a plane of their own, which is laid over the pixels as they were before.

So paint of one stroke never adds up beyond the opacity, and the order of repaints does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from editor.document.document import Document
from editor.layers.layer import Node
from editor.pixels.raster import Area
from editor.tools.painting.coverage import Coverage
from editor.tools.painting.dabs import Dabs, Tip
from editor.tools.painting.paint import NORMAL, Source, painted
from editor.tools.painting.target import Target

Paint: TypeAlias = Callable[[Area], Source]
"""Gives the paint over an area of the document."""


@dataclass(frozen=True)
class Touch:
    """One dab of a stroke, in document coordinates."""

    x: float
    y: float
    tip: Tip
    flow: float = 1.0
    opacity: float = 1.0


class Stroke:
    """Paints on a target and shows it; nothing is in the history until the caller pushes `finished()`."""

    def __init__(
        self, document: Document, target: Target, paint: Paint, dabs: Dabs, mode: str = NORMAL
    ) -> None:
        self.target = target
        self._document = document
        self._paint = paint
        self._dabs = dabs
        self._mode = mode
        self._coverage = Coverage(target.area.width, target.area.height)
        self._raster = target.raster

    @property
    def coverage(self) -> Coverage:
        """The paint, in pixels of the target's raster."""
        return self._coverage

    @property
    def touched(self) -> Area:
        """Where paint is, in the document."""
        return self._coverage.touched.moved(self.target.area.x, self.target.area.y)

    def touch(self, touch: Touch) -> None:
        """Put one dab on."""
        tip, strength = touch.tip, touch.flow
        if tip.diameter < 1:
            strength *= tip.diameter**2  # less than a pixel covers it in part
            tip = Tip(1.0, tip.hardness, tip.roundness, tip.angle)
        dab = self._dabs.at(tip, touch.x - self.target.area.x, touch.y - self.target.area.y)
        self._coverage.add(dab, strength, touch.opacity)

    def show(self) -> None:
        """Lay the new paint over the pixels and show it."""
        dirty = Area(0, 0, 0, 0)
        for area in self._coverage.take_dirty():
            self._lay(area)
            dirty = dirty.united(area)
        if not dirty.is_empty:
            node = self.target.node_with(self._raster)
            self._document.preview_node(node, dirty.moved(self.target.area.x, self.target.area.y))

    def finished(self) -> Node | None:
        """The painted node; None if nothing changed. The preview ends."""
        for area in self._coverage.take_dirty():
            self._lay(area)
        self._document.clear_preview(self.target.node.id)
        if self._raster is self.target.raster:
            return None
        return self.target.trimmed(self._raster, self.touched)

    def cancel(self) -> None:
        self._document.clear_preview(self.target.node.id)

    def _lay(self, area: Area) -> None:
        """Compose an area of the raster anew, from the pixels as they were."""
        target = self.target
        place = area.moved(target.area.x, target.area.y)
        share = self._coverage.read(area)
        limit = target.limit(place)
        if limit is not None:
            share = share * limit
        if not np.any(share):
            return
        before = target.raster.read(area)
        after = painted(before, share, self._paint(place), self._mode, keeps_alpha=target.keeps_alpha)
        if after is not before:
            self._raster = self._raster.written(area.x, area.y, after)
