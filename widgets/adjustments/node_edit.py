"""One gesture on one node: shown while it goes on, one step of the history when it ends."""

from time import monotonic

from PySide6.QtCore import QObject

from editor.application import Application
from editor.commands import ReplaceNode
from editor.document.document import Document
from editor.layers.layer import Node

_ONE_ACT_S = 0.8  # repeats of a key and turns of a wheel that follow each other within this are one step


class NodeEdit(QObject):
    """Shows changed nodes in place of their own, then pushes the last one."""

    def __init__(self, application: Application, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._running: tuple[Document, Node, str] | None = None
        self._gesture, self._last, self._key = 0, 0.0, ""

    @property
    def running(self) -> bool:
        """Whether a drag goes on."""
        return self._running is not None

    def show(self, document: Document, node: Node, text: str, key: str, *, dragging: bool) -> None:
        """Take a changed node: preview it while `dragging`, else make it a step.

        Steps of one `key` in quick succession are one.
        """
        if dragging:
            self._running = (document, node, text)
            document.preview_node(node)
            return
        now = monotonic()
        if self._running is not None or key != self._key or now - self._last > _ONE_ACT_S:
            self._gesture += 1
        self._key, self._last, self._running = key, now, None
        self._push(document, node, text, f"{key}:{node.id}:{self._gesture}")

    def finish(self) -> None:
        """End a drag: its last node becomes a step."""
        if self._running is None:
            return
        document, node, text = self._running
        self._running = None
        self._gesture += 1
        self._key = ""
        self._push(document, node, text, "")

    def cancel(self) -> None:
        """End a drag and show the node as it was."""
        if self._running is not None:
            document, node, _ = self._running
            self._running = None
            document.clear_preview(node.id)

    def _push(self, document: Document, node: Node, text: str, merge_key: str) -> None:
        if document.state.find(node.id) is not None:
            self._application.run(lambda: ReplaceNode(document, node, text, merge_key))
        document.clear_preview(node.id)
