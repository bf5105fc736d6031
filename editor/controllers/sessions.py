"""The sliders and variations of the open documents: the controller "sessions"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.sliders.session import AttributeInfo, AttributeSession, VariationSession
from editor.words.said import said
from editor.words.wording import attribute_label
from inference.errors import EditorError
from inference.messages import Message

if TYPE_CHECKING:
    from inference.deltas import DeltaLibrary
    from inference.models import Catalogue

translate = QCoreApplication.translate


class Sessions(Controller):
    """One `AttributeSession` for each layer that was worked on, one `VariationSession` a document."""

    changed = Signal(object)  # AttributeSession of the current document's recipe layer, or None
    variations_changed = Signal(object)  # VariationSession of the current document, or None
    recipe_requested = Signal(object)  # AttributeSession whose sliders the user asked for
    busy_changed = Signal()  # whether the current session computes a change

    def __init__(self, shell: Shell, catalogue: Catalogue, library: DeltaLibrary) -> None:
        super().__init__(shell)
        self._catalogue = catalogue
        self._library = library
        self._sessions: dict[tuple[Document, str], AttributeSession] = {}
        self._current: AttributeSession | None = None
        self._variations: dict[Document, VariationSession] = {}
        self._attributes: dict[tuple[str, str], tuple[AttributeInfo, ...]] = {}
        shell.settings.changed.connect(self._on_setting_changed)
        shell.models_changed.connect(self.forget_attributes)
        shell.document_opened.connect(self._follow)
        shell.document_closing.connect(self._forget)
        shell.current_changed.connect(self._show_document)

    @property
    def current(self) -> AttributeSession | None:
        """The sliders of the current document's recipe layer, or None."""
        return self._current

    @property
    def variations(self) -> VariationSession | None:
        """The variations last asked for in the current document, or None."""
        return self._variations.get(self.document) if self.document is not None else None

    def _follow(self, document: Document) -> None:
        """Keep the sessions of a document that was opened in step with its layers."""
        document.active_changed.connect(self._on_recipe_layer_changed)
        document.layers_changed.connect(self._on_recipe_layer_changed)

    def _show_document(self) -> None:
        """Another document is the current one."""
        self.variations_changed.emit(self.variations)
        self._update()

    def _forget(self, document: Document) -> None:
        """End everything of a document that closes."""
        self._end([key for key in self._sessions if key[0] is document])
        self._end_variations(document)

    def close(self) -> None:
        """End all work, before the application ends."""
        for session in self._sessions.values():
            session.close()

    # what the actions call

    def edit_recipe(self) -> None:
        """Show the sliders of the active layer (double-click on it)."""
        self._update()
        if self._current is not None:
            self.recipe_requested.emit(self._current)

    def make_variations(self) -> None:
        document = self.document
        layer = document.recipe_layer if document is not None else None
        if document is None or layer is None:
            return
        self._end_variations(document)
        try:
            session = VariationSession(document, layer.id, self._shell.service, self)
        except EditorError as error:
            self._shell.report(error)
            return
        session.failed.connect(self._shell.report)
        self._variations[document] = session
        self.variations_changed.emit(session)
        session.start(self._shell.settings.get("variations"))

    def reset_sliders(self) -> None:
        if self._current is not None:
            self._current.reset()

    # what the sliders can be made of

    def attributes(self, model: str, subject: str) -> tuple[AttributeInfo, ...]:
        """What the library has for a model's subject; nothing for an unknown model."""
        key = (model, subject)
        if key not in self._attributes:
            self._attributes[key] = self._listed_attributes(model, subject)
        return self._attributes[key]

    def forget_attributes(self) -> None:
        """Ask the library anew: deltas or models were added or removed."""
        self._attributes.clear()
        for session in self._sessions.values():
            session.forget_pictures()

    def offer_new_attributes(self) -> None:
        """A delta was added to those there were: what is drawn stays."""
        self._attributes.clear()
        for session in self._sessions.values():
            session.sliders_changed.emit()

    def _listed_attributes(self, model: str, subject: str) -> tuple[AttributeInfo, ...]:
        try:
            entry = self._catalogue.find(model)
            infos = self._library.attributes(entry, subject)
        except EditorError:
            return ()
        return tuple(
            AttributeInfo(
                attribute=i.attribute, label=attribute_label(i.label), minimum=i.range[0], maximum=i.range[1]
            )
            for i in infos
        )

    # inside

    def _update(self) -> None:
        session = self._of_current_document()
        if session is self._current:
            return
        # in place first: what the end of a gesture changes asks for the session again
        old, self._current = self._current, session
        if old is not None:
            old.busy_changed.disconnect(self._on_busy_changed)
            if old in self._sessions.values():  # else it is closed already
                if old.document.state.find(old.layer_id) is not None:
                    old.finish_gesture()
                old.set_precompute(False)
        if session is not None:
            session.busy_changed.connect(self._on_busy_changed)
            session.set_precompute(self._shell.settings.get("precompute"))
        self.changed.emit(session)

    def _of_current_document(self) -> AttributeSession | None:
        document = self.document
        layer = document.recipe_layer if document is not None else None
        if document is None or layer is None:
            return None
        key = (document, layer.id)
        if key not in self._sessions:
            try:
                session = AttributeSession(document, layer.id, self._shell.service, self.attributes, self)
            except EditorError:
                return None
            session.failed.connect(self._shell.report)
            session.noted.connect(self._on_noted)
            self._sessions[key] = session
        return self._sessions[key]

    def _on_noted(self, note: Message) -> None:
        self._shell.message.emit(said(note), "", "warning")

    def _on_busy_changed(self) -> None:
        self.busy_changed.emit()

    def _on_recipe_layer_changed(self) -> None:
        self._tell_if_painted()
        self._update()
        documents = self._shell.documents
        alive = {(document, layer.id) for document in documents for layer in document.state.rasters()}
        self._end(list(set(self._sessions) - alive))

    def _tell_if_painted(self) -> None:
        """Sliders that went with a stroke or a fill come back by undoing it."""
        current = self._current
        layer = current.document.state.find(current.layer_id) if current is not None else None
        if layer is not None and layer.recipe is None:
            text = translate(
                "Sessions", "“{name}” was changed by hand: its sliders are gone until you undo it."
            )
            hint = translate("Sessions", "Paint on a new layer to keep them.")
            self._shell.message.emit(text.format(name=layer.name), hint, "info")

    def _on_setting_changed(self, name: str) -> None:
        if name == "precompute" and self._current is not None:
            self._current.set_precompute(self._shell.settings.get("precompute"))

    def _end(self, keys: list[tuple[Document, str]]) -> None:
        for key in keys:
            session = self._sessions.pop(key)
            session.close()
            session.deleteLater()

    def _end_variations(self, document: Document) -> None:
        variations = self._variations.pop(document, None)
        if variations is not None:
            variations.close()
            variations.deleteLater()
