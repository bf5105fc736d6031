"""Layers that were made from the picture below them and no longer fit it: the controller "older_states"."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QTimer, Signal

from editor.controllers.base import Controller
from editor.controllers.operations import Operations
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.generating.pictures_below import is_outdated, made_from_below
from editor.layers.state import DocumentState
from inference.errors import EditorError

_REST_MS = 200  # a drag or a stroke is over

translate = QCoreApplication.translate


class OlderStates(Controller):
    """Looks below such layers on another thread whenever something changed there, and says what it found."""

    changed = Signal(object)  # Document: others of its layers are of an older state

    def __init__(self, shell: Shell, operations: Operations) -> None:
        super().__init__(shell)
        self._operations = operations
        self._found: dict[Document, frozenset[str]] = {}
        self._looked: dict[Document, dict[str, tuple[object, ...]]] = {}
        self._looking: set[Document] = set()
        self._closed = False
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._look)
        shell.document_opened.connect(self._follow)
        shell.document_closing.connect(self._forget)

    def of(self, document: Document) -> frozenset[str]:
        """The ids of a document's layers that are of an older state of the picture."""
        return self._found.get(document, frozenset())

    @property
    def here(self) -> bool:
        """Whether the active layer of the current document is."""
        document = self.document
        return document is not None and document.state.active in self.of(document)

    def make_again(self) -> None:
        """Make the active layer again from what shows below it now."""
        document = self.document
        if document is not None:
            self._operations.make_again(document.state.active)

    def close(self) -> None:
        """The end of the session: nobody looks any more."""
        self._closed = True
        self._rest.stop()

    # inside

    def _look_soon(self) -> None:
        if not self._closed:
            self._rest.start()

    def _follow(self, document: Document) -> None:
        document.layers_changed.connect(self._look_soon)
        self._look_soon()

    def _forget(self, document: Document) -> None:
        self._looking.discard(document)
        for known in (self._found, self._looked):
            known.pop(document, None)

    def _look(self) -> None:
        for document in self._shell.documents:
            if document not in self._looking:
                self._look_at(document)

    def _look_at(self, document: Document) -> None:
        state, known = document.state, self._looked.get(document, {})
        wanted = made_from_below(state)
        asked = {layer_id: key for layer_id, key in wanted.items() if known.get(layer_id) != key}
        if not asked:
            self._take(document, wanted, self.of(document) & set(wanted))
            return
        self._looking.add(document)

        def done(found: frozenset[str]) -> None:
            if document not in self._looking:
                return
            self._looking.discard(document)
            kept = {layer_id for layer_id in self.of(document) if layer_id in wanted} - set(asked)
            self._take(document, wanted, found | kept)
            if document.state is not state:
                self._look_soon()

        def failed(_error: EditorError) -> None:
            """A profile that cannot be used: told where it is used."""
            self._looking.discard(document)

        self._shell.background.run(lambda: _outdated(state, asked), done, failed)

    def _take(self, document: Document, looked: dict[str, tuple[object, ...]], found: frozenset[str]) -> None:
        old = self.of(document)
        self._looked[document] = looked
        if found == old:
            return
        self._found[document] = found
        self.changed.emit(document)
        self._shell.enabled_changed.emit()
        self._tell(document, found - old)

    def _tell(self, document: Document, found: frozenset[str]) -> None:
        names = [layer.name for layer in document.state.rasters() if layer.id in found]
        if names and document is self.document:
            text = translate("OlderStates", "“{name}” was made from an older state of the picture below it.")
            hint = translate("OlderStates", "Layer › Make again from the picture below brings it up to date.")
            self._shell.message.emit(text.format(name=names[0]), hint, "info")


def _outdated(state: DocumentState, asked: dict[str, tuple[object, ...]]) -> frozenset[str]:
    """Another thread."""
    return frozenset(layer.id for layer in state.rasters() if layer.id in asked and is_outdated(state, layer))
