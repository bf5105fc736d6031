"""What the objects that the menus call have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from editor.commands import Command
from editor.document import Document
from editor.layer import Node

if TYPE_CHECKING:
    from editor.application import Application


class Receiver(QObject):
    """Acts on the current document; without one, its methods do nothing."""

    def __init__(self, application: Application) -> None:
        super().__init__(application)
        self._application = application

    @property
    def document(self) -> Document | None:
        return self._application.current

    def _on_document(self, make: Callable[[Document], Command]) -> None:
        """Push the command that `make` gives; its `EditorError` becomes a message."""
        document = self.document
        if document is not None:
            self._application.run(lambda: make(document))

    def _on_active(self, make: Callable[[Document, Node], Command]) -> None:
        """The same with the active node, if there is one."""
        document = self.document
        node = document.active_node if document is not None else None
        if document is not None and node is not None:
            self._application.run(lambda: make(document, node))
