"""Crop and straighten: the document's frame, drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from editor.commands import ReplaceState
from editor.edits.geometry import cropped_to
from editor.edits.resampling import straightened
from editor.layers.state import DocumentState
from editor.pixels.raster import Area
from editor.tools.base import ALT, LEFT, SHIFT, PointerEvent, Tool, ToolContext, translate
from editor.tools.geometry import Rectangle, at_angle, box_of, distance, dragged_box
from editor.tools.overlay import Box, Grid, Handle, Label, Point, Polyline, Shade, Shape
from editor.tools.transforming.form import CORNERS, EDGES
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

RATIOS = ("free", "original", "1:1", "3:2", "4:3", "16:9", "custom")
_HANDLE_PX = 9.0  # of the screen
_CLICK_PX = 3


@dataclass(frozen=True, kw_only=True)
class CropSettings(Parameters):
    ratio: str = param("free", N_("Tools", "Ratio"), choices=RATIOS)
    width: float = param(1.0, N_("Tools", "Width"), min=0.01, max=100_000)
    height: float = param(1.0, N_("Tools", "Height"), min=0.01, max=100_000)
    upright: bool = param(False, N_("Tools", "Upright"), help=N_("Tools", "Swaps width and height"))
    keep: bool = param(False, N_("Tools", "Keep what is outside"))


class FrameTool(Tool):
    """Changes the whole document in the background, as one step."""

    def change(self, make: Callable[[DocumentState], DocumentState]) -> None:
        state = self.document.state

        def done(after: DocumentState) -> None:
            if self.document.state is not state:
                raise EditorError(
                    "The document changed in the meantime, so nothing was done.", "Try it again."
                )
            self.context.push(ReplaceState(self.document, after, translate("Tools", self.label)))

        self.compute(lambda: make(state), done)


class Crop(FrameTool):
    """Draw a frame, drag it by its handles, press Enter; Escape drops it. Shift keeps the ratio it has."""

    id = "crop"
    confirmed = True
    label = N_("Tools", "Crop")
    icon = "tool-crop"
    Settings = CropSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._box: Rectangle | None = None
        self._gesture: Callable[[PointerEvent], Rectangle] | None = None

    @property
    def box(self) -> Rectangle | None:
        """The frame that is drawn."""
        return self._box

    @property
    def active(self) -> bool:
        return self._box is not None or self.busy

    def press(self, event: PointerEvent) -> None:
        if not self.busy and LEFT in event.buttons:
            self._gesture = self._gesture_at(event)

    def move(self, event: PointerEvent) -> None:
        if self._gesture is not None:
            x, y, width, height = self._gesture(event)
            if max(width, height) * event.zoom >= _CLICK_PX:
                self._box = (x, y, max(width, 1), max(height, 1))
            self.changed()

    def release(self, event: PointerEvent) -> None:
        self.move(event)
        self._gesture = None

    def double_click(self, event: PointerEvent) -> None:
        self.commit()

    def commit(self) -> None:
        box, self._box, self._gesture = self._box, None, None
        self.changed()
        if box is None:
            return
        x, y, keep = round(box[0]), round(box[1]), self.settings.keep
        area = Area(x, y, max(1, round(box[0] + box[2]) - x), max(1, round(box[1] + box[3]) - y))
        if not keep:
            area = area.intersected(self.document.state.area)
        if area != self.document.state.area:
            self.change(lambda state: cropped_to(state, area, keep_outside=keep))

    def cancel(self) -> None:
        self.forget()
        self._box = self._gesture = None
        self.changed()

    def on_settings(self) -> None:
        ratio = self.ratio()
        if self._box is not None and ratio is not None:
            x, y, width, height = self._box
            side = math.sqrt(width * height * ratio)
            middle = (x + width / 2, y + height / 2)
            self._box = (middle[0] - side / 2, middle[1] - side / ratio / 2, side, side / ratio)

    def ratio(self) -> float | None:
        """Width over height that the frame keeps; None for any."""
        settings, state = self.settings, self.document.state
        if settings.ratio == "free":
            return None
        if settings.ratio == "original":
            return state.width / state.height
        if settings.ratio == "custom":
            ratio = settings.width / settings.height
        else:
            across, down = settings.ratio.split(":")
            ratio = int(across) / int(down)
        return 1 / ratio if settings.upright else ratio

    def overlay(self) -> tuple[Shape, ...]:
        if self._box is None:
            return ()
        x, y, width, height = self._box
        text = translate("Tools", "{width} × {height}").format(width=round(width), height=round(height))
        handles = [Handle(*_place(self._box, sign)) for sign in (*CORNERS, *EDGES)]
        label = Label(x + width, y + height, text)
        return (Shade(*self._box), Grid(*self._box), Box(*self._box), *handles, label)

    def _gesture_at(self, event: PointerEvent) -> Callable[[PointerEvent], Rectangle]:
        box = self._box
        if box is not None:
            for sign in (*CORNERS, *EDGES):
                if distance(_place(box, sign), event.point) * event.zoom <= _HANDLE_PX:
                    return lambda now: self._resized(box, sign, now)
            x, y, width, height = box
            if x <= event.x <= x + width and y <= event.y <= y + height:
                return lambda now: (x + now.x - event.x, y + now.y - event.y, width, height)
        return lambda now: self._drawn(event.point, now)

    def _drawn(self, start: Point, now: PointerEvent) -> Rectangle:
        ratio = self.ratio()
        if ratio is None and now.has(SHIFT):
            ratio = 1.0
        return dragged_box(start, now.point, ratio=ratio, from_centre=now.has(ALT))

    def _resized(self, box: Rectangle, sign: tuple[int, int], now: PointerEvent) -> Rectangle:
        """The frame with a corner or edge at the pointer; the opposite one stays."""
        x, y, width, height = box
        fixed = _place(box, (-sign[0], -sign[1]))
        ratio = self.ratio()
        if ratio is None and now.has(SHIFT):
            ratio = width / height
        if sign[0] and sign[1]:
            return dragged_box(fixed, now.point, ratio=ratio)
        if sign[0]:
            left, _, across, _ = box_of(fixed, (now.x, fixed[1]))
            down = across / ratio if ratio else height
            return left, y + (height - down) / 2, across, down
        _, top, _, down = box_of(fixed, (fixed[0], now.y))
        across = down * ratio if ratio else width
        return x + (width - across) / 2, top, across, down


@dataclass(frozen=True, kw_only=True)
class StraightenSettings(Parameters):
    crop: bool = param(True, N_("Tools", "Cut off the empty corners"))


class Straighten(FrameTool):
    """A line drawn along the horizon, or along something upright, becomes level or upright.

    The line stays, and its ends can be dragged, until Enter or another tool turns the picture by it; Escape
    drops it. Shift keeps it at steps of an angle.
    """

    id = "straighten"
    confirmed = True
    label = N_("Tools", "Straighten")
    icon = "tool-straighten"
    Settings = StraightenSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._line: tuple[Point, Point] | None = None
        self._pulled: Point | None = None  # the end of the running gesture that stays

    @property
    def line(self) -> tuple[Point, Point] | None:
        """The line that waits to be applied."""
        return self._line

    @property
    def active(self) -> bool:
        return self._line is not None or self.busy

    def press(self, event: PointerEvent) -> None:
        if LEFT not in event.buttons:
            return
        if self.busy:
            self.context.report(EditorError("The picture is still being turned.", "Try again in a moment."))
            return
        self._pulled = event.point
        for end, other in (self._line[::-1], self._line) if self._line is not None else ():
            if distance(end, event.point) * event.zoom <= _HANDLE_PX:
                self._pulled = other
                return
        self._line = None

    def move(self, event: PointerEvent) -> None:
        if self._pulled is None:
            return
        end = at_angle(self._pulled, event.point) if event.has(SHIFT) else event.point
        if distance(self._pulled, end) * event.zoom >= _CLICK_PX:
            self._line = (self._pulled, end)
        self.changed()

    def release(self, event: PointerEvent) -> None:
        self.move(event)
        self._pulled = None

    def commit(self) -> None:
        line, self._line, self._pulled = self._line, None, None
        self.changed()
        if line is None:
            return
        degrees, crop = levelling(*line), self.settings.crop
        if abs(degrees) > 1e-3:
            self.change(lambda state: straightened(state, degrees, crop=crop))

    def cancel(self) -> None:
        self.forget()
        self._line = self._pulled = None
        self.changed()

    def overlay(self) -> tuple[Shape, ...]:
        if self._line is None:
            return ()
        end = self._line[1]
        angle = translate("Tools", "{angle}°").format(angle=round(levelling(*self._line), 1))
        return (Polyline(self._line), *(Handle(*point) for point in self._line), Label(*end, angle))


def levelling(start: Point, end: Point) -> float:
    """Degrees, clockwise, by which a line is turned to be level or upright, whichever is nearer."""
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    return -((angle + 45) % 90 - 45)


def _place(box: Rectangle, sign: tuple[int, int]) -> Point:
    x, y, width, height = box
    return x + width * (sign[0] + 1) / 2, y + height * (sign[1] + 1) / 2
