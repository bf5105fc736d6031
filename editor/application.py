"""The application without widgets: documents, settings, the inference service, and what the menus call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor import commands, conditions
from editor.background import Background
from editor.clipboard import Clipboard
from editor.conditions import condition_names
from editor.document import Document
from editor.edit_runner import EditRunner
from editor.file_work import FileWork
from editor.files import ExportOptions, Opened
from editor.filter_actions import FilterActions
from editor.image_actions import ImageActions
from editor.jobs import AttributeSession, VariationSession
from editor.layer_actions import LayerActions
from editor.mask_actions import MaskActions
from editor.new_pictures import NewPictures
from editor.recipes import Subject
from editor.recovery.recovery import Recovery
from editor.refinement import Refinement
from editor.selection_actions import SelectionActions
from editor.sessions import Sessions
from editor.settings import Settings
from editor.starts import Starts
from editor.step_search import StepSearch
from editor.tool_actions import ToolActions
from inference.errors import EditorError
from inference.operations import SamplingParameters
from inference.service import InferenceService, Job

if TYPE_CHECKING:
    from inference.deltas import DeltaLibrary
    from inference.models import Catalogue

__all__ = ["Application", "ExportOptions", "condition_names"]

_LAST_WRITES_MS, _LAST_STEP_MS = 1000, 800

translate = QCoreApplication.translate


class Application(QObject):
    """Owns everything that outlives one document; the window shows it and calls it."""

    document_opened = Signal(object)  # Document
    document_closed = Signal(object)  # Document
    current_changed = Signal(object)  # Document or None
    session_changed = Signal(object)  # AttributeSession of the current document's recipe layer, or None
    variations_changed = Signal(object)  # VariationSession of the current document, or None
    recipe_requested = Signal(
        object
    )  # AttributeSession: the user asked for a layer's recipe; show its sliders
    message = Signal(str, str, str)  # text, hint, level: "info", "warning" or "error"
    enabled_changed = Signal()  # ask `holds` again
    busy_changed = Signal(str)  # "Opening photo.jpg…" while a file is read or written, "" when done
    saved = Signal(object, object)  # Document, Path
    save_refused = Signal(object)  # RefusedSave: nothing was written, somebody has to decide
    exported = Signal(object, object)  # Document, Path

    def __init__(
        self,
        settings: Settings,
        service: InferenceService,
        catalogue: Catalogue,
        library: DeltaLibrary,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self.service = service
        self.catalogue = catalogue
        self.library = library
        self._documents: list[Document] = []
        self._current: Document | None = None
        self._background = Background(self)
        self._new_pictures = NewPictures(service, catalogue, self)
        self._new_pictures.made.connect(self._on_picture_made)
        self._new_pictures.failed.connect(self.report)
        self._files = FileWork(self)
        self.edits = EditRunner(self._background, self)
        self.edits.failed.connect(self.report)
        self.edits.busy_changed.connect(self.busy_changed)
        self.sessions = Sessions(self)
        self.layers = LayerActions(self)
        self.masks = MaskActions(self)
        self.clipboard = Clipboard(self)
        self.image = ImageActions(self)
        self.selection = SelectionActions(self)
        self.filters = FilterActions(self)
        self.tools = ToolActions(settings, self)
        self.refinement = Refinement(self)
        self.steps = StepSearch(self)
        self.recovery = Recovery(self)
        self.starts = Starts(self)
        self.sessions.changed.connect(self.session_changed)
        self.sessions.variations_changed.connect(self.variations_changed)
        self.sessions.recipe_requested.connect(self.recipe_requested)
        self.sessions.busy_changed.connect(self.enabled_changed)
        for signal in (service.job_queued, service.job_finished, service.job_failed, service.job_cancelled):
            signal.connect(self._on_something_changed)
        settings.changed.connect(self._on_setting_changed)

    # documents

    @property
    def documents(self) -> tuple[Document, ...]:
        return tuple(self._documents)

    @property
    def current(self) -> Document | None:
        return self._current

    def set_current(self, document: Document | None) -> None:
        if document is self._current:
            return
        self._current = document
        self.current_changed.emit(document)
        self.sessions.show_document()
        self.enabled_changed.emit()

    @property
    def session(self) -> AttributeSession | None:
        """The sliders of the current document's recipe layer, or None."""
        return self.sessions.current

    @property
    def variations(self) -> VariationSession | None:
        """The variations last asked for in the current document, or None."""
        return self.sessions.variations

    @property
    def background(self) -> Background:
        return self._background

    def start(self, paths: list[Path]) -> None:
        """What happens once the window is on the screen: open files, or the sample; load the model."""
        if self.settings.problem:
            self.message.emit(self.settings.problem, "", "warning")
        self.recovery.start()
        for path in paths:
            self.open_file(path)
        if not paths and self.settings.get("show_start_picture"):
            self.open_sample(only_if_empty=True)
        self.service.preload(self.settings.get("model"))

    def new_from_prompt(
        self, parameters: SamplingParameters, model: str, subjects: tuple[Subject, ...] = ()
    ) -> Job | None:
        """Generate; a document opens when the picture is there. None, and a message, if it is wrong."""
        try:
            return self._new_pictures.ask(parameters, model, subjects)
        except EditorError as error:
            self.report(error)
            return None

    def open_file(self, path: Path) -> None:
        """Read a picture or project on another thread; a document opens, or a message says why not."""
        self._files.open(path)

    def read_file(self, path: Path, done: Callable[[Opened], None]) -> None:
        """Read a picture or project on another thread and give it to `done`; a message says why not."""
        self._files.read(path, done)

    def open_sample(self, only_if_empty: bool = False) -> None:
        """Open the picture that comes with the application; make one where it is not installed."""
        self._files.open_sample(only_if_empty)

    def save(
        self,
        document: Document,
        path: Path,
        then: Callable[[], object] | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Write the project (.ora); the document is unmodified when that is done, then `then` is called.

        `save_refused` asks first if that would overwrite what somebody else wrote, but not with `overwrite`.
        """
        self._files.save(document, path, then, overwrite=overwrite)

    def reload(self, document: Document) -> None:
        """Give up a document's changes for what its file holds now."""
        self._files.reload(document)

    def export(self, document: Document, path: Path, options: ExportOptions) -> None:
        """Write the visible picture in another format on another thread."""
        self._files.export(document, path, options)

    def add_document(self, document: Document) -> None:
        """Own and show a document."""
        document.undo_memory_bytes = self.settings.get("undo_memory_mib") * 2**20
        stack = document.undo_stack
        for signal in (
            stack.canUndoChanged,
            stack.canRedoChanged,
            document.layers_changed,
            document.active_changed,
            document.selection_changed,
        ):
            signal.connect(self._on_something_changed)
        document.history_dropped.connect(self._on_history_dropped)
        self.sessions.follow(document)
        self._documents.append(document)
        self.document_opened.emit(document)
        self.set_current(document)

    def close(self, document: Document) -> None:
        """Close a document without asking; whoever calls has asked about unsaved changes."""
        index = self._documents.index(document)
        self.sessions.forget(document)
        self.edits.forget(document)
        self._documents.remove(document)
        if document is self._current:
            rest = self._documents
            self.set_current(rest[min(index, len(rest) - 1)] if rest else None)
        self.document_closed.emit(document)
        document.deleteLater()

    def shutdown(self) -> None:
        """Stop everything; call it once, when the window closes. It takes 3 s at most, and little as a rule.

        Files that are being read are left to themselves, those being written get a moment. What is not saved
        by then is kept for the next start.
        """
        self.sessions.close()
        self._background.close(_LAST_WRITES_MS)
        self.recovery.finish()
        self.service.shutdown(_LAST_STEP_MS)
        self.clipboard.let_go()
        with suppress(EditorError):  # a read-only folder: nothing else is lost
            self.settings.save()

    # what the actions call; each works on the current document

    def holds(self, condition: str) -> bool:
        """Whether a condition of the table of actions holds now."""
        return conditions.holds(self, condition)

    def undo(self) -> None:
        session = self.session
        if session is not None and session.busy:
            session.discard()  # the change that is still being computed is the last step
        elif self._current is not None:
            self._current.undo_stack.undo()

    def redo(self) -> None:
        if self._current is not None:
            self._current.undo_stack.redo()

    def cancel_jobs(self) -> None:
        """Stop what is computed, and wait no more for files that are being read."""
        self.service.cancel_all()
        self._files.cancel_reading()

    @property
    def reading(self) -> bool:
        """Whether a file is being opened."""
        return self._files.reading

    def run(self, make: Callable[[], commands.Command]) -> None:
        """Make a command and push it; an `EditorError` while making it becomes a message."""
        try:
            command = make()
        except EditorError as error:
            self.report(error)
            return
        commands.push(command.document, command)

    def report(self, error: EditorError) -> None:
        """Show an error to the user."""
        self.message.emit(error.message, error.hint, "error")

    # inside

    def _on_picture_made(self, document: Document, notes: tuple[str, ...]) -> None:
        self.add_document(document)
        for note in notes:
            self.message.emit(note, "", "info")

    def _on_something_changed(self) -> None:
        self.enabled_changed.emit()

    def _on_history_dropped(self, count: int) -> None:
        text = translate("Application", "The {count} oldest steps left the history to save memory.")
        hint = translate("Application", "Settings › Memory for undo.")
        self.message.emit(text.format(count=count), hint, "info")

    def _on_setting_changed(self, name: str) -> None:
        if name == "undo_memory_mib":
            for document in self._documents:
                document.undo_memory_bytes = self.settings.get("undo_memory_mib") * 2**20
