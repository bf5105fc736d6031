"""Autosave and leftovers of one application: what happens between them and its documents."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject

from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.document.known_file import KnownFile
from editor.recovery.autosave import Autosave
from editor.recovery.leftovers import Leftovers
from editor.recovery.store import Snapshot, Store
from editor.system.folders import recovery_folder
from editor.words.said import lines, said
from inference.errors import EditorError
from inference.messages import Message

translate = QCoreApplication.translate


class Recovery(QObject):
    """Follows the documents of an application. Nothing is written or read before `start`."""

    def __init__(self, shell: Shell, root: Path | None = None) -> None:
        super().__init__(shell)
        self._shell = shell
        root = root if root is not None else recovery_folder()
        settings = shell.settings
        self.autosave = Autosave(
            root, lambda: float(settings.get("autosave_seconds")), self._most_bytes, self
        )
        self.leftovers = Leftovers(
            root, self.autosave.background, self.autosave.new_place, self._most_bytes, self
        )
        self.autosave.failed.connect(self._on_autosave_failed)
        self.leftovers.restored.connect(self._on_restored)
        self.leftovers.failed.connect(shell.report)
        self.leftovers.problem.connect(self._on_problem)
        shell.document_opened.connect(self._on_opened)
        shell.document_closed.connect(self.autosave.forget)
        self._adopted: Store | None = None

    def start(self) -> None:
        """Begin to write what changes, and look for what other runs left."""
        self.autosave.start()
        self.leftovers.look()

    def finish(self) -> None:
        """The end of the session: nothing stays on disk but changes that nobody was asked about."""
        self.leftovers.close()
        self.autosave.finish()

    def _most_bytes(self) -> int:
        return int(self._shell.settings.get("recovery_mib")) * 2**20

    def _on_opened(self, document: Document) -> None:
        store, self._adopted = self._adopted, None
        self.autosave.follow(document, store)

    def _on_restored(self, snapshot: Snapshot, store: Store, notes: tuple[Message, ...]) -> None:
        document = Document(snapshot.state, title=snapshot.title, path=snapshot.path, source=snapshot.source)
        if snapshot.path is not None:
            document.set_path(snapshot.path, KnownFile(snapshot.path, snapshot.mark))
        document.undo_stack.resetClean()  # it is in no file
        self._adopted = store
        self._shell.add_document(document)
        if notes:
            self._shell.message.emit(lines(notes), "", "warning")

    def _on_problem(self, problem: Message) -> None:
        self._shell.message.emit(said(problem), "", "warning")

    def _on_autosave_failed(self, error: EditorError) -> None:
        text = translate("Recovery", "Unsaved work cannot be kept for recovery: {reason}")
        self._shell.message.emit(text.format(reason=said(error.sentence)), said(error.advice), "warning")
