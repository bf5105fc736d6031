"""Lasso and polygon: selections drawn by hand and point by point."""

from __future__ import annotations

from editor.layers.layer import Mask
from editor.selection import REPLACE, polygon
from editor.tools.base import SHIFT, PointerEvent, ToolContext
from editor.tools.geometry import at_angle, distance
from editor.tools.overlay import Handle, Point, Polyline, Shape
from editor.tools.selecting import CLICK_PX, SelectTool, mode_of
from inference.parameters import N_, Parameters

_CLOSE_PX = 8  # of the screen: a click as near to the first point closes the polygon
_STEP_PX = 1.0  # of the screen: nearer points are left out


class Lasso(SelectTool):
    """Selects what a line drawn by hand goes around; the ends are joined straight."""

    id = "lasso"
    label = N_("Tools", "Lasso")
    icon = "tool-lasso"

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._points: list[Point] = []

    def begin(self, event: PointerEvent) -> None:
        super().begin(event)
        self._points = [event.point]

    def drag(self, event: PointerEvent) -> None:
        super().drag(event)
        if distance(self._points[-1], event.point) * event.zoom >= _STEP_PX:
            self._points.append(event.point)

    def is_drawn(self, event: PointerEvent) -> bool:
        # a line that comes back to its beginning is no click
        start = self._points[0]
        return any(distance(start, point) * event.zoom >= CLICK_PX for point in self._points)

    def shaped(self) -> Mask | None:
        area = self.document.state.area
        return polygon(self._points, area, antialias=self.settings.antialias)

    def drawn(self) -> tuple[Shape, ...]:
        return (Polyline(tuple(self._points), ants=True),) if self.active else ()


class Polygon(SelectTool):
    """Selects a polygon: each click is a corner; a double click, Enter or the first corner closes it.

    Shift draws at multiples of 15°, Backspace takes the last corner back, Escape all of them.
    """

    id = "polygon"
    confirmed = True
    label = N_("Tools", "Select polygon")
    icon = "tool-polygon"

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._points: list[Point] = []
        self._pointer: Point | None = None

    @property
    def active(self) -> bool:
        return bool(self._points)

    def press(self, event: PointerEvent) -> None:
        if not self._points:
            old = self.context.selection
            self.mode = mode_of(event, self.settings.mode)
            self._ignored = event.modifiers if old is not None else frozenset()
        elif len(self._points) > 2 and distance(self._points[0], event.point) * event.zoom <= _CLOSE_PX:
            self.commit()
            return
        self._points.append(self._placed(event))
        self._pointer = self._points[-1]
        self.changed()

    def move(self, event: PointerEvent) -> None:
        """The newest corner follows the pointer until the button goes up."""
        if len(self._points) > 1:
            self._points.pop()
            self._points.append(self._placed(event))
            self._pointer = self._points[-1]
            self.changed()

    def release(self, event: PointerEvent) -> None:
        self._ignored &= event.modifiers

    def hover(self, event: PointerEvent) -> None:
        if self._points:
            self._ignored &= event.modifiers
            self._pointer = self._placed(event)
            self.changed()

    def double_click(self, event: PointerEvent) -> None:
        del event  # its first press was the last corner
        self.commit()

    def key(self, name: str) -> bool:
        if name == "backspace" and self._points:
            self._points.pop()
            self.changed()
            return True
        return super().key(name)

    def commit(self) -> None:
        points, self._points = self._points, []
        if len(points) >= 3:
            area = self.document.state.area
            self._try(lambda: self.take(polygon(points, area, antialias=self.settings.antialias), self.mode))
        elif points and self.mode == REPLACE:
            self.deselect()
        self.changed()

    def cancel(self) -> None:
        self._points = []
        self.changed()

    def drawn(self) -> tuple[Shape, ...]:
        if not self._points:
            return ()
        line = (*self._points, self._pointer) if self._pointer is not None else tuple(self._points)
        return (Polyline(line, ants=True), Handle(*self._points[0], kind="round"))

    def _placed(self, event: PointerEvent) -> Point:
        """The point meant: at a multiple of 15° from the corner before with Shift."""
        if SHIFT in self.held(event) and self._points:
            return at_angle(self._points[-1], event.point)
        return event.point
