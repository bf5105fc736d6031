"""Pictures to and from the system's clipboard: the controller "clipboard".

What another program gets is sRGB PNG, made before it is put there. What we copied ourselves comes back as it
was, with its 16 bits, its place and its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QIODevice, QMimeData
from PySide6.QtGui import QGuiApplication, QImage

from editor.colour import conversion as colour
from editor.colour import icc
from editor.controllers.base import Controller
from editor.controllers.files import FileWork
from editor.controllers.shell import Shell
from editor.controllers.starts import Starts
from editor.document.document import Document
from editor.edits import painting
from editor.edits.pixels import bounds, with_alpha
from editor.edits.tree import added
from editor.layers.layer import Group, Layer, Node, new_layer_id
from editor.layers.state import DocumentState
from editor.pixels.qimages import from_qimage, to_qimage
from editor.pixels.raster import Raster
from editor.rendering.compositing import composite_samples
from inference.errors import EditorError

OWN_TYPE = "application/x-attune-layer-id"
_WITHOUT_CLIPBOARD = frozenset({"offscreen", "minimal", "linuxfb", "vnc"})
_FAST_PNG = 80  # Qt's scale: little compression, for the clipboard's sake

translate = QCoreApplication.translate


@dataclass(frozen=True)
class _Copied:
    layer: Layer
    profile: bytes
    image: QImage
    png: bytes


class Clipboard(Controller):
    """Copies from and pastes into the current document; pixels are worked on beside the GUI thread."""

    def __init__(self, shell: Shell, files: FileWork, starts: Starts) -> None:
        super().__init__(shell)
        self._files = files
        self._starts = starts
        self._copied: _Copied | None = None  # what our own entry in the clipboard stands for

    def copy(self) -> None:
        """What is selected of the active layer or group."""
        self._copy(lambda state: _of_node(state, state.node(state.active)))

    def copy_merged(self) -> None:
        """What shows where something is selected."""
        self._copy(_of_all)

    def cut(self) -> None:
        """Copy, and clear what was copied."""
        document = self.document
        if document is None:
            return
        text, node_id = translate("Commands", "Cut"), document.state.active
        self._copy(
            lambda state: _of_node(state, painting.clearable(state, node_id)),
            then=lambda: self._shell.edits.run(
                document, lambda state: painting.cleared(state, node_id), text
            ),
        )

    def paste(self) -> None:
        """A picture of the clipboard as a layer above the active one."""
        document = self.document
        if document is None:
            self.paste_as_document()
            return
        text = translate("Commands", "Paste")
        self._take(
            lambda read: self._shell.edits.run(document, lambda state: _pasted(state, read), text),
            self._starts.open_as_layers,
        )

    def paste_as_document(self) -> None:
        """A picture of the clipboard as a document of its own."""

        def opened(layer: Layer) -> None:
            title = translate("Application", "Pasted")
            document = Document.from_layer(layer, title=title)
            document.undo_stack.resetClean()  # it is in no file yet
            self._shell.add_document(document)

        def begin(read: Callable[[], _Source]) -> None:
            def work() -> Layer:
                source = read()
                raster = colour.convert(source.layer.raster, source.profile, b"")
                return source.layer.changed(raster=raster, x=0, y=0, id=new_layer_id(), mask=None)

            self._shell.background.run(work, opened, self._shell.report)

        def open_files(paths: list[Path]) -> None:
            for path in paths:
                self._files.open(path)

        self._take(begin, open_files)

    def let_go(self) -> None:
        """Before the process ends: take our entry back where the system would not have taken it over.

        Qt itself keeps the clipboard of platforms that have none until the process exits. Ending an object
        that Python made after Python itself is a segmentation fault.
        """
        if QGuiApplication.platformName() in _WITHOUT_CLIPBOARD:
            QGuiApplication.clipboard().clear()

    # inside

    def _copy(self, make: Callable[[DocumentState], Layer], then: Callable[[], None] | None = None) -> None:
        document = self.document
        if document is None:
            return
        state = document.state

        def done(copied: _Copied) -> None:
            self._copied = copied
            _put(copied)
            if then is not None:
                then()

        self._shell.background.run(
            lambda: _prepared(make(state), state.icc_profile), done, self._shell.report
        )

    def _take(
        self, use: Callable[[Callable[[], _Source]], None], use_files: Callable[[list[Path]], None]
    ) -> None:
        """Give `use` what reads the clipboard's picture, or `use_files` the files that are in it."""
        mime = QGuiApplication.clipboard().mimeData()
        copied = self._copied
        if copied is not None and bytes(mime.data(OWN_TYPE).data()).decode() == copied.layer.id:
            use(lambda: _Source(copied.layer, copied.profile, placed=True))
            return
        files = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if files:
            use_files(files)
        elif mime.hasFormat("image/png"):
            data = bytes(mime.data("image/png").data())
            use(lambda: _from_image(QImage.fromData(QByteArray(data))))
        elif mime.hasImage():
            image = QGuiApplication.clipboard().image()
            use(lambda: _from_image(image))
        else:
            error = EditorError("There is no picture in the clipboard.", "Copy one in any program first.")
            self._shell.report(error)


