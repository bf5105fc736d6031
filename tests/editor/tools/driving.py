"""Drives tools as the canvas does."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.pixels.raster import Raster
from editor.system.background import Background
from editor.tools.base import PointerEvent, Tool, ToolContext
from editor.tools.colours import Colours
from inference.errors import EditorError
from tests.editor.samples import noise


class Bench:
    """A document, a context and what was reported."""

    def __init__(self, document: Document | None = None) -> None:
        self.document = document or noise_document()
        self.reported: list[EditorError] = []
        self.context = ToolContext(self.document, Colours(), Background(), self.reported.append)

    def tool(self, kind: type[Tool], **settings: Any) -> Any:
        return kind(self.context, kind.Settings(**settings))

    @property
    def steps(self) -> int:
        return self.document.undo_stack.count()

    def settle(self) -> None:
        """Wait for work in the background, and for what it gave to arrive."""
        from PySide6.QtCore import QCoreApplication

        while self.context.background.busy:
            self.context.background.wait()
            QCoreApplication.processEvents()


def event(x: float, y: float, *modifiers: str, **fields: Any) -> PointerEvent:
    return PointerEvent(x=x, y=y, modifiers=frozenset(modifiers), **fields)


def drag(tool: Tool, points: Iterable[tuple[float, float]], *modifiers: str, **fields: Any) -> None:
    """Press at the first point, move through all, release at the last."""
    given = list(points)
    tool.press(event(*given[0], *modifiers, **fields))
    for x, y in given[1:]:
        tool.move(event(x, y, *modifiers, **fields))
    tool.release(event(*given[-1], *modifiers, **fields))


def noise_document(width: int = 40, height: int = 30, sixteen: bool = False) -> Document:
    pixels: Any = noise(3, width, height)
    if sixteen:
        pixels = pixels.astype(np.uint16) * 257 - (pixels > 7)
    return Document.from_layer(Layer(name="Noise", raster=Raster.of(pixels)))


def samples(document: Document) -> np.ndarray:
    """All samples of the active layer."""
    layer = document.active_layer
    assert layer is not None
    return layer.raster.array()
