"""Brush and eraser, and what all tools have in common that paint with a tip."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from editor.commands import ReplaceNode
from editor.tools.base import SHIFT, DragTool, PointerEvent, ToolContext, translate
from editor.tools.geometry import along_axis
from editor.tools.overlay import Cursor, Point, Shape
from editor.tools.painting.dabs import Dabs, Tip
from editor.tools.painting.paint import ERASE, MODES, NORMAL, Source
from editor.tools.painting.path import Path, Place
from editor.tools.painting.stroke import Paint, Stroke, Touch
from editor.tools.painting.target import Target, target_of
from inference.parameters import N_, Parameters, param


@dataclass(frozen=True, kw_only=True)
class TipSettings(Parameters):
    """Shares are in per cent."""

    size: float = param(40.0, N_("Tools", "Size"), min=1, max=2000, step=1)
    hardness: int = param(80, N_("Tools", "Hardness"), min=0, max=100)
    opacity: int = param(
        100, N_("Tools", "Opacity"), min=1, max=100, help=N_("Tools", "The most that one stroke puts on")
    )
    flow: int = param(100, N_("Tools", "Flow"), min=1, max=100, help=N_("Tools", "What each dab puts on"))
    spacing: int = param(
        10,
        N_("Tools", "Spacing"),
        min=1,
        max=1000,
        advanced=True,
        help=N_("Tools", "Distance of dabs, of their size"),
    )
    smoothing: int = param(0, N_("Tools", "Smoothing"), min=0, max=100, advanced=True)
    roundness: int = param(100, N_("Tools", "Roundness"), min=1, max=100, advanced=True)
    angle: float = param(0.0, N_("Tools", "Angle"), min=-360, max=360, step=1, advanced=True)
    pressure_size: bool = param(True, N_("Tools", "Pressure changes the size"), advanced=True)
    pressure_opacity: bool = param(False, N_("Tools", "Pressure changes the opacity"), advanced=True)
    pressure_flow: bool = param(False, N_("Tools", "Pressure changes the flow"), advanced=True)


@dataclass(frozen=True, kw_only=True)
class BrushSettings(TipSettings):
    mode: str = param(NORMAL, N_("Tools", "Mode"), choices=MODES)


class StrokeTool(DragTool):
    """Paints strokes; `paint_for` says with what.

    Shift and a press draws a straight line from where the last stroke ended; Shift while painting keeps to
    the horizontal or vertical.
    """

    cursor = "cross"
    Settings = TipSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._dabs = Dabs()
        self._stroke: Stroke | None = None
        self._path: Path | None = None
        self._ended: Point | None = None
        self._joins = False
        self._pointer: Point | None = None

    def paint_for(self, target: Target, event: PointerEvent) -> tuple[Paint, str]:
        """The paint and its mode.

        Raises:
            EditorError: it cannot paint here.
        """
        raise NotImplementedError

    def step_text(self) -> str:
        """What the history calls a stroke."""
        return translate("Tools", self.label)

    # the gesture

    def begin(self, event: PointerEvent) -> None:
        target = target_of(self.document)
        paint, mode = self.paint_for(target, event)
        self._stroke = Stroke(self.document, target, paint, self._dabs, mode)
        self._joins = event.has(SHIFT) and self._ended is not None
        start = Place(*self._ended, event.pressure) if self._joins and self._ended else _place(event)
        self._path = Path(start, self.settings.smoothing / 100, self._spacing)
        self._put(self._path.begin())
        if self._joins:
            self._put(self._path.line_to(_place(event)))
        self._pointer = event.point
        self._stroke.show()

    def drag(self, event: PointerEvent) -> None:
        assert self._stroke is not None, "a stroke runs"
        assert self._path is not None, "a stroke runs"
        self._pointer = event.point
        self._put(self._path.follow(_place(self._kept_straight(event))))
        self._stroke.show()

    def finish(self, event: PointerEvent) -> None:
        stroke, path, self._stroke = self._stroke, self._path, None
        assert stroke is not None, "a stroke runs"
        assert path is not None, "a stroke runs"
        self._put(path.end(), stroke)
        self._ended = self._kept_straight(event).point
        self.complete(stroke)

    def complete(self, stroke: Stroke) -> None:
        """Put a finished stroke into the history."""
        stroke.target.still_there(self.document)
        node = stroke.finished()
        if node is not None:
            self.context.push(ReplaceNode(self.document, node, self.step_text()))

    def abort(self) -> None:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.cancel()

    def hover(self, event: PointerEvent) -> None:
        self._pointer = event.point
        self.changed()

    def leave(self) -> None:
        self._pointer = None
        self.changed()

    def overlay(self) -> tuple[Shape, ...]:
        if self._pointer is None:
            return ()
        radius, settings = self.settings.size / 2, self.settings
        return (Cursor(*self._pointer, radius, radius * settings.roundness / 100, settings.angle),)

    # dabs

    def touch_at(self, place: Place) -> Touch:
        settings, pressure = self.settings, place.pressure
        tip = Tip(
            self._size(pressure), settings.hardness / 100, settings.roundness / 100, float(settings.angle)
        )
        return Touch(
            place.x,
            place.y,
            tip,
            flow=settings.flow / 100 * (pressure if settings.pressure_flow else 1),
            opacity=settings.opacity / 100 * (pressure if settings.pressure_opacity else 1),
        )

    def _put(self, places: Iterable[Place], stroke: Stroke | None = None) -> None:
        onto = stroke or self._stroke
        assert onto is not None, "a stroke runs"
        for place in places:
            onto.touch(self.touch_at(place))

    def _size(self, pressure: float) -> float:
        return self.settings.size * (max(pressure, 0.01) if self.settings.pressure_size else 1)

    def _spacing(self, pressure: float) -> float:
        # a flat tip is as wide as high only at its thin side
        return self._size(pressure) * self.settings.roundness / 100 * self.settings.spacing / 100

    def _kept_straight(self, event: PointerEvent) -> PointerEvent:
        if not event.has(SHIFT) or self._joins or self.start is None:
            return event
        return event.at(*along_axis(self.start.point, event.point))


class Brush(StrokeTool):
    """Paints with the foreground colour; the eraser end of a pen erases."""

    id = "brush"
    label = N_("Tools", "Brush")
    icon = "tool-brush"
    Settings = BrushSettings

    def paint_for(self, target: Target, event: PointerEvent) -> tuple[Paint, str]:
        if event.erasing or self.settings.mode == ERASE:
            return erasing_paint(self.context, target)
        return plain_paint(self.context.colours.foreground), self.settings.mode


class Eraser(StrokeTool):
    """Takes paint away; where transparency is locked, and on masks, it paints the background colour."""

    id = "eraser"
    label = N_("Tools", "Eraser")
    icon = "tool-eraser"

    def paint_for(self, target: Target, event: PointerEvent) -> tuple[Paint, str]:
        return erasing_paint(self.context, target)


def erasing_paint(context: ToolContext, target: Target) -> tuple[Paint, str]:
    background = plain_paint(context.colours.background)
    return background, NORMAL if target.on_mask or target.keeps_alpha else ERASE


def plain_paint(colour: tuple[int, int, int, int]) -> Paint:
    source = Source.of_colour(colour)
    return lambda area: source


def _place(event: PointerEvent) -> Place:
    return Place(event.x, event.y, min(max(event.pressure, 0.0), 1.0))
