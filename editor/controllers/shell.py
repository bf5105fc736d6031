"""What the parts of the application share: open documents, the current one, messages, workers, settings."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from editor.commands import Command, push
from editor.controllers.edit_runner import EditRunner
from editor.document.document import Document
from editor.system.background import Background
from editor.system.settings import Settings
from editor.words.said import said
from inference.errors import EditorError
from inference.operations import LoraUse
from inference.service import InferenceService

EDITING = "editing"  # what errors are about that the next step of a history mends


def _none(_model: str) -> tuple[LoraUse, ...]:
    return ()


class Shell(QObject):
    """Handed to every controller, which therefore needs to know nothing of the application that owns it."""

    document_opened = Signal(object)  # Document
    document_closing = Signal(object)  # Document: still among `documents`; end what works on it
    document_closed = Signal(object)  # Document
    current_changed = Signal(object)  # Document or None
    message = Signal(str, str, str)  # text, hint, level: "info", "warning" or "error"
    mended = Signal(str)  # the text of an error that holds no more
    enabled_changed = Signal()  # ask again whether actions can be called
    models_changed = Signal()  # one was added or removed, or what is known of one is other
    busy_changed = Signal(str)  # "Opening photo.jpg…" while a file is read or written, "" when done

    def __init__(self, settings: Settings, service: InferenceService, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.service = service
        self.background = Background(self)
        self.edits = EditRunner(self.background, self)
        self.edits.failed.connect(self.report)
        self.edits.busy_changed.connect(self.busy_changed)
        self.loras_for: Callable[[str], tuple[LoraUse, ...]] = _none  # of a model, for every new request
        self._documents: list[Document] = []
        self._reported: dict[str, str] = {}  # the last error's text, by what it was about
        self._current: Document | None = None

    @property
    def documents(self) -> tuple[Document, ...]:
        return tuple(self._documents)

    @property
    def current(self) -> Document | None:
        return self._current

    def set_current(self, document: Document | None) -> None:
        """Show another of the documents, or none."""
        if document is self._current:
            return
        self._current = document
        self.current_changed.emit(document)
        self.enabled_changed.emit()

    def add_document(self, document: Document) -> None:
        """Own and show a document."""
        stack = document.undo_stack
        for signal in (
            stack.canUndoChanged,
            stack.canRedoChanged,
            document.layers_changed,
            document.active_changed,
            document.selection_changed,
        ):
            signal.connect(self._on_something_changed)
        stack.indexChanged.connect(self._on_step)
        self._documents.append(document)
        self.document_opened.emit(document)
        self.set_current(document)

    def close(self, document: Document) -> None:
        """Close a document without asking; whoever calls has asked about unsaved changes."""
        index = self._documents.index(document)
        self.document_closing.emit(document)
        self.edits.forget(document)
        self._documents.remove(document)
        if document is self._current:
            rest = self._documents
            self.set_current(rest[min(index, len(rest) - 1)] if rest else None)
        self.document_closed.emit(document)
        document.deleteLater()

    def run(self, make: Callable[[], Command]) -> None:
        """Make a command and push it; an `EditorError` while making it becomes a message."""
        try:
            command = make()
        except EditorError as error:
            self.report(error)
            return
        push(command.document, command)

    def report(self, error: EditorError, about: str = EDITING) -> None:
        """Show an error to the user, until `mend` tells of success with the same."""
        text = self._reported[about] = said(error.sentence)
        self.message.emit(text, said(error.advice), "error")

    def mend(self, about: str) -> None:
        """What failed before succeeded now."""
        text = self._reported.pop(about, "")
        if text:
            self.mended.emit(text)

    def _on_step(self, _index: int) -> None:
        self.mend(EDITING)

    def _on_something_changed(self) -> None:
        self.enabled_changed.emit()
