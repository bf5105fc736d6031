"""Magic wand: selects what has about the colour clicked at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from editor.layers.layer import Layer, Mask
from editor.layers.state import DocumentState
from editor.selection import layer_reader, merged_reader, wand
from editor.selection.wand import Read
from editor.tools.base import LEFT, PointerEvent
from editor.tools.overlay import Shape
from editor.tools.selecting import SelectSettings, SelectTool, mode_of
from inference.errors import EditorError
from inference.parameters import N_, param


@dataclass(frozen=True, kw_only=True)
class WandSettings(SelectSettings):
    tolerance: int = param(24, N_("Tools", "Tolerance"), min=0, max=255)
    contiguous: bool = param(True, N_("Tools", "Contiguous"))
    merged: bool = param(True, N_("Tools", "All layers"))


class Wand(SelectTool):
    """The selection is worked out in the background; until then the pointer's next press is not taken."""

    id = "wand"
    label = N_("Tools", "Magic wand")
    icon = "tool-wand"
    Settings = WandSettings

    @property
    def active(self) -> bool:
        return self.busy

    def press(self, event: PointerEvent) -> None:
        if not self.busy and LEFT in event.buttons:
            self._try(lambda: self._select(event))

    def move(self, event: PointerEvent) -> None:
        """A click is all there is."""

    def release(self, event: PointerEvent) -> None:
        """A click is all there is."""

    def commit(self) -> None:
        """What is being worked out comes by itself."""

    def cancel(self) -> None:
        self.forget()

    def drawn(self) -> tuple[Shape, ...]:
        return ()

    def _select(self, event: PointerEvent) -> None:
        state, settings = self.document.state, self.settings
        mode = mode_of(event, settings.mode)
        self.mode = mode
        read = reader_for(state, merged=settings.merged)
        point = math.floor(event.x), math.floor(event.y)

        def work() -> Mask:
            return wand(
                read,
                state.area,
                point,
                settings.tolerance,
                contiguous=settings.contiguous,
                antialias=settings.antialias,
            )

        self.compute(work, lambda mask: self.take(mask, mode))


def reader_for(state: DocumentState, *, merged: bool) -> Read:
    """Reads all layers, or the active one.

    Raises:
        EditorError: the active node has no pixels.
    """
    if merged:
        return merged_reader(state)
    node = state.find(state.active)
    if not isinstance(node, Layer):
        raise EditorError("The chosen layer has no pixels of its own.", "Sample all layers instead.")
    return layer_reader(node)
