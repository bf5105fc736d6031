"""Move: drags layers and groups, or what is selected of a layer."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from editor.commands import ReplaceState
from editor.layers.layer import Layer, Node
from editor.layers.state import DocumentState
from editor.tools.base import CTRL, SHIFT, DragTool, PointerEvent, ToolContext, translate
from editor.tools.geometry import along_axis
from editor.tools.latest import Latest
from editor.tools.nodes import area_of, movable_nodes, node_at
from editor.tools.overlay import Line, Shape
from editor.tools.snapping import REACH_PX, Snapped, Snapper
from editor.tools.transforming.nodes import layers_of, transformed_state, translation
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

NUDGES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
FAR = 10  # pixels that Shift nudges by
BURST_S = 0.6  # nudges that follow each other as fast are one act


@dataclass(frozen=True, kw_only=True)
class MoveSettings(Parameters):
    automatic: bool = param(
        False,
        N_("Tools", "Choose the layer by clicking"),
        help=N_("Tools", "Ctrl does the opposite"),
    )
    snap: bool = param(True, N_("Tools", "Snap"))


class Move(DragTool):
    """Shift keeps to the horizontal or vertical; arrow keys nudge by 1, with Shift by 10 pixels."""

    id = "move"
    label = N_("Tools", "Move")
    icon = "tool-move"
    cursor = "move"
    Settings = MoveSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._nodes: tuple[Node, ...] = ()
        self._latest = Latest(context.background)
        self._snapper: Snapper | None = None
        self._snapped = Snapped()
        self._burst = ("", 0.0, ())

    def begin(self, event: PointerEvent) -> None:
        if self.busy:
            raise EditorError("What was moved before is still being laid down.", "Try again in a moment.")
        if self.settings.automatic != event.has(CTRL):
            found = node_at(self.document.state, event.x, event.y)
            if found is not None and found.id not in self.document.state.chosen:
                self.document.set_active(found.id)
        state = self.document.state
        self._nodes = movable_nodes(state)
        if self.settings.snap and self.context.snapping:
            self._snapper = Snapper.of_state(state, [node.id for node in self._nodes])

    def drag(self, event: PointerEvent) -> None:
        dx, dy = self._way(event)
        state, nodes = self.document.state, self._nodes
        if state.selection is None:
            for node in nodes:
                self.document.preview_node(node.moved(dx, dy))
            return
        ids = [layer.id for layer in layers_of(nodes)]

        def work() -> list[Layer]:
            after = transformed_state(state, nodes, translation(dx, dy))
            return [after.layer(key) for key in ids]

        self._latest.ask(work, self._preview)

    def _preview(self, layers: list[Layer]) -> None:
        for layer in layers:
            self.document.preview_node(layer)

    def finish(self, event: PointerEvent) -> None:
        way = self._way(event)
        nodes = self._nodes
        self.abort()
        if way != (0, 0):
            self._push(nodes, *way)

    def abort(self) -> None:
        self._latest.stop()
        for node in (*self._nodes, *layers_of(self._nodes)):
            self.document.clear_preview(node.id)
        self._nodes, self._snapper, self._snapped = (), None, Snapped()

    def key(self, name: str) -> bool:
        far, _, direction = name.rpartition("+")
        if direction in NUDGES and far in ("", "shift") and not self.active and not self.busy:
            steps = FAR if far else 1
            dx, dy = NUDGES[direction]
            self._try(lambda: self._nudge(dx * steps, dy * steps))
            return True
        return super().key(name)

    def overlay(self) -> tuple[Shape, ...]:
        lines: list[Shape] = []
        if self._snapped.vertical is not None:
            lines.append(Line(True, self._snapped.vertical))
        if self._snapped.horizontal is not None:
            lines.append(Line(False, self._snapped.horizontal))
        return tuple(lines)

    def _way(self, event: PointerEvent) -> tuple[int, int]:
        """By how many pixels the nodes go."""
        assert self.start is not None or event is not None, "a gesture runs"
        start = (self.start or event).point
        end = along_axis(start, event.point) if event.has(SHIFT) else event.point
        dx, dy = end[0] - start[0], end[1] - start[1]
        self._snapped = Snapped()
        if self._snapper is not None:
            x, y, width, height = area_of(self._nodes)
            if width and height:
                reach = REACH_PX / event.zoom
                self._snapped = self._snapper.box(x + dx, y + dy, width, height, reach)
        return round(dx + self._snapped.dx), round(dy + self._snapped.dy)

    def _nudge(self, dx: int, dy: int) -> None:
        nodes = movable_nodes(self.document.state)
        key, last, ids = self._burst
        now, these = time.monotonic(), tuple(node.id for node in nodes)
        if not key or now - last > BURST_S or ids != these:
            key = uuid.uuid4().hex
        self._burst = (key, now, these)
        self._push(nodes, dx, dy, key)

    def _push(self, nodes: tuple[Node, ...], dx: int, dy: int, merge_key: str = "") -> None:
        before = self.document.state
        if before.selection is not None:
            self._push_selected(before, nodes, dx, dy, merge_key)
            return
        state = moved_state(before, nodes, dx, dy)
        name = nodes[0].name if len(nodes) == 1 else translate("Commands", "layers")
        text = translate("Commands", "Move “{name}”").format(name=name)
        self.context.push(ReplaceState(self.document, state, text, merge_key))

    def _push_selected(
        self, state: DocumentState, nodes: tuple[Node, ...], dx: int, dy: int, merge_key: str
    ) -> None:
        """Move what is selected, in the background."""

        def done(after: DocumentState) -> None:
            if self.document.state is not state:
                raise EditorError("The document changed in the meantime, so nothing was moved.")
            text = translate("Commands", "Move what is selected")
            self.context.push(ReplaceState(self.document, after, text, merge_key))

        self.compute(lambda: transformed_state(state, nodes, translation(dx, dy)), done)


def moved_state(state: DocumentState, nodes: tuple[Node, ...], dx: int, dy: int) -> DocumentState:
    for node in nodes:
        state = state.with_node(node.moved(dx, dy))
    return state
