"""Opening, saving and exporting beside the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.formats import files
from editor.formats.files import ExportOptions, Opened
from editor.layers.state import DocumentState
from editor.words.said import lines, said
from inference.errors import EditorError
from inference.messages import Message

translate = QCoreApplication.translate


class FileWork(Controller):
    """Reads and writes files on pool threads; what goes wrong becomes a message.

    `make_sample` makes the picture of the first start where none is installed.
    """

    saved = Signal(object, object)  # Document, Path
    exported = Signal(object, object)  # Document, Path

    def __init__(self, shell: Shell, make_sample: Callable[[], object]) -> None:
        super().__init__(shell)
        self._make_sample = make_sample

    def open(self, path: Path) -> None:
        """Read a picture or project on another thread; a document opens, or a message says why not."""
        path = Path(path).absolute()
        already = next((document for document in self._shell.documents if document.path == path), None)
        if already is not None:
            self._shell.set_current(already)
            return

        def done(opened: Opened) -> None:
            self._on_opened(path, opened)

        self.read(path, done)

    def open_start_picture(self, only_if_empty: bool = False) -> None:
        """Open the picture that comes with the application; make one where it is not installed."""
        sample = files.sample_picture()
        if sample is not None:

            def done(opened: Opened) -> None:
                if not (only_if_empty and self._shell.documents):  # something was opened meanwhile
                    self._on_sample_opened(opened)

            self._in_background("", lambda: files.open_file(sample), done)
            return
        self._make_sample()

    def read(self, path: Path, done: Callable[[Opened], None]) -> None:
        """Read a picture or project on another thread and give it to `done`."""
        text = translate("Application", "Opening {name}…").format(name=path.name)
        self._in_background(text, lambda: files.open_file(path), done)

    def save(self, document: Document, path: Path, then: Callable[[], object] | None = None) -> None:
        """Write the project (.ora); the document is unmodified when that is done, then `then` is called."""
        path = Path(path).absolute()
        state = document.state

        def done(_: object) -> None:
            self._remember(path)
            if document not in self._shell.documents:  # closed while it was written
                return
            document.set_path(path)
            if _same_content(document.state, state):  # not edited meanwhile
                document.undo_stack.setClean()
            self.saved.emit(document, path)
            if then is not None:
                then()

        text = translate("Application", "Saving {name}…").format(name=path.name)
        source = document.source
        self._in_background(text, lambda: files.save_project(state, source, path), done, in_order=True)

    def export(self, document: Document, path: Path, options: ExportOptions) -> None:
        """Write the visible picture on another thread."""
        path = Path(path).absolute()
        state, source = document.state, document.source

        def done(notes: tuple[Message, ...]) -> None:
            document.last_export = (path, options)
            self.exported.emit(document, path)
            self._shell.enabled_changed.emit()
            text = translate("Application", "Exported {name}.").format(name=path.name)
            self._shell.message.emit(text, lines(notes), "warning" if notes else "info")

        text = translate("Application", "Exporting {name}…").format(name=path.name)
        self._in_background(text, lambda: files.export_picture(state, source, path, options), done)

    def _in_background(
        self,
        text: str,
        work: Callable[[], object],
        done: Callable[..., None],
        *,
        in_order: bool = False,
    ) -> None:
        self._shell.busy_changed.emit(text)

        def finished(result: object) -> None:
            self._shell.busy_changed.emit("")
            done(result)

        def failed(error: EditorError) -> None:
            self._shell.busy_changed.emit("")
            self._shell.report(error)

        self._shell.background.run(work, finished, failed, in_order=in_order)

    def _on_opened(self, path: Path, opened: Opened) -> None:
        # a picture is opened as a copy to work on; only a project is saved back to its own file
        # (a project of another program whose features we lack is a copy too: saving would flatten it)
        is_ours = opened.is_project and not opened.notes
        document = Document(_named(opened.state), title=path.name, path=path if is_ours else None)
        document.source = opened.source
        if opened.notes:
            self._shell.message.emit(lines(opened.notes), "", "warning")
        self._remember(path)
        self._shell.add_document(document)

    def _on_sample_opened(self, opened: Opened) -> None:
        document = Document(opened.state, title=translate("Application", "Sample picture"))
        self._shell.add_document(document)

    def _remember(self, path: Path) -> None:
        try:
            self._shell.settings.add_recent_file(path)
        except EditorError as error:
            self._shell.message.emit(said(error.sentence), said(error.advice), "warning")


def _same_content(one: DocumentState, other: DocumentState) -> bool:
    """Whether two states differ at most in what is selected in the list of layers."""
    return replace(one, active=other.active, chosen=other.chosen) == other


def _named(state: DocumentState) -> DocumentState:
    """With the names that we gave to layers, such as “Generated”, in the window's language."""
    for layer in state.rasters():
        if said(layer.name) != layer.name:
            state = state.with_node(replace(layer, name=said(layer.name)))
    return state
