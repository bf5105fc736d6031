"""Opening, saving and exporting beside the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import Controller
from editor.controllers.recent_pictures import RecentPictures
from editor.controllers.refused_save import RefusedSave, of_another
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.document.known_file import FileMark, KnownFile, Obstacle, same_file
from editor.formats import files
from editor.formats.files import ExportOptions, Opened
from editor.layers.state import DocumentState
from editor.system.background import Task
from editor.words.said import lines, said
from inference.errors import EditorError
from inference.messages import Message

if TYPE_CHECKING:
    pass

translate = QCoreApplication.translate


class FileWork(Controller):
    """Reads and writes files on other threads; what goes wrong becomes a message.

    `make_sample` makes the picture of the first start where none is installed.
    """

    saved = Signal(object, object)  # Document, Path
    exported = Signal(object, object)  # Document, Path
    save_refused = Signal(object)  # RefusedSave
    drawing_opened = Signal(object, object)  # Document, Path

    def __init__(self, shell: Shell, make_sample: Callable[[], object]) -> None:
        super().__init__(shell)
        self._make_sample = make_sample
        self._reading: list[Task] = []
        self._opening: dict[Path, Task] = {}
        self.recent_pictures = RecentPictures(shell)

    def open(self, path: Path) -> None:
        """Read a picture or project on another thread; a document opens, or a message says why not."""
        path = Path(path).absolute()
        for document in self._shell.documents:
            if document.path is not None and same_file(document.path, path):
                self._shell.set_current(document)
                return
        mark = FileMark.of(path)  # before it is read: what is written meanwhile is somebody else's

        def done(opened: Opened) -> None:
            self._on_opened(KnownFile(path, mark), opened)

        self.read_once(path, done)

    def reload(self, document: Document) -> None:
        """Give up what was changed for what the document's file holds now."""
        path = document.path
        if path is None:
            return
        mark = FileMark.of(path)

        def done(opened: Opened) -> None:
            if document in self._shell.documents:
                self._shell.close(document)
            self._on_opened(KnownFile(path, mark), opened)

        self.read(path, done)

    def draw_again(self, document: Document, path: Path, width: int, height: int) -> None:
        """Open a drawing at another size, in place of the document if nothing was changed in that."""

        def done(opened: Opened) -> None:
            if document in self._shell.documents and not document.modified:
                self._shell.close(document)
            self._on_opened(KnownFile(path), replace(opened, is_drawing=False))

        def size_of(_width: int, _height: int) -> tuple[int, int]:
            return width, height

        self.read(path, done, size_of)

    def read(
        self,
        path: Path,
        done: Callable[[Opened], None],
        size_of: Callable[[int, int], tuple[int, int]] | None = None,
    ) -> Task:
        """Read a file on another thread and give what it holds to `done`, unless that is cancelled."""
        text = translate("Application", "Opening {name}…").format(name=path.name)
        task = self._in_background(text, lambda: files.open_file(path, size_of), done)
        self._reading = [*(one for one in self._reading if not one.is_over), task]
        self._shell.enabled_changed.emit()
        return task

    def read_once(self, path: Path, done: Callable[[Opened], None]) -> None:
        """The same, but not while it is being read so already: a double click asks for one document."""
        self._opening = {known: task for known, task in self._opening.items() if not task.is_over}
        if path not in self._opening:
            self._opening[path] = self.read(path, done)

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
            self._shell.busy_changed.emit("")
            self._shell.enabled_changed.emit()

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

    def save(
        self,
        document: Document,
        path: Path,
        then: Callable[[], object] | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Write the project (.ora); the document is unmodified when that is done, then `then` is called.

        What somebody else wrote there meanwhile, a read-only file, and one that another document is saved to
        are written only with `overwrite`; else the application's `save_refused` asks.
        """
        path = Path(path).absolute()
        state, source, known = document.state, document.source, _known(document, path)
        if not overwrite and of_another(path, document, self._shell.documents):
            refused = RefusedSave(document, path, Obstacle.OPEN_ELSEWHERE, then)
            self.save_refused.emit(refused)
            return

        def write() -> Obstacle | None:
            obstacle = None if overwrite else known.obstacle()
            if obstacle is None:
                files.save_project(state, source, path)
                known.renew()
            return obstacle

        def done(obstacle: Obstacle | None) -> None:
            if obstacle is not None:
                self.save_refused.emit(RefusedSave(document, path, obstacle, then))
                return
            self._remember(path, state)
            if document not in self._shell.documents:  # closed while it was written
                return
            document.set_path(path, known)
            if _same_content(document.state, state):  # not edited meanwhile
                document.undo_stack.setClean()
            self.saved.emit(document, path)
            if then is not None:
                then()

        text = translate("Application", "Saving {name}…").format(name=path.name)
        self._in_background(text, write, done, in_order=True, about=f"save {id(document)}")

    def export(self, document: Document, path: Path, options: ExportOptions) -> None:
        """Write the visible picture on another thread; what others wrote since the last time stays."""
        path = Path(path).absolute()
        state, source, known = document.state, document.source, document.exported_file
        if known is None or known.path != path or document.last_export is None:
            known = KnownFile(path)

        def write() -> tuple[Message, ...]:
            _refuse(known.obstacle(), path)
            notes = files.export_picture(state, source, path, options)
            known.renew()
            return notes

        def done(notes: tuple[Message, ...]) -> None:
            document.last_export, document.exported_file = (path, options), known
            self.exported.emit(document, path)
            self._shell.enabled_changed.emit()
            text = translate("Application", "Exported {name}.").format(name=path.name)
            self._shell.message.emit(text, lines(notes), "warning" if notes else "info")

        text = translate("Application", "Exporting {name}…").format(name=path.name)
        self._in_background(text, write, done, kept=True, about=f"export {id(document)}")

    def _in_background(
        self,
        text: str,
        work: Callable[[], object],
        done: Callable[..., None],
        *,
        in_order: bool = False,
        kept: bool = False,
        about: str = "",
    ) -> Task:
        """`about` is what an error of it is about, until the same succeeds; else it is the text."""
        self._shell.busy_changed.emit(text)

        def ended() -> None:
            self._shell.busy_changed.emit("")
            self._shell.enabled_changed.emit()

        def finished(result: object) -> None:
            ended()
            self._shell.mend(about or text)
            done(result)

        def failed(error: EditorError) -> None:
            ended()
            self._shell.report(error, about or text)

        return self._shell.background.run(work, finished, failed, in_order=in_order, kept=kept)

    def _on_opened(self, known: KnownFile, opened: Opened) -> None:
        # a picture is opened as a copy to work on; only a project is saved back to its own file
        # (a project of another program whose features we lack is a copy too: saving would flatten it)
        is_ours = opened.is_project and not opened.notes
        path = known.path
        document = Document(_named(opened.state), title=path.name)
        if is_ours:
            document.set_path(path, known)
        document.source = opened.source
        if opened.notes:
            self._shell.message.emit(lines(opened.notes), "", "warning")
        self._remember(path, opened.state)
        self._shell.add_document(document)
        if opened.is_drawing:
            self.drawing_opened.emit(document, path)

    def _on_sample_opened(self, opened: Opened) -> None:
        document = Document(opened.state, title=translate("Application", "Sample picture"))
        self._shell.add_document(document)

    def _remember(self, path: Path, state: DocumentState) -> None:
        self.recent_pictures.keep(path, state)
        try:
            self._shell.settings.add_recent_file(path)
        except EditorError as error:
            self._shell.message.emit(said(error.sentence), said(error.advice), "warning")


def _known(document: Document, path: Path) -> KnownFile:
    """What is known of a place that a document is saved to: nothing, but if it is its own file."""
    known = document.known_file
    return known if known is not None and known.path == path else KnownFile(path)


def _refuse(obstacle: Obstacle | None, path: Path) -> None:
    """Raises:
    EditorError: a file that is exported to is not to be replaced.
    """
    if obstacle is Obstacle.READ_ONLY:
        raise EditorError("“{name}” is read-only.", "Choose another name.", name=path.name)
    if obstacle is not None:
        raise EditorError(
            "Another program has changed “{name}” since it was exported here.",
            "Export under another name, or remove the file.",
            name=path.name,
        )


def _same_content(one: DocumentState, other: DocumentState) -> bool:
    """Whether two states differ at most in what is selected in the list of layers."""
    return replace(one, active=other.active, chosen=other.chosen) == other


def _named(state: DocumentState) -> DocumentState:
    """With the names that we gave to layers, such as “Generated”, in the window's language."""
    for layer in state.rasters():
        if said(layer.name) != layer.name:
            state = state.with_node(replace(layer, name=said(layer.name)))
    return state
