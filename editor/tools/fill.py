"""Fill: paints over what has about the colour clicked at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from editor.commands import ReplaceNode
from editor.layers.layer import Node
from editor.selection import bounds, wand
from editor.tools.base import LEFT, PointerEvent, Tool, translate
from editor.tools.brush import plain_paint
from editor.tools.clone import mask_reader
from editor.tools.painting.covering import covered
from editor.tools.painting.paint import MODES, NORMAL
from editor.tools.painting.target import Target, target_of
from editor.tools.wand import reader_for
from inference.parameters import N_, Parameters, param

FOREGROUND, BACKGROUND = "foreground", "background"


@dataclass(frozen=True, kw_only=True)
class FillSettings(Parameters):
    colour: str = param(FOREGROUND, N_("Tools", "Colour"), choices=(FOREGROUND, BACKGROUND))
    tolerance: int = param(24, N_("Tools", "Tolerance"), min=0, max=255)
    contiguous: bool = param(True, N_("Tools", "Contiguous"))
    whole: bool = param(False, N_("Tools", "All of the selection"))
    merged: bool = param(False, N_("Tools", "All layers"), help=N_("Tools", "Looks at all layers"))
    antialias: bool = param(True, N_("Tools", "Smooth edges"))
    opacity: int = param(100, N_("Tools", "Opacity"), min=1, max=100)
    mode: str = param(NORMAL, N_("Tools", "Mode"), choices=MODES)


class WholeTool(Tool):
    """What the tools share that paint over whole areas: the work is done in the background, one at a time."""

    @property
    def active(self) -> bool:
        return self.busy

    def commit(self) -> None:
        """What is being worked out comes by itself."""

    def cancel(self) -> None:
        self.forget()

    def push_node(self, target: Target, node: Node | None) -> None:
        """Put what was worked out into the history.

        Raises:
            EditorError: the layer is another one by now.
        """
        target.still_there(self.document)
        if node is not None:
            self.context.push(ReplaceNode(self.document, node, translate("Tools", self.label)))


class Fill(WholeTool):
    """Fills inside the selection only."""

    id = "fill"
    label = N_("Tools", "Fill")
    icon = "tool-fill"
    Settings = FillSettings

    def press(self, event: PointerEvent) -> None:
        if not self.busy and LEFT in event.buttons:
            self._try(lambda: self._fill(event))

    def move(self, event: PointerEvent) -> None:
        """A click is all there is."""

    def release(self, event: PointerEvent) -> None:
        """A click is all there is."""

    def _fill(self, event: PointerEvent) -> None:
        target, settings, state = target_of(self.document), self.settings, self.document.state
        colours = self.context.colours
        paint = plain_paint(colours.foreground if settings.colour == FOREGROUND else colours.background)
        point = math.floor(event.x), math.floor(event.y)
        if target.on_mask and not settings.merged and target.node.mask is not None:
            read = mask_reader(target.node.mask)
        else:
            read = reader_for(state, merged=settings.merged)

        def work() -> Node | None:
            like, area = None, state.area
            if not settings.whole:
                like = wand(
                    read,
                    state.area,
                    point,
                    settings.tolerance,
                    contiguous=settings.contiguous,
                    antialias=settings.antialias,
                )
                area = bounds(like)
            opacity = settings.opacity / 100
            return covered(target, paint, area, mode=settings.mode, opacity=opacity, limit=like)

        self.compute(work, lambda node: self.push_node(target, node))
