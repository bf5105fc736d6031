"""Thumbnails of layers and masks, made on a thread of their own and kept while they fit."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from editor.layers.layer import Layer, Node
from editor.pixels.raster import Raster
from editor.rendering.thumbnails import raster_thumbnail
from editor.system.background import Background
from inference.errors import EditorError

SIZE_PX = 96


class LayerThumbnails(QObject):
    """What was made last for a node is shown until the newer one is there, so that nothing flickers."""

    ready = Signal(str)  # node id

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._made: dict[tuple[str, str], tuple[Raster, QImage]] = {}
        self._running: dict[tuple[str, str], Raster] = {}

    def clear(self) -> None:
        """Forget all: another document is shown."""
        self._made.clear()
        self._running.clear()

    def keep_only(self, node_ids: set[str]) -> None:
        """Forget what is no longer in the document."""
        self._made = {key: value for key, value in self._made.items() if key[0] in node_ids}

    def pixels(self, node: Node) -> QImage | None:
        """The thumbnail of a layer, of its older pixels, or None; asks for the newest."""
        return self._get(node.id, "pixels", node.raster) if isinstance(node, Layer) else None

    def mask(self, node: Node) -> QImage | None:
        return self._get(node.id, "mask", node.mask.raster) if node.mask is not None else None

    def _get(self, node_id: str, kind: str, raster: Raster) -> QImage | None:
        key = (node_id, kind)
        made = self._made.get(key)
        if made is None or made[0] is not raster:
            self._ask(key, raster)
        return made[1] if made is not None else None

    def _ask(self, key: tuple[str, str], raster: Raster) -> None:
        if key in self._running:  # when it is there, the row asks again for the newer pixels
            return
        self._running[key] = raster

        def done(image: QImage) -> None:
            if self._running.get(key) is raster:
                del self._running[key]
                self._made[key] = (raster, image)
                self.ready.emit(key[0])

        def failed(_: EditorError) -> None:
            self._running.pop(key, None)

        self._background.run(lambda: raster_thumbnail(raster, SIZE_PX), done, failed)
