"""The application without widgets: documents, settings, the inference service, and what the menus call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor import commands, files
from editor.background import Background
from editor.document import Document
from editor.files import ExportOptions, Opened
from editor.jobs import AttributeInfo, AttributeSession, VariationSession
from editor.layer import Layer, Node
from editor.recipes import Recipe, Subject
from editor.settings import Settings
from editor.wording import quoted
from inference.errors import EditorError
from inference.operations import Generate, SamplingParameters
from inference.request import Request, Result
from inference.service import InferenceService, Job
from inference.words import find_subject

if TYPE_CHECKING:
    from inference.deltas import DeltaLibrary
    from inference.models import Catalogue

__all__ = ["Application", "ExportOptions"]

SAMPLE_PROMPT = "a photo of a man and a woman on the beach"

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
        self._sessions: dict[tuple[Document, str], AttributeSession] = {}
        self._session: AttributeSession | None = None
        self._variations: dict[Document, VariationSession] = {}
        self._new_pictures: dict[Job, tuple[Subject, ...]] = {}
        self._attributes: dict[tuple[str, str], tuple[AttributeInfo, ...]] = {}
        self._background = Background(self)
        service.job_finished.connect(self._on_job_finished)
        service.job_failed.connect(self._on_job_failed)
        service.job_cancelled.connect(self._on_job_cancelled)
        service.job_queued.connect(self._on_jobs_changed)
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
        self.variations_changed.emit(self.variations)
        self._update_session()
        self.enabled_changed.emit()

    @property
    def session(self) -> AttributeSession | None:
        """The sliders of the current document's recipe layer, or None."""
        return self._session

    @property
    def variations(self) -> VariationSession | None:
        """The variations last asked for in the current document, or None."""
        return self._variations.get(self._current) if self._current is not None else None

    @property
    def background(self) -> Background:
        return self._background

    def start(self, paths: list[Path]) -> None:
        """What happens once the window is on the screen: open files, or the sample; load the model."""
        if self.settings.problem:
            self.message.emit(self.settings.problem, "", "warning")
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
            self._check_new(parameters, model)
        except EditorError as error:
            self.report(error)
            return None
        request = Request(operation="generate", parameters=parameters, model=model)
        job = self.service.submit(
            request, label=translate("Application", "New picture") + f": {parameters.prompt}"
        )
        self._new_pictures[job] = subjects
        return job

    def open_file(self, path: Path) -> None:
        """Read a picture or project on another thread; a document opens, or a message says why not."""
        path = Path(path).absolute()
        already = next((document for document in self._documents if document.path == path), None)
        if already is not None:
            self.set_current(already)
            return

        def done(opened: Opened) -> None:
            self._on_opened(path, opened)

        text = translate("Application", "Opening {name}…").format(name=path.name)
        self._in_background(text, lambda: files.open_file(path), done)

    def open_sample(self, only_if_empty: bool = False) -> None:
        """Open the picture that comes with the application; make one where it is not installed."""
        sample = files.sample_picture()
        if sample is not None:

            def done(opened: Opened) -> None:
                if not (only_if_empty and self._documents):  # something was opened meanwhile
                    self._on_sample_opened(opened)

            self._in_background("", lambda: files.open_file(sample), done)
            return
        spans = (find_subject(SAMPLE_PROMPT, word) for word in ("man", "woman"))
        subjects = tuple(
            Subject(start=start, end=end, text=SAMPLE_PROMPT[start:end], colour_index=index)
            for index, (start, end) in enumerate(spans)
        )
        self.new_from_prompt(Generate(prompt=SAMPLE_PROMPT, seed=7), self.settings.get("model"), subjects)

    def save(self, document: Document, path: Path, then: Callable[[], object] | None = None) -> None:
        """Write the project (.ora); the document is unmodified when that is done, then `then` is called."""
        path = Path(path).absolute()
        state = document.state

        def done(_: object) -> None:
            self._remember(path)
            if document not in self._documents:  # closed while it was written
                return
            document.set_path(path)
            if document.state.layers == state.layers:  # not edited meanwhile: layers compare by identity
                document.undo_stack.setClean()
            self.saved.emit(document, path)
            if then is not None:
                then()

        text = translate("Application", "Saving {name}…").format(name=path.name)
        source = document.source
        self._in_background(text, lambda: files.save_project(state, source, path), done)

    def export(self, document: Document, path: Path, options: ExportOptions) -> None:
        """Write the visible picture as PNG, JPEG or WebP on another thread."""
        path = Path(path).absolute()
        state, source = document.state, document.source

        def done(_: object) -> None:
            self.exported.emit(document, path)
            text = translate("Application", "Exported {name}.").format(name=path.name)
            self.message.emit(text, "", "info")

        text = translate("Application", "Exporting {name}…").format(name=path.name)
        self._in_background(text, lambda: files.export_picture(state, source, path, options), done)

    def close(self, document: Document) -> None:
        """Close a document without asking; whoever calls has asked about unsaved changes."""
        index = self._documents.index(document)
        for key in [key for key in self._sessions if key[0] is document]:
            session = self._sessions.pop(key)
            session.close()
            session.deleteLater()
        variations = self._variations.pop(document, None)
        if variations is not None:
            variations.close()
            variations.deleteLater()
        self._documents.remove(document)
        if document is self._current:
            rest = self._documents
            self.set_current(rest[min(index, len(rest) - 1)] if rest else None)
        self.document_closed.emit(document)
        document.deleteLater()

    def shutdown(self) -> None:
        """Stop everything; call it once, when the window closes."""
        for session in self._sessions.values():
            session.close()
        self._background.wait()
        self.service.shutdown()
        with suppress(EditorError):  # a read-only folder: nothing else is lost
            self.settings.save()

    # what the actions call; each works on the current document

    def holds(self, condition: str) -> bool:
        """Whether a condition of actions.py holds now."""
        return _CONDITIONS[condition](self)

    def undo(self) -> None:
        if self._session is not None and self._session.busy:
            self._session.discard()  # the change that is still being computed is the last step
        elif self._current is not None:
            self._current.undo_stack.undo()

    def redo(self) -> None:
        if self._current is not None:
            self._current.undo_stack.redo()

    def duplicate_layer(self) -> None:
        self._on_active(lambda document, layer: commands.DuplicateLayer(document, layer.id))

    def delete_layer(self) -> None:
        self._on_active(lambda document, layer: commands.RemoveLayer(document, layer.id))

    def toggle_layer(self) -> None:
        self._on_active(
            lambda document, layer: commands.SetLayerProperty(
                document, layer.id, "visible", not layer.visible
            )
        )

    def raise_layer(self) -> None:
        self._move_active(+1)

    def lower_layer(self) -> None:
        self._move_active(-1)

    def edit_recipe(self) -> None:
        """Show the sliders of the active layer (double-click on it)."""
        self._update_session()
        if self._session is not None:
            self.recipe_requested.emit(self._session)

    def select_layer_above(self) -> None:
        self._select_beside(+1)

    def select_layer_below(self) -> None:
        self._select_beside(-1)

    def make_variations(self) -> None:
        document = self._current
        layer = document.recipe_layer if document is not None else None
        if document is None or layer is None:
            return
        old = self._variations.pop(document, None)
        if old is not None:
            old.close()
            old.deleteLater()
        try:
            session = VariationSession(document, layer.id, self.service, self)
        except EditorError as error:
            self.report(error)
            return
        session.failed.connect(self.report)
        self._variations[document] = session
        self.variations_changed.emit(session)
        session.start(self.settings.get("variations"))

    def reset_sliders(self) -> None:
        if self._session is not None:
            self._session.reset()

    def cancel_jobs(self) -> None:
        self.service.cancel_all()

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

    def attributes(self, model: str, subject: str) -> tuple[AttributeInfo, ...]:
        """What the library has for a model's subject; nothing for an unknown model."""
        key = (model, subject)
        if key not in self._attributes:
            self._attributes[key] = self._listed_attributes(model, subject)
        return self._attributes[key]

    def forget_attributes(self) -> None:
        """Ask the library anew: deltas or models were added or removed."""
        self._attributes.clear()
        if self._session is not None:
            self._session.sliders_changed.emit()

    # inside

    def _listed_attributes(self, model: str, subject: str) -> tuple[AttributeInfo, ...]:
        try:
            entry = self.catalogue.find(model)
            infos = self.library.attributes(entry, subject)
        except EditorError:
            return ()
        return tuple(
            AttributeInfo(attribute=i.attribute, label=i.label, minimum=i.range[0], maximum=i.range[1])
            for i in infos
        )

    def _check_new(self, parameters: SamplingParameters, model: str) -> None:
        if not parameters.prompt.strip():
            raise EditorError("The prompt is empty.", "Say in words what the picture shows.")
        self.catalogue.find(model)

    def _add(self, document: Document) -> None:
        document.undo_memory_bytes = self.settings.get("undo_memory_mib") * 2**20
        stack = document.undo_stack
        for signal in (
            stack.canUndoChanged,
            stack.canRedoChanged,
            document.layers_changed,
            document.active_changed,
        ):
            signal.connect(self._on_something_changed)
        document.history_dropped.connect(self._on_history_dropped)
        document.active_changed.connect(self._on_recipe_layer_changed)
        document.layers_changed.connect(self._on_recipe_layer_changed)
        self._documents.append(document)
        self.document_opened.emit(document)
        self.set_current(document)

    def _update_session(self) -> None:
        session = self._session_of_current()
        if session is self._session:
            return
        if self._session is not None:
            self._session.set_precompute(False)
            self._session.busy_changed.disconnect(self._on_something_changed)
        self._session = session
        if session is not None:
            session.busy_changed.connect(self._on_something_changed)
            session.set_precompute(self.settings.get("precompute"))
        self.session_changed.emit(session)

    def _session_of_current(self) -> AttributeSession | None:
        document = self._current
        layer = document.recipe_layer if document is not None else None
        if document is None or layer is None:
            return None
        key = (document, layer.id)
        if key not in self._sessions:
            try:
                session = AttributeSession(document, layer.id, self.service, self.attributes, self)
            except EditorError:
                return None
            session.failed.connect(self.report)
            self._sessions[key] = session
        return self._sessions[key]

    def _forget_sessions_of_gone_layers(self) -> None:
        alive = {(document, layer.id) for document in self._documents for layer in document.state.rasters()}
        for key in set(self._sessions) - alive:
            session = self._sessions.pop(key)
            session.close()
            session.deleteLater()

    def _in_background(self, text: str, work: Callable[[], object], done: Callable[..., None]) -> None:
        self.busy_changed.emit(text)

        def finished(result: object) -> None:
            self.busy_changed.emit("")
            done(result)

        def failed(error: EditorError) -> None:
            self.busy_changed.emit("")
            self.report(error)

        self._background.run(work, finished, failed)

    def _on_opened(self, path: Path, opened: Opened) -> None:
        # a picture is opened as a copy to work on; only a project is saved back to its own file
        # (a project of another program whose features we lack is a copy too: saving would flatten it)
        is_ours = opened.is_project and not opened.notes
        document = Document(opened.state, title=path.name, path=path if is_ours else None)
        document.source = opened.source
        if opened.notes:
            self.message.emit("\n".join(opened.notes), "", "warning")
        self._remember(path)
        self._add(document)

    def _on_sample_opened(self, opened: Opened) -> None:
        document = Document(opened.state, title=translate("Application", "Sample picture"))
        self._add(document)

    def _remember(self, path: Path) -> None:
        try:
            self.settings.add_recent_file(path)
        except EditorError as error:
            self.message.emit(error.message, error.hint, "warning")

    def _on_active(self, make: Callable[[Document, Node], commands.Command]) -> None:
        document = self._current
        layer = document.active_node if document is not None else None
        if document is not None and layer is not None:
            self.run(lambda: make(document, layer))

    def _move_active(self, by: int) -> None:
        document = self._current
        layer = document.active_node if document is not None else None
        if document is None or layer is None:
            return
        index = document.state.index(layer.id) + by
        if 0 <= index < len(document.state.siblings(layer.id)):
            self.run(lambda: commands.ReorderLayer(document, layer.id, index))

    def _select_beside(self, by: int) -> None:
        document = self._current
        if document is None or document.active_node is None:
            return
        nodes = list(document.state.nodes())
        index = nodes.index(document.active_node) + by
        if 0 <= index < len(nodes):
            document.set_active(nodes[index].id)

    def _on_job_finished(self, job: Job, result: Result) -> None:
        self._on_jobs_changed(job)
        subjects = self._new_pictures.pop(job, None)
        if subjects is None:
            return
        recipe = Recipe(request=result.request, subjects=subjects)
        title = quoted(recipe.prompt, 32).strip("“”")
        layer = Layer.of_pixels(
            name=translate("Application", "Generated"),
            pixels=result.images[0],
            recipe=recipe,
            maps=result.maps,
        )
        document = Document.from_layer(layer, title=title)
        document.undo_stack.resetClean()  # it is in no file yet
        self._add(document)
        for note in result.notes:
            self.message.emit(note, "", "info")

    def _on_job_failed(self, job: Job, error: EditorError) -> None:
        self._on_jobs_changed(job)
        if self._new_pictures.pop(job, None) is not None:
            self.report(error)

    def _on_job_cancelled(self, job: Job) -> None:
        self._on_jobs_changed(job)
        self._new_pictures.pop(job, None)

    def _on_jobs_changed(self, job: Job) -> None:
        self.enabled_changed.emit()

    def _on_something_changed(self) -> None:
        self.enabled_changed.emit()

    def _on_recipe_layer_changed(self) -> None:
        self._update_session()
        self._forget_sessions_of_gone_layers()

    def _on_history_dropped(self, count: int) -> None:
        text = translate("Application", "The {count} oldest steps left the history to save memory.")
        hint = translate("Application", "Settings › Memory for undo.")
        self.message.emit(text.format(count=count), hint, "info")

    def _on_setting_changed(self, name: str) -> None:
        if name == "precompute" and self._session is not None:
            self._session.set_precompute(self.settings.get("precompute"))
        if name == "undo_memory_mib":
            for document in self._documents:
                document.undo_memory_bytes = self.settings.get("undo_memory_mib") * 2**20


def condition_names() -> tuple[str, ...]:
    """The conditions that `Application.holds` knows."""
    return tuple(_CONDITIONS)


def _has_recipe(application: Application) -> bool:
    document = application.current
    return document is not None and document.recipe_layer is not None


def _can_undo(application: Application) -> bool:
    session = application.session
    return (session is not None and session.busy) or _stack_can("canUndo")(application)


def _stack_can(name: str) -> Callable[[Application], bool]:
    def holds(application: Application) -> bool:
        document = application.current
        return document is not None and bool(getattr(document.undo_stack, name)())

    return holds


_CONDITIONS: dict[str, Callable[[Application], bool]] = {
    "always": lambda application: True,
    "document": lambda application: application.current is not None,
    "layer": lambda application: (
        application.current is not None and application.current.active_node is not None
    ),
    "layers": lambda application: application.current is not None and len(application.current.layers) > 1,
    "recipe": _has_recipe,
    "can_undo": _can_undo,
    "can_redo": _stack_can("canRedo"),
    "jobs": lambda application: bool(application.service.jobs()),
}
