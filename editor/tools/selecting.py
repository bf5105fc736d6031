"""What the selecting tools share: how the new selection meets the old one, and moving the outline."""

from __future__ import annotations

from dataclasses import dataclass

from editor.commands import SetSelection
from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.selection import ADD, INTERSECT, MODES, REPLACE, SUBTRACT, combine, feather, is_empty, moved
from editor.tools.base import ALT, SHIFT, DragTool, PointerEvent, ToolContext, translate
from editor.tools.geometry import distance
from editor.tools.overlay import Polyline, Shape
from inference.parameters import N_, Parameters, param

CLICK_PX = 3  # of the screen: a shorter drag is a click


@dataclass(frozen=True, kw_only=True)
class SelectSettings(Parameters):
    mode: str = param(
        REPLACE,
        N_("Tools", "Mode"),
        choices=MODES,
        help=N_("Tools", "Shift adds, Alt subtracts, both intersect"),
    )
    antialias: bool = param(True, N_("Tools", "Smooth edges"))
    feather: float = param(0.0, N_("Tools", "Feather"), min=0, max=500)


def mode_of(event: PointerEvent, chosen: str) -> str:
    """How a selection begun with this event is combined: keys go before the setting."""
    if event.has(SHIFT) and event.has(ALT):
        return INTERSECT
    if event.has(SHIFT):
        return ADD
    return SUBTRACT if event.has(ALT) else chosen


class SelectTool(DragTool):
    """Selects the shape that a drag draws: `shaped()` gives it, `drawn()` shows it meanwhile.

    A drag that begins inside the selection moves the selection; a click beside it selects nothing.
    """

    Settings = SelectSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self.mode = REPLACE
        self._ignored: frozenset[str] = frozenset()
        self._moving: Mask | None = None

    def begin(self, event: PointerEvent) -> None:
        old = self.context.selection
        self.mode = mode_of(event, self.settings.mode)
        # keys that said how to combine mean nothing else until they are pressed anew
        self._ignored = event.modifiers if old is not None else frozenset()
        if old is None and self.settings.mode in (REPLACE, ADD):
            self.mode = REPLACE
        self._moving = old if self.mode == REPLACE and inside(old, event) else None

    def held(self, event: PointerEvent) -> frozenset[str]:
        """The modifiers that constrain the shape."""
        return event.modifiers - self._ignored

    def drag(self, event: PointerEvent) -> None:
        self._ignored &= event.modifiers

    def finish(self, event: PointerEvent) -> None:
        start = self.start
        assert start is not None, "a gesture runs"
        if self._moving is not None and distance(start.point, event.point) * event.zoom >= CLICK_PX:
            self.select(self._shifted(self._moving, event), translate("Commands", "Move selection"))
        elif self._moving is not None or not self.is_drawn(event):
            self.deselect()
        else:
            self.take(self.shaped(), self.mode)
        self._moving = None

    def abort(self) -> None:
        self._moving = None

    def is_drawn(self, event: PointerEvent) -> bool:
        """Whether the drag is long enough to be meant as a shape."""
        return self.start is not None and distance(self.start.point, event.point) * event.zoom >= CLICK_PX

    def take(self, mask: Mask | None, mode: str) -> None:
        """Combine a new selection with the old one and push the result."""
        if mask is None or is_empty(mask):
            if mode in (REPLACE, INTERSECT):
                self.deselect()
            return
        area = self.document.state.area
        if self.settings.feather > 0:
            mask = feather(mask, self.settings.feather, area)
        self.select(combine(self.context.selection, mask, mode, area), translate("Commands", "Select"))

    def select(self, mask: Mask, text: str) -> None:
        """Push a selection; one of nothing at all is no selection."""
        self.context.push(SetSelection(self.document, None if is_empty(mask) else mask, text))

    def deselect(self) -> None:
        if self.mode == REPLACE and self.context.selection is not None:
            self.context.push(SetSelection(self.document, None, translate("Commands", "Deselect")))

    def shaped(self) -> Mask | None:
        """The selection that the gesture drew."""
        raise NotImplementedError

    def drawn(self) -> tuple[Shape, ...]:
        """What is shown while it is drawn."""
        raise NotImplementedError

    def overlay(self) -> tuple[Shape, ...]:
        if self._moving is not None and self.start is not None and self.last is not None:
            x, y, width, height = self._shifted(self._moving, self.last).area
            corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
            return (Polyline(corners, closed=True, ants=True),)
        return self.drawn()

    def _shifted(self, mask: Mask, event: PointerEvent) -> Mask:
        assert self.start is not None, "a gesture runs"
        return moved(mask, round(event.x - self.start.x), round(event.y - self.start.y))


def inside(mask: Mask | None, event: PointerEvent) -> bool:
    """Whether a point is selected, by half or more."""
    return mask is not None and int(mask.read(Area(int(event.x // 1), int(event.y // 1), 1, 1))[0, 0]) >= 128