@dataclass(frozen=True)
class _Source:
    """A picture to paste; a `placed` one knows where it was."""

    layer: Layer
    profile: bytes = b""
    placed: bool = False


def _of_node(state: DocumentState, node: Node) -> Layer:
    if isinstance(node, Layer):
        return painting.lifted(state, node.id)
    if isinstance(node, Group):
        plain = node.changed(visible=True, clipped=False)
        return _cut_out(state, [plain], node.name)
    raise EditorError("“{name}” has no pixels of its own.", "Choose a layer with pixels.", name=node.name)


def _of_all(state: DocumentState) -> Layer:
    return _cut_out(state, list(state.layers), translate("Commands", "Copied"))


def _cut_out(state: DocumentState, nodes: list[Node], name: str) -> Layer:
    area = state.area if state.selection is None else bounds(state.selection, state.area)
    if area.is_empty:
        raise EditorError("The selection lies outside the picture.", "Select a part of the picture.")
    raster = Raster.of(composite_samples(nodes, area, state.depth))
    layer = Layer(name=name, raster=raster, x=area.x, y=area.y)
    if state.selection is None:
        return layer
    return layer.changed(raster=with_alpha(layer, state.selection))


def _prepared(layer: Layer, profile: bytes) -> _Copied:
    kept = layer.changed(id=new_layer_id())
    image = to_qimage(colour.to_srgb(kept.pixels, profile))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG", _FAST_PNG)  # pyright: ignore[reportCallIssue, reportArgumentType] - its stub
    return _Copied(kept, profile, image, bytes(buffer.data().data()))


def _put(copied: _Copied) -> None:
    mime = QMimeData()
    mime.setData(OWN_TYPE, QByteArray(copied.layer.id.encode()))
    mime.setImageData(copied.image)
    mime.setData("image/png", QByteArray(copied.png))
    QGuiApplication.clipboard().setMimeData(mime)


def _from_image(image: QImage) -> _Source:
    if image.isNull():
        raise EditorError("The clipboard's picture cannot be read.", "Copy it again.")
    name = translate("Commands", "Pasted")
    space = image.colorSpace()
    profile = bytes(space.iccProfile().data()) if space.isValid() else b""
    usable = icc.is_rgb(profile) and colour.is_usable(profile)
    return _Source(Layer.of_pixels(name=name, pixels=from_qimage(image)), profile if usable else b"")


def _pasted(state: DocumentState, read: Callable[[], _Source]) -> DocumentState:
    """The picture above the active node: where it was copied, else in the middle of what is selected."""
    source = read()
    raster = colour.convert(source.layer.raster, source.profile, state.icc_profile)
    if state.depth == 8 and raster.dtype == np.uint16:
        raster = Raster.of(source.layer.changed(raster=raster).pixels)
    layer = replace(source.layer, id=new_layer_id(), raster=raster, clipped=False)
    if not source.placed or layer.area.intersected(state.area).is_empty:
        area = state.area if state.selection is None else bounds(state.selection, state.area)
        x = area.x + (area.width - layer.width) // 2
        y = area.y + (area.height - layer.height) // 2
        layer = layer.moved(x - layer.x, y - layer.y)
    return added(state, layer, state.active)
