"""Hand and zoom: tools that change the view alone."""

from dataclasses import dataclass

from editor.pixels.raster import Area
from editor.tools.base import ALT, DragTool, PointerEvent, Tool
from editor.tools.geometry import box_of
from editor.tools.overlay import Box, Shape
from inference.parameters import N_, Parameters, param

CLICK_PX = 4  # of the screen: a shorter drag is a click
STEP = 2.0


class Hand(Tool):
    """Drags the picture about."""

    id = "hand"
    label = N_("Tools", "Hand")
    icon = "tool-hand"
    cursor = "hand"
    Settings = Parameters

    def press(self, event: PointerEvent) -> None:
        self.cursor = "grab"
        self._from: tuple[float, float] | None = event.point
        self.changed()

    def move(self, event: PointerEvent) -> None:
        view = self.context.view
        if view is not None and self._from is not None:
            # after panning, the point taken hold of lies under the pointer again
            view.pan_by(event.x - self._from[0], event.y - self._from[1])

    def release(self, event: PointerEvent) -> None:
        self.cursor = "hand"
        self._from = None
        self.changed()


@dataclass(frozen=True, kw_only=True)
class ZoomSettings(Parameters):
    out: bool = param(False, N_("Tools", "Zoom out"), help=N_("Tools", "Alt does the opposite"))


class Zoom(DragTool):
    """A click zooms in, with Alt out; a drag shows the area dragged over."""

    id = "zoom"
    label = N_("Tools", "Zoom")
    icon = "tool-zoom"
    cursor = "zoom-in"
    Settings = ZoomSettings

    def hover(self, event: PointerEvent) -> None:
        cursor = "zoom-out" if self._outwards(event) else "zoom-in"
        if cursor != self.cursor:
            self.cursor = cursor
            self.changed()

    def drag(self, event: PointerEvent) -> None:
        """The rectangle follows by itself."""

    def finish(self, event: PointerEvent) -> None:
        view, start = self.context.view, self.start
        if view is None or start is None:
            return
        x, y, width, height = box_of(start.point, event.point)
        if max(width, height) * event.zoom < CLICK_PX:
            view.zoom_by(1 / STEP if self._outwards(event) else STEP, event.x, event.y)
        else:
            view.show_area(Area(round(x), round(y), max(1, round(width)), max(1, round(height))))

    def overlay(self) -> tuple[Shape, ...]:
        if self.start is None or self.last is None:
            return ()
        return (Box(*box_of(self.start.point, self.last.point), ants=True),)

    def _outwards(self, event: PointerEvent) -> bool:
        return self.settings.out != event.has(ALT)
