"""Healing brush: a blemish gets the texture of another place and the colours of its own surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.commands import ReplaceNode
from editor.layers.layer import Node
from editor.pixels.raster import Area
from editor.selection.wand import Read
from editor.tools.base import PointerEvent, ToolContext
from editor.tools.clone import CloneSettings, SourcedTool
from editor.tools.painting.paint import NORMAL, Source, painted
from editor.tools.painting.patches import Blemish, best_way, healed, margin_around
from editor.tools.painting.stroke import Paint, Stroke
from editor.tools.painting.target import Target
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

NEARBY, CHOSEN = "nearby", "chosen"
_MARK = (0, 0, 0, 110)  # what the stroke looks like until it is healed


@dataclass(frozen=True, kw_only=True)
class HealSettings(CloneSettings):
    source: str = param(
        NEARBY,
        N_("Tools", "Source"),
        choices=(NEARBY, CHOSEN),
        help=N_("Tools", "Alt or Ctrl and a click chooses one"),
    )
    hardness: int = param(50, N_("Tools", "Hardness"), min=0, max=100)


class Heal(SourcedTool):
    """The stroke is marked while it is drawn, and healed in the background when the button goes up."""

    id = "heal"
    label = N_("Tools", "Healing brush")
    icon = "tool-heal"
    Settings = HealSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._chosen_way: tuple[int, int] | None = None
        self._healing: Stroke | None = None

    @property
    def active(self) -> bool:
        return super().active or self.busy

    def press(self, event: PointerEvent) -> None:
        if not self.busy:
            super().press(event)

    def paint_for(self, target: Target, event: PointerEvent) -> tuple[Paint, str]:
        sampled = self.settings.source == CHOSEN or self._source is not None
        self._chosen_way = self.way_for(event) if sampled else None
        if self._chosen_way is None:
            mark = Source.of_colour(_MARK)
            return lambda area: mark, NORMAL
        dx, dy = self._chosen_way
        read = self.reader(target)
        return lambda area: Source.of_samples(read(area.moved(dx, dy))), NORMAL

    def complete(self, stroke: Stroke) -> None:
        target = stroke.target
        target.still_there(self.document)
        stroke.show()
        area = margin_around(stroke.touched, self.document.state.area)
        if area.is_empty:
            stroke.cancel()
            return
        blemish = Blemish(area, _share(stroke, area), self.settings.size)
        read, way, within = self.reader(target), self._chosen_way, self.document.state.area
        self._healing = stroke

        def work() -> Node | None:
            return _healed_node(target, read, blemish, way, within)

        self.compute(work, self._push)

    def _push(self, node: Node | None) -> None:
        stroke, self._healing = self._healing, None
        assert stroke is not None, "a stroke was healed"
        stroke.cancel()
        if node is not None:
            stroke.target.still_there(self.document)
            self.context.push(ReplaceNode(self.document, node, self.step_text()))

    def failed(self, error: EditorError) -> None:
        super().failed(error)
        self.cancel()

    def cancel(self) -> None:
        super().cancel()
        self.forget()
        if self._healing is not None:
            self._healing.cancel()
            self._healing = None


def _share(stroke: Stroke, area: Area) -> NDArray[np.float32]:
    """What is painted over of an area of the document, selected parts only."""
    target = stroke.target
    share = stroke.coverage.read(area.moved(-target.area.x, -target.area.y)).copy()
    limit = target.limit(area)
    return share if limit is None else share * limit


def _healed_node(
    target: Target, read: Read, blemish: Blemish, way: tuple[int, int] | None, within: Area
) -> Node | None:
    if not np.any(blemish.share):
        return None
    source = healed(read, blemish, way or best_way(read, blemish, within))
    inside = blemish.area.moved(-target.area.x, -target.area.y)
    before = target.raster.read(inside)
    after = painted(before, blemish.share, source, keeps_alpha=target.keeps_alpha)
    return target.trimmed(target.raster.written(inside.x, inside.y, after), blemish.area)
