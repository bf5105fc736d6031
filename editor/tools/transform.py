"""Transform: scales, turns, skews and distorts the chosen layers, or what is selected of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from editor.commands import ReplaceState
from editor.layers.layer import Node
from editor.pixels.raster import Area
from editor.selection import bounds
from editor.tools.base import ALT, CTRL, LEFT, SHIFT, PointerEvent, Tool, ToolContext, translate
from editor.tools.geometry import along_axis, distance
from editor.tools.latest import Latest
from editor.tools.nodes import area_of, movable_nodes
from editor.tools.overlay import Handle, Label, Point, Polyline, Shape
from editor.tools.snapping import REACH_PX, Snapper
from editor.tools.transforming import form as forms
from editor.tools.transforming.form import CORNERS, EDGES, Form, Matrix
from editor.tools.transforming.nodes import layers_of, transformed_state
from editor.tools.transforming.preview import NodePreview
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

FREE, SKEW, PERSPECTIVE = "free", "skew", "perspective"
_HANDLE_PX = 9.0  # of the screen
_STEP_DEGREES = 15.0


@dataclass(frozen=True, kw_only=True)
class TransformSettings(Parameters):
    mode: str = param(FREE, N_("Tools", "Mode"), choices=(FREE, SKEW, PERSPECTIVE))
    keep_ratio: bool = param(True, N_("Tools", "Keep the ratio"), help=N_("Tools", "Shift does the opposite"))
    x: float = param(0.0, N_("Tools", "X"), min=-100_000, max=100_000, step=1)
    y: float = param(0.0, N_("Tools", "Y"), min=-100_000, max=100_000, step=1)
    width: float = param(100.0, N_("Tools", "Width (%)"), min=-10_000, max=10_000, step=1)
    height: float = param(100.0, N_("Tools", "Height (%)"), min=-10_000, max=10_000, step=1)
    angle: float = param(0.0, N_("Tools", "Angle"), min=-180, max=180, step=1)


_NUMBERS = ("x", "y", "width", "height", "angle")


class Transform(Tool):
    """Corners and edges scale, the inside moves, outside of a corner turns; Ctrl pulls corners and skews.

    Alt keeps the centre. Enter or another tool does it, in full quality and in the background; Escape drops
    it.
    """

    id = "transform"
    confirmed = True
    label = N_("Tools", "Transform")
    icon = "tool-transform"
    cursor = "move"
    Settings = TransformSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._settings = replace(self._settings, **_numbers(None))
        self._latest = Latest(context.background)
        self._nodes: tuple[Node, ...] = ()
        self._form: Form | None = None
        self._small = NodePreview()
        self._gesture: Callable[[PointerEvent], Form] | None = None
        self._boxed: tuple[tuple[Node, ...], object, Area] | None = None

    @property
    def form(self) -> Form | None:
        """The transform that runs."""
        return self._form

    @property
    def active(self) -> bool:
        return self.busy or self._form is not None

    # the pointer

    def press(self, event: PointerEvent) -> None:
        if self.busy or LEFT not in event.buttons:
            return
        if self._form is None and not self._try(self._begin):
            return
        assert self._form is not None, "a transform runs"
        self._gesture = self._gesture_at(self._form, event)
        self.changed()

    def move(self, event: PointerEvent) -> None:
        if self._gesture is not None:
            self._take(self._gesture(event))

    def release(self, event: PointerEvent) -> None:
        self.move(event)
        self._gesture = None
        if self._form is not None and self._form.is_identity:
            self._end()
        self.changed()

    def double_click(self, event: PointerEvent) -> None:
        if self._form is not None and forms.contains(self._form.corners(), event.point):
            self.commit()

    def commit(self) -> None:
        form, nodes, state = self._form, self._nodes, self.document.state
        if form is None or self.busy:
            return
        if form.is_identity or not self._try(lambda: _check(form)):
            self.cancel()
            return
        self._gesture = None
        self._latest.stop()
        matrix = form.matrix()

        def done(after: Any) -> None:
            self._end()
            if self.document.state is not state:
                raise EditorError("The document changed in the meantime, so nothing was transformed.")
            self.context.push(ReplaceState(self.document, after, translate("Commands", "Transform")))

        self.compute(lambda: transformed_state(state, nodes, matrix), done)
        self.changed()

    def cancel(self) -> None:
        self.forget()
        self._end()
        self.changed()

    def failed(self, error: EditorError) -> None:
        super().failed(error)
        self._end()

    def on_settings(self) -> None:
        form = self._form
        wanted = {name: getattr(self.settings, name) for name in _NUMBERS}
        if self.busy or wanted == _numbers(form):
            return
        if form is None:
            if not self._try(self._begin):
                return
            form = self._form
        assert form is not None, "a transform runs"
        self._take(
            replace(
                form,
                dx=wanted["x"],
                dy=wanted["y"],
                scale_x=wanted["width"] / 100 or 1e-3,
                scale_y=wanted["height"] / 100 or 1e-3,
                angle=wanted["angle"],
            )
        )

    # what it shows

    def overlay(self) -> tuple[Shape, ...]:
        form = self._form or self._resting()
        if form is None:
            return ()
        handles = [Handle(*form.place(*sign)) for sign in (*CORNERS, *EDGES)]
        shapes: list[Shape] = [Polyline(form.corners(), closed=True), *handles]
        if self._gesture is not None:
            text = translate("Tools", "{width} × {height} %, {angle}°").format(
                width=round(form.scale_x * 100, 1),
                height=round(form.scale_y * 100, 1),
                angle=round(form.angle, 1),
            )
            shapes.append(Label(*form.place(1, 1), text))
        return tuple(shapes)

    # the transform

    def _begin(self) -> None:
        state = self.document.state
        nodes = movable_nodes(state)
        area = self._box_of(nodes)
        if area.is_empty:
            raise EditorError("There is nothing to transform.", "Choose a layer with pixels.")
        self._nodes, self._form = nodes, Form(tuple(float(v) for v in area))  # pyright: ignore[reportArgumentType]
        self._small = NodePreview()

    def _resting(self) -> Form | None:
        """The box of what would be transformed."""
        try:
            area = self._box_of(movable_nodes(self.document.state))
        except EditorError:
            return None
        return None if area.is_empty else Form((area.x, area.y, area.width, area.height))

    def _box_of(self, nodes: tuple[Node, ...]) -> Area:
        selection = self.context.selection
        if self._boxed is None or self._boxed[:2] != (nodes, selection):
            area = area_of(nodes)
            if selection is not None:
                area = bounds(selection).intersected(area)
            self._boxed = (nodes, selection, area)
        return self._boxed[2]

    def _gesture_at(self, form: Form, event: PointerEvent) -> Callable[[PointerEvent], Form]:
        """What a drag from here does to the form."""
        reach = _HANDLE_PX / event.zoom
        mode = self.settings.mode
        for index, sign in enumerate(CORNERS):
            if distance(form.place(*sign), event.point) <= reach:
                if event.has(CTRL) or mode == PERSPECTIVE:
                    return lambda now: forms.pulled(form, index, now.x - event.x, now.y - event.y)
                return lambda now: self._scaled(form, sign, now, corner=True)
        for sign in EDGES:
            if distance(form.place(*sign), event.point) <= reach:
                if event.has(CTRL) or mode == SKEW:
                    return lambda now: forms.skewed(form, sign, event.point, now.point)
                return lambda now: self._scaled(form, sign, now, corner=False)
        if forms.contains(form.corners(), event.point):
            return lambda now: self._moved(form, event, now)
        return lambda now: forms.turned(
            form, event.point, now.point, step=_STEP_DEGREES if now.has(SHIFT) else 0.0
        )

    def _scaled(self, form: Form, sign: tuple[int, int], now: PointerEvent, *, corner: bool) -> Form:
        keep = corner and self.settings.keep_ratio != now.has(SHIFT)
        return forms.scaled(form, sign, self._snapped(now), keep_ratio=keep, from_centre=now.has(ALT))

    def _moved(self, form: Form, start: PointerEvent, now: PointerEvent) -> Form:
        x, y = along_axis(start.point, now.point) if now.has(SHIFT) else now.point
        return replace(form, dx=form.dx + round(x - start.x), dy=form.dy + round(y - start.y))

    def _snapped(self, now: PointerEvent) -> Point:
        if not self.context.snapping:
            return now.point
        snapper = Snapper.of_state(self.document.state, [node.id for node in self._nodes])
        found = snapper.point(now.x, now.y, REACH_PX / now.zoom)
        return now.x + found.dx, now.y + found.dy

    def _take(self, form: Form) -> None:
        if not form.is_possible:
            return
        self._form = form
        self._settings = replace(self._settings, **_numbers(form))
        self.adjusted(self._settings)
        self._show(form.matrix())
        self.changed()

    def _show(self, matrix: Matrix) -> None:
        """Show the nodes, as small copies, under the transform; of a selection, the pixels themselves."""
        state, nodes, small = self.document.state, self._nodes, self._small

        def selected() -> list[Node]:
            after = transformed_state(state, nodes, matrix)
            return [after.layer(layer.id) for layer in layers_of(nodes) if layer.visible]

        def whole() -> list[Node]:
            return [small.of(node, matrix, state.area) for node in nodes]

        self._latest.ask(whole if state.selection is None else selected, self._preview)

    def _preview(self, nodes: list[Node]) -> None:
        for node in nodes:
            if self.document.state.find(node.id) is not None:
                self.document.preview_node(node)

    def _end(self) -> None:
        self._latest.stop()
        for node in (*self._nodes, *layers_of(self._nodes)):
            self.document.clear_preview(node.id)
        self._nodes, self._form, self._gesture, self._small = (), None, None, NodePreview()
        self._settings = replace(self._settings, **_numbers(None))
        self.adjusted(self._settings)


def _numbers(form: Form | None) -> dict[str, float]:
    """What the options bar shows of a form, to what it can show."""
    if form is None:
        return {"x": 0.0, "y": 0.0, "width": 100.0, "height": 100.0, "angle": 0.0}
    limited = {"x": form.dx, "y": form.dy, "width": form.scale_x * 100, "height": form.scale_y * 100}
    fields = {item.name: item.declaration for item in TransformSettings.declared()}
    found = {
        name: min(max(value, fields[name].min or 0.0), fields[name].max or 0.0)
        for name, value in limited.items()
    }
    return {**found, "angle": form.angle}


def _check(form: Form) -> None:
    if not form.is_possible:
        raise EditorError("The corners were pulled too far.", "Pull them back a little.")
