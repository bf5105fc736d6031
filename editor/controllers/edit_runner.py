"""Edits of whole pictures beside the GUI thread: one after the other for each document."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.commands import ReplaceState, push
from editor.document.document import Document
from editor.layers.state import DocumentState
from editor.system.background import Background
from inference.errors import EditorError

Edit: TypeAlias = Callable[[DocumentState], DocumentState]

translate = QCoreApplication.translate


@dataclass(frozen=True, eq=False)
class _Waiting:
    edit: Edit
    text: str


class EditRunner(QObject):
    """Computes edits on pool threads and pushes each as one step.

    An edit begins when those before it are done, with the state that the document has then. If the document
    changes while one is computed, it is computed again from the newer state, for the nodes that were
    active when it began.
    """

    failed = Signal(object)  # EditorError
    busy_changed = Signal(str)  # "Merge layers…" while one runs, "" when none does

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._waiting: dict[Document, deque[_Waiting]] = {}

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def works_on(self, document: Document) -> bool:
        """Whether something is still being computed for a document."""
        return document in self._waiting

    def run(self, document: Document, edit: Edit, text: str) -> None:
        """Have `edit` computed and pushed under `text`; an `EditorError` of it is told by `failed`."""
        queue = self._waiting.get(document)
        if queue is not None:
            queue.append(_Waiting(edit, text))
            return
        self._waiting[document] = deque([_Waiting(edit, text)])
        self._begin(document)

    def forget(self, document: Document) -> None:
        """The document closes: what is computed for it is dropped."""
        if self._waiting.pop(document, None) is not None:
            self._tell_busy()

    def _begin(self, document: Document) -> None:
        waiting, start = self._waiting[document][0], document.state
        self._tell_busy()
        self._compute(document, waiting, start.active, start.chosen)

    def _compute(self, document: Document, waiting: _Waiting, active: str, chosen: frozenset[str]) -> None:
        base = document.state
        given = replace(base, active=active, chosen=chosen)

        def done(after: DocumentState) -> None:
            if document not in self._waiting:
                return
            if document.state is not base:
                self._compute(document, waiting, active, chosen)
                return
            try:
                if after is not given:
                    push(document, ReplaceState(document, after, waiting.text))
            except EditorError as error:
                self.failed.emit(error)
            self._next(document)

        def failed(error: EditorError) -> None:
            if document in self._waiting:
                self.failed.emit(error)
                self._next(document)

        self._background.run(lambda: waiting.edit(given), done, failed)

    def _next(self, document: Document) -> None:
        queue = self._waiting[document]
        queue.popleft()
        if queue:
            self._begin(document)
        else:
            del self._waiting[document]
            self._tell_busy()

    def _tell_busy(self) -> None:
        running = next(iter(self._waiting.values()), None)
        text = translate("Application", "{what}…").format(what=running[0].text) if running else ""
        self.busy_changed.emit(text)
