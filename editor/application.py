"""The application without widgets: documents, settings, the inference service, and what the menus call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor import commands
from editor.controllers.batches import Batches
from editor.controllers.clipboard import Clipboard
from editor.controllers.concepts import Concepts
from editor.controllers.conditions import Situation, condition_names
from editor.controllers.descriptions import Descriptions
from editor.controllers.files import FileWork
from editor.controllers.filters import FilterController
from editor.controllers.image import ImageController
from editor.controllers.insertion import Insertion
from editor.controllers.layers import LayerController
from editor.controllers.long_jobs import LongJobs
from editor.controllers.loras import Loras
from editor.controllers.masks import MaskController
from editor.controllers.model_downloads import ModelDownloads
from editor.controllers.older_states import OlderStates
from editor.controllers.operations import Operations
from editor.controllers.recovery import Recovery
from editor.controllers.refinement import Refinement
from editor.controllers.selection import SelectionController
from editor.controllers.sessions import Sessions
from editor.controllers.shell import Shell
from editor.controllers.speeds import Speeds
from editor.controllers.starts import Starts
from editor.controllers.step_search import StepSearch
from editor.controllers.tools import ToolController
from editor.controllers.translation import Translation
from editor.document.document import Document
from editor.formats.files import ExportOptions, Opened
from editor.generating.new_pictures import NewPictures, sample_request
from editor.generating.variations import VariationSession
from editor.layers.recipes import Subject
from editor.sliders.session import AttributeSession
from editor.system.background import Background
from editor.system.folders import concepts_folder, config_folder
from editor.system.settings import Settings
from editor.words.said import said
from inference.concepts.library import ConceptLibrary, Kept
from inference.downloads.curated import title_of
from inference.errors import EditorError
from inference.loras.library import LoraLibrary
from inference.messages import Message
from inference.operations import SamplingParameters
from inference.service import InferenceService, Job

if TYPE_CHECKING:
    from inference.deltas import DeltaInfo, DeltaLibrary
    from inference.models import Catalogue

__all__ = ["Application", "ExportOptions", "condition_names"]

_LAST_WRITES_MS, _LAST_STEP_MS = 1000, 800

translate = QCoreApplication.translate


class Application(QObject):
    """Owns everything that outlives one document; the window shows it and calls it.

    What its parts share is `shell`; they know nothing of the application.
    """

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
    drawing_opened = Signal(object, object)  # Document, Path: it may be drawn again at another size

    def __init__(
        self,
        settings: Settings,
        service: InferenceService,
        catalogue: Catalogue,
        library: DeltaLibrary,
        parent: QObject | None = None,
        *,
        concepts: ConceptLibrary | None = None,
        loras: LoraLibrary | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self.service = service
        self.catalogue = catalogue
        self.library = library
        self.shell = shell = Shell(settings, service, self)
        shell.document_opened.connect(self._on_document_opened)
        self.edits = shell.edits
        self.speeds = Speeds(service, self)
        self._new_pictures = NewPictures(service, catalogue, self)
        self._new_pictures.made.connect(self._on_picture_made)
        self._new_pictures.failed.connect(shell.report)
        self._files = FileWork(shell, self._make_sample)
        self.sessions = Sessions(shell, catalogue, library)
        self.tools = ToolController(settings, self)
        self.layers = LayerController(shell, self.tools.colours)
        self.masks = MaskController(shell)
        self.recent_pictures = self._files.recent_pictures
        self.starts = Starts(shell, self._files)
        self.clipboard = Clipboard(shell, self._files, self.starts)
        self.image = ImageController(shell)
        self.selection = SelectionController(shell)
        self.filters = FilterController(shell)
        self.refinement = Refinement(shell, self.sessions)
        self.operations = Operations(shell)
        self.insertion = Insertion(shell)
        self.descriptions = Descriptions(shell, catalogue)
        self.older_states = OlderStates(shell, self.operations)
        self.translation = Translation(shell, self.operations, catalogue)
        self.steps = StepSearch(shell, catalogue)
        self.downloads = ModelDownloads(shell, catalogue)
        self.recovery = Recovery(shell)
        self.concepts = Concepts(shell, concepts or ConceptLibrary(concepts_folder()))
        self.loras = Loras(shell, loras or LoraLibrary(config_folder()), catalogue)
        self.long_jobs = LongJobs(shell, library, concepts=self.concepts.library)
        self.batches = Batches(shell, catalogue, library)
        self.long_jobs.kept.connect(self._on_kept)
        self._situation = Situation(shell, self.sessions, self._files)
        self._hand_on()
        for signal in (service.job_queued, service.job_finished, service.job_failed, service.job_cancelled):
            signal.connect(self._on_something_changed)
        settings.changed.connect(self._on_setting_changed)

    def _hand_on(self) -> None:
        """What the parts tell, the window hears from here."""
        self.shell.document_opened.connect(self.document_opened)
        self.shell.document_closed.connect(self.document_closed)
        self.shell.current_changed.connect(self.current_changed)
        self.shell.message.connect(self.message)
        self.shell.enabled_changed.connect(self.enabled_changed)
        self.shell.busy_changed.connect(self.busy_changed)
        self._files.saved.connect(self.saved)
        self._files.exported.connect(self.exported)
        self._files.save_refused.connect(self.save_refused)
        self._files.drawing_opened.connect(self.drawing_opened)
        self.sessions.changed.connect(self.session_changed)
        self.sessions.variations_changed.connect(self.variations_changed)
        self.sessions.recipe_requested.connect(self.recipe_requested)
        self.sessions.busy_changed.connect(self.enabled_changed)

    # documents

    @property
    def documents(self) -> tuple[Document, ...]:
        return self.shell.documents

    @property
    def current(self) -> Document | None:
        return self.shell.current

    def set_current(self, document: Document | None) -> None:
        self.shell.set_current(document)

    @property
    def usual_model(self) -> str:
        """The name of the model of the current document's recipe layer, or of the one in the settings."""
        layer = self.current.recipe_layer if self.current is not None else None
        if layer is not None and layer.recipe is not None:
            return layer.recipe.request.model
        return self.settings.get("model")

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
        return self.shell.background

    def start(self, paths: list[Path]) -> None:
        """What happens once the window is on the screen: open files, or the sample; load the model."""
        if self.settings.problem:
            self.shell.message.emit(said(self.settings.problem), "", "warning")
        problem = getattr(self.catalogue, "problem", None)
        if problem is not None:
            self.shell.message.emit(said(problem.sentence), said(problem.advice), "warning")
        self.recovery.start()
        self.long_jobs.start()
        self.concepts.start()
        self.loras.start()
        for path in paths:
            self.open_file(path)
        if not paths and self.settings.get("show_start_picture"):
            self.open_start_picture(only_if_empty=True)
        self.service.preload(self.settings.get("model"))

    def look_again(self) -> None:
        """Somebody comes back to the window: what a terminal learnt or added is here, too."""
        self.concepts.look_again()
        self.loras.look_again()

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

    def open_start_picture(self, only_if_empty: bool = False) -> None:
        """Open the picture that comes with the application; make one where it is not installed."""
        self._files.open_start_picture(only_if_empty)

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

    def draw_again(self, document: Document, path: Path, width: int, height: int) -> None:
        """Open a drawing (SVG) at another size, in place of the document if nothing was changed in that."""
        self._files.draw_again(document, path, width, height)

    def reload(self, document: Document) -> None:
        """Give up a document's changes for what its file holds now."""
        self._files.reload(document)

    def export(self, document: Document, path: Path, options: ExportOptions) -> None:
        """Write the visible picture in another format on another thread."""
        self._files.export(document, path, options)

    def add_document(self, document: Document) -> None:
        """Own and show a document."""
        self.shell.add_document(document)

    def close(self, document: Document) -> None:
        """Close a document without asking; whoever calls has asked about unsaved changes."""
        self.shell.close(document)

    def shutdown(self) -> None:
        """Stop everything; call it once, when the window closes. It takes 3 s at most, and little as a rule.

        Files that are being read are left to themselves, those being written get a moment. What is not saved
        by then is kept for the next start.
        """
        self.sessions.close()
        self.older_states.close()
        self.long_jobs.close()
        self.batches.close()
        self.shell.background.close(_LAST_WRITES_MS)
        self.recovery.finish()
        self.service.shutdown(_LAST_STEP_MS)
        self.clipboard.let_go()
        with suppress(EditorError):  # a read-only folder: nothing else is lost
            self.settings.save()

    # what the actions call; each works on the current document

    def holds(self, condition: str) -> bool:
        """Whether a condition of the table of actions holds now."""
        return self._situation.holds(condition)

    def undo(self) -> None:
        session = self.session
        if session is not None and session.busy:
            session.discard()  # the change that is still being computed is the last step
        elif self.current is not None:
            self.current.undo_stack.undo()

    def redo(self) -> None:
        if self.current is not None:
            self.current.undo_stack.redo()

    def cancel_jobs(self) -> None:
        """Stop what is computed, and wait no more for files that are being read."""
        for job in reversed(self.service.jobs()):
            self.service.set_aside(job)
        self._files.cancel_reading()

    @property
    def reading(self) -> bool:
        """Whether a file is being opened."""
        return self._files.reading

    def run(self, make: Callable[[], commands.Command]) -> None:
        """Make a command and push it; an `EditorError` while making it becomes a message."""
        self.shell.run(make)

    def report(self, error: EditorError) -> None:
        """Show an error to the user."""
        self.shell.report(error)

    # inside

    def _make_sample(self) -> None:
        parameters, subjects = sample_request()
        self.new_from_prompt(parameters, self.settings.get("model"), subjects)

    def _on_document_opened(self, document: Document) -> None:
        document.undo_memory_bytes = self.settings.get("undo_memory_mib") * 2**20
        document.history_dropped.connect(self._on_history_dropped)

    def _on_picture_made(self, document: Document, notes: tuple[Message, ...]) -> None:
        self.add_document(document)
        for note in notes:
            self.shell.message.emit(said(note), "", "info")

    def _on_kept(self, info: DeltaInfo | Kept) -> None:
        if isinstance(info, Kept):
            self.concepts.start()
            text = translate("Application", "“{word}” is among the concepts now.")
            hint = translate("Application", "Write the word in a prompt: “a photo of a {word}”.")
            self.shell.message.emit(text.format(word=info.word), hint.format(word=info.word), "info")
            return
        self.sessions.offer_new_attributes()
        text = translate("Application", "“{label}” is among the attributes of {model} now.")
        hint = translate("Application", "Add it with “+ Add attribute”.")
        self.shell.message.emit(text.format(label=info.label, model=title_of(info.model)), hint, "info")

    def _on_something_changed(self) -> None:
        self.enabled_changed.emit()

    def _on_history_dropped(self, count: int) -> None:
        text = translate("Application", "The {count} oldest steps left the history to save memory.")
        hint = translate("Application", "Settings › Memory for undo.")
        self.shell.message.emit(text.format(count=count), hint, "info")

    def _on_setting_changed(self, name: str) -> None:
        if name == "undo_memory_mib":
            for document in self.documents:
                document.undo_memory_bytes = self.settings.get("undo_memory_mib") * 2**20
