"""Thumbnails of layers and masks, made on a thread of their own and kept while they fit."""

from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from editor.layers.layer import Layer, Node
from editor.rendering.thumbnails import mask_thumbnail, raster_thumbnail
from editor.system.background import Background
from inference.errors import EditorError

SIZE_PX = 96

Source: TypeAlias = tuple[object, ...]  # what a thumbnail is of, and where; rasters are told by identity


class LayerThumbnails(QObject):
    """What was made last for a node is shown until the newer one is there, so that nothing flickers."""

    ready = Signal(str)  # node id

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._made: dict[tuple[str, str], tuple[Source, QImage]] = {}
        self._running: dict[tuple[str, str], Source] = {}

    def clear(self) -> None:
        """Forget all: another document is shown."""
        self._made.clear()
        self._running.clear()

    def keep_only(self, node_ids: set[str]) -> None:
        """Forget what is no longer in the document."""
        self._made = {key: value for key, value in self._made.items() if key[0] in node_ids}

    def pixels(self, node: Node) -> QImage | None:
        """The thumbnail of a layer, of its older pixels, or None; asks for the newest."""
        if not isinstance(node, Layer):
            return None
        raster = node.raster
        return self._get((node.id, "pixels"), (raster,), lambda: raster_thumbnail(raster, SIZE_PX))

    def mask(self, node: Node) -> QImage | None:
        """The same of a mask, as far as its layer reaches, so that both show the same places."""
        mask = node.mask
        if mask is None:
            return None
        reach = node.area
        frame = mask.area if reach is None or reach.is_empty else reach
        source = (mask.raster, mask.area, mask.outside, frame)
        return self._get((node.id, "mask"), source, lambda: mask_thumbnail(mask, frame, SIZE_PX))

    def _get(self, key: tuple[str, str], source: Source, make: Callable[[], QImage]) -> QImage | None:
        made = self._made.get(key)
        if made is None or made[0] != source:
            self._ask(key, source, make)
        return made[1] if made is not None else None

    def _ask(self, key: tuple[str, str], source: Source, make: Callable[[], QImage]) -> None:
        if key in self._running:  # when it is there, the row asks again for the newer pixels
            return
        self._running[key] = source

        def done(image: QImage) -> None:
            if self._running.get(key) is source:
                del self._running[key]
                self._made[key] = (source, image)
                self.ready.emit(key[0])

        def failed(_: EditorError) -> None:
            self._running.pop(key, None)

        self._background.run(make, done, failed)
