"""Opening, saving and exporting beside the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from editor import files
from editor.background import Task
from editor.document import Document
from editor.files import ExportOptions, Opened
from editor.new_pictures import sample_request
from editor.receiver import Receiver
from editor.state import DocumentState
from inference.errors import EditorError

if TYPE_CHECKING:
    from editor.application import Application

translate = QCoreApplication.translate


class FileWork(Receiver):
    """Reads and writes files on other threads; what goes wrong becomes a message."""

    def __init__(self, application: Application) -> None:
        super().__init__(application)
        self._reading: list[Task] = []

    def open(self, path: Path) -> None:
        """Read a picture or project on another thread; a document opens, or a message says why not."""
        path = Path(path).absolute()
        already = next((document for document in self._application.documents if document.path == path), None)
        if already is not None:
            self._application.set_current(already)
            return

        def done(opened: Opened) -> None:
            self._on_opened(path, opened)

        self.read(path, done)

    def read(self, path: Path, done: Callable[[Opened], None]) -> None:
        """Read a file on another thread and give what it holds to `done`, unless that is cancelled."""
        text = translate("Application", "Opening {name}…").format(name=path.name)
        task = self._in_background(text, lambda: files.open_file(path), done)
        self._reading = [*(one for one in self._reading if not one.is_over), task]
        self._application.enabled_changed.emit()

    @property
    def reading(self) -> bool:
        """Whether a file is being read that somebody waits for."""
        return any(not task.is_over for task in self._reading)

    def cancel_reading(self) -> None:
        """Wait no more for files that are being read: pipes without a writer, disks that do not answer."""
        reading, self._reading = [task for task in self._reading if not task.is_over], []
        for task in reading:
            task.cancel()
        if reading:
            self._application.busy_changed.emit("")
            self._application.enabled_changed.emit()

    def open_sample(self, only_if_empty: bool = False) -> None:
        """Open the picture that comes with the application; make one where it is not installed."""
        sample = files.sample_picture()
        if sample is not None:

            def done(opened: Opened) -> None:
                if not (only_if_empty and self._application.documents):  # something was opened meanwhile
                    self._on_sample_opened(opened)

            self._in_background("", lambda: files.open_file(sample), done)
            return
        parameters, subjects = sample_request()
        self._application.new_from_prompt(parameters, self._application.settings.get("model"), subjects)

    def save(self, document: Document, path: Path, then: Callable[[], object] | None = None) -> None:
        """Write the project (.ora); the document is unmodified when that is done, then `then` is called."""
        path = Path(path).absolute()
        state = document.state

        def done(_: object) -> None:
            self._remember(path)
            if document not in self._application.documents:  # closed while it was written
                return
            document.set_path(path)
            if _same_content(document.state, state):  # not edited meanwhile
                document.undo_stack.setClean()
            self._application.saved.emit(document, path)
            if then is not None:
                then()

        text = translate("Application", "Saving {name}…").format(name=path.name)
        source = document.source
        self._in_background(text, lambda: files.save_project(state, source, path), done, in_order=True)

    def export(self, document: Document, path: Path, options: ExportOptions) -> None:
        """Write the visible picture on another thread."""
        path = Path(path).absolute()
        state, source = document.state, document.source

        def done(notes: tuple[str, ...]) -> None:
            document.last_export = (path, options)
            self._application.exported.emit(document, path)
            self._application.enabled_changed.emit()
            text = translate("Application", "Exported {name}.").format(name=path.name)
            self._application.message.emit(text, " ".join(notes), "warning" if notes else "info")

        text = translate("Application", "Exporting {name}…").format(name=path.name)
        self._in_background(text, lambda: files.export_picture(state, source, path, options), done, kept=True)

    def _in_background(
        self,
        text: str,
        work: Callable[[], object],
        done: Callable[..., None],
        *,
        in_order: bool = False,
        kept: bool = False,
    ) -> Task:
        self._application.busy_changed.emit(text)

        def ended() -> None:
            self._application.busy_changed.emit("")
            self._application.enabled_changed.emit()

        def finished(result: object) -> None:
            ended()
            done(result)

        def failed(error: EditorError) -> None:
            ended()
            self._application.report(error)

        return self._application.background.run(work, finished, failed, in_order=in_order, kept=kept)

    def _on_opened(self, path: Path, opened: Opened) -> None:
        # a picture is opened as a copy to work on; only a project is saved back to its own file
        # (a project of another program whose features we lack is a copy too: saving would flatten it)
        is_ours = opened.is_project and not opened.notes
        document = Document(opened.state, title=path.name, path=path if is_ours else None)
        document.source = opened.source
        if opened.notes:
            self._application.message.emit("\n".join(opened.notes), "", "warning")
        self._remember(path)
        self._application.add_document(document)

    def _on_sample_opened(self, opened: Opened) -> None:
        document = Document(opened.state, title=translate("Application", "Sample picture"))
        self._application.add_document(document)

    def _remember(self, path: Path) -> None:
        try:
            self._application.settings.add_recent_file(path)
        except EditorError as error:
            self._application.message.emit(error.message, error.hint, "warning")


def _same_content(one: DocumentState, other: DocumentState) -> bool:
    """Whether two states differ at most in what is selected in the list of layers."""
    return replace(one, active=other.active, chosen=other.chosen) == other
