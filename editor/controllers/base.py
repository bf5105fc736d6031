"""What the objects that the menus call have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.commands import Command, ReplaceState, push
from editor.controllers.edit_runner import Edit
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.layers.layer import Node
from inference.errors import EditorError

translate = QCoreApplication.translate

Held = TypeVar("Held")
Listed = TypeVar("Listed", covariant=True)


class Lists(Protocol[Listed]):
    """A library on the disk."""

    def list(self) -> tuple[Listed, ...]: ...


class Controller(QObject):
    """Acts on the current document; without one, its methods do nothing."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._shell = shell

    @property
    def document(self) -> Document | None:
        return self._shell.current

    @property
    def active(self) -> Node | None:
        """The active node of the current document."""
        return self.document.active_node if self.document is not None else None

    def _tell_made_again(self) -> None:
        """A result came that no longer fits its document."""
        text = translate("Operations", "The whole picture was turned, scaled or converted meanwhile.")
        hint = translate("Operations", "It is made again from the picture as it is now.")
        self._shell.message.emit(text, hint, "info")

    def _on_document(self, make: Callable[[Document], Command]) -> None:
        """Push the command that `make` gives; its `EditorError` becomes a message."""
        document = self.document
        if document is not None:
            self._shell.run(lambda: make(document))

    def _on_active(self, make: Callable[[Document, Node], Command]) -> None:
        """The same with the active node, if there is one."""
        document, node = self.document, self.active
        if document is not None and node is not None:
            self._shell.run(lambda: make(document, node))

    def _now(self, edit: Edit, text: str) -> None:
        """Push an edit that costs nothing: it only puts nodes and fields in other places."""
        document = self.document
        if document is None:
            return
        try:
            after = edit(document.state)
            if after is not document.state:
                push(document, ReplaceState(document, after, text))
        except EditorError as error:
            self._shell.report(error)

    def _beside(self, edit: Edit, text: str) -> None:
        """Have an edit computed that touches pixels, beside the GUI thread, and push it then."""
        if self.document is not None:
            self._shell.edits.run(self.document, edit, text)


class LibraryController(Controller, Generic[Held]):
    """Reads and changes a library on the background thread; `known` is what it held last."""

    changed = Signal()  # what is known

    def __init__(self, shell: Shell, listed: Lists[Held]) -> None:
        super().__init__(shell)
        self._listed = listed
        self.known: tuple[Held, ...] = ()

    def start(self) -> None:
        """Read what there is."""
        self._do(lambda: None)

    def look_again(self) -> None:
        """Read what other programs may have changed, such as the commands of a terminal; tell if they did."""

        def answered(found: tuple[Held, ...]) -> None:
            if found != self.known:
                self.known = found
                self.changed.emit()

        # a list that cannot be read was told of before
        self._shell.background.run(self._listed.list, answered, lambda error: None, in_order=True)

    def _do(self, work: Callable[[], Any], done: Callable[[Any], object] | None = None) -> None:
        """Have `work` done and the library read anew; then `done` gets what the work gave."""

        def both() -> tuple[Any, tuple[Held, ...]]:
            made = work()
            return made, self._listed.list()

        def answered(found: tuple[Any, tuple[Held, ...]]) -> None:
            made, self.known = found
            if done is not None:
                done(made)
            self.changed.emit()

        self._shell.background.run(both, answered, self._shell.report, in_order=True)
