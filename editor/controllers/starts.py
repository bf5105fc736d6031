"""Ways to begin and to bring pictures in: a blank canvas, a sample, files as layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication

from editor.colour import conversion as colour
from editor.commands import ReplaceState
from editor.controllers.base import Controller
from editor.controllers.files import FileWork
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.formats.files import Opened
from editor.layers.layer import Group, Layer, Node, new_layer_id
from editor.layers.limits import check_size
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from editor.words.said import lines
from inference.errors import EditorError

translate = QCoreApplication.translate


class Starts(Controller):
    """Reads files on other threads; what goes wrong becomes a message."""

    def __init__(self, shell: Shell, files: FileWork) -> None:
        super().__init__(shell)
        self._files = files

    def new_canvas(
        self,
        width: int,
        height: int,
        *,
        fill: tuple[int, int, int, int] = (255, 255, 255, 255),
        depth: int = 8,
        dpi: float = 72.0,
    ) -> Document | None:
        """A document of one filled layer; None, and a message, if the size is out of range."""
        try:
            state = canvas_state(width, height, fill=fill, depth=depth, dpi=dpi)
        except EditorError as error:
            self._shell.report(error)
            return None
        document = Document(state, title=translate("Starts", "Untitled"))
        self._shell.add_document(document)
        return document

    def open_copy(self, path: str) -> None:
        """Open a picture that comes with the application, as a copy without a file."""

        def done(opened: Opened) -> None:
            name = Path(path).stem.replace("-", " ").capitalize()
            self._shell.add_document(Document(opened.state, title=name))

        self._files.read_once(Path(path), done)

    def open_as_layers(self, paths: Sequence[Path]) -> None:
        """Put pictures into the current document, each as a layer, or a group if it has several."""
        for path in paths:
            self._files.read(path, partial(self._add_layer, path))

    def _add_layer(self, path: Path, opened: Opened) -> None:
        document = self.document
        if document is None:
            return
        target = document.state

        def converted() -> Node:
            return node_of(path.stem, opened.state, target)

        def done(node: Node) -> None:
            if opened.notes:
                self._shell.message.emit(lines(opened.notes), "", "warning")
            if document in self._shell.documents:
                text = translate("Starts", "Open “{name}” as layer").format(name=path.name)
                self._shell.run(lambda: ReplaceState(document, _above_active(document, node), text))

        self._shell.background.run(converted, done, self._shell.report)


def canvas_state(
    width: int,
    height: int,
    *,
    fill: tuple[int, int, int, int] = (255, 255, 255, 255),
    depth: int = 8,
    dpi: float = 72.0,
) -> DocumentState:
    """One layer of one colour (8-bit RGBA, straight).

    Raises:
        EditorError: a size or depth out of range.
    """
    check_size(width, height)
    if depth not in (8, 16):
        raise EditorError("A canvas cannot have {depth} bits a channel.", "Use 8 or 16.", depth=depth)
    name = translate("Starts", "Background")
    layer = Layer(name=name, raster=_filled(width, height, fill, depth))
    return replace(DocumentState.of_layer(layer), dpi=(dpi, dpi))


def node_of(name: str, opened: DocumentState, target: DocumentState) -> Node:
    """An opened picture in the target's colour space, in its middle: its layer, or a group of its layers."""
    nodes = tuple(_converted(node, opened.icc_profile, target.icc_profile) for node in opened.layers)
    dx, dy = (target.width - opened.width) // 2, (target.height - opened.height) // 2
    if len(nodes) == 1:
        return nodes[0].moved(dx, dy).changed(name=name, id=new_layer_id())
    return Group(name=name, children=tuple(node.moved(dx, dy).copy(node.name) for node in nodes))


def _converted(node: Node, source: bytes, target: bytes) -> Node:
    if source == target:
        return node
    if isinstance(node, Layer):
        return node.changed(raster=colour.convert(node.raster, source, target))
    if isinstance(node, Group):
        return node.changed(children=tuple(_converted(child, source, target) for child in node.children))
    return node


def _above_active(document: Document, node: Node) -> DocumentState:
    state = document.state
    if document.active_node is None:
        return replace(state.inserted([node]), active=node.id, chosen=frozenset())
    parent = state.parent(state.active)
    index = state.index(state.active) + 1
    added = state.inserted([node], parent=parent.id if parent is not None else "", index=index)
    return replace(added, active=node.id, chosen=frozenset())


def _filled(width: int, height: int, fill: tuple[int, int, int, int], depth: int) -> Raster:
    if len(set(fill)) == 1:  # white and transparent share one tile
        value = fill[0] * (257 if depth == 16 else 1)
        return Raster.filled(width, height, value, dtype=np.uint16 if depth == 16 else np.uint8)
    colours = np.array(fill, np.uint8)
    if depth == 16:
        return Raster.of(np.broadcast_to(colours.astype(np.uint16) * 257, (height, width, 4)).copy())
    return Raster.of(np.broadcast_to(colours, (height, width, 4)).copy())
