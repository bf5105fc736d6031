"""Translate: a picture re-rendered from a new text; the controller "translation"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, Signal

from editor.commands import ReplaceState
from editor.controllers.base import Controller
from editor.controllers.operations import Operations
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.formats.files import ExportOptions, export_picture
from editor.generating.asking import Asked, asked_anew, asked_beside, raster_for, with_layer
from editor.generating.kept_features import denoiser_of, kept_bytes
from editor.generating.seen import seen_pictures, sheet
from editor.generating.translation_sheet import Spot, TranslationSheet
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.arithmetic import to_rgba
from editor.pixels.raster import Raster
from editor.sliders.strengths import StrengthSession, translated_recipe
from inference.content import Picture
from inference.errors import EditorError
from inference.models import Catalogue, ModelEntry
from inference.operations import OPERATIONS, See, Translate
from inference.parameters import Parameters
from inference.prompts.words import find_subject
from inference.request import Request, Result
from inference.service import Job

translate = QCoreApplication.translate

TRANSLATE = "translate"
_NO_PICTURE = Picture("0" * 64)  # only the numbers matter


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What the model saw: pictures [rows, columns, 3] by step and place, and the picture it looked at."""

    pictures: Mapping[int, Mapping[str, NDArray[np.uint8]]]


class Translation(Controller):
    """What the Translate panel calls: a first picture, its sliders, a sheet, and what the model sees."""

    session_changed = Signal(object)  # StrengthSession of the active layer, or None
    busy_changed = Signal(bool)
    seen = Signal(object)  # Looked
    looking_changed = Signal(bool)
    memory_known = Signal()  # ask `memory` again

    def __init__(self, shell: Shell, operations: Operations, catalogue: Catalogue) -> None:
        super().__init__(shell)
        self._operations = operations
        self._catalogue = catalogue
        self._denoisers: dict[str, tuple[ModelEntry, Mapping[str, Any]] | None] = {}
        self._session: StrengthSession | None = None
        self._document: Document | None = None
        self._looking: Job | None = None
        operations.busy_changed.connect(self.busy_changed)
        shell.current_changed.connect(self._follow_document)
        shell.document_closing.connect(self._on_closing)
        shell.settings.changed.connect(self._on_setting)
        self._follow_document(shell.current)

    @property
    def session(self) -> StrengthSession | None:
        """The sliders of the active layer, if a translation made it."""
        return self._session

    @property
    def recipe(self) -> Recipe | None:
        """The active layer's recipe, if a translation made it."""
        return self._operations.recipe_of(OPERATIONS[TRANSLATE])

    @property
    def busy(self) -> bool:
        return self._operations.busy

    @property
    def looking(self) -> bool:
        return self._looking is not None

    def start(self, values: Mapping[str, Any], *, again: bool = False) -> None:
        """Translate with a form's values; `again` makes the active layer again with them."""
        self._operations.start(TRANSLATE, values, self._model(), again=again)

    def memory(self, values: Mapping[str, Any]) -> int | None:
        """Bytes that a translation with a form's values will keep of the picture; None if nobody knows yet.

        The model's files are read beside the GUI thread; `memory_known` tells when that is done.
        """
        model = self._model()
        if model not in self._denoisers:
            self._denoisers[model] = None
            self._shell.background.run(
                lambda: self._read_denoiser(model),
                lambda found: self._on_denoiser(model, found),
                lambda _: None,
            )
        known = self._denoisers[model]
        if known is None:
            return None
        names = {"structure", "appearance", "way", "steps"}
        given = {name: value for name, value in values.items() if name in names}
        settings = self._shell.settings
        device, dtype = str(settings.get("device")), str(settings.get("dtype"))
        parameters = Translate(image=_NO_PICTURE, **given)
        return kept_bytes(*known, parameters, device=device, dtype=dtype)

    def mask(self) -> NDArray[np.float32] | None:
        """Where the model saw the subject of the active layer's translation: [h, w] in 0..1."""
        session = self._session
        if session is None:
            return None
        layer = session.document.layer(session.layer_id)
        parameters = translated_recipe(session.document, session.layer_id).request.parameters
        words = parameters.subject.strip() if isinstance(parameters, Translate) else ""
        if not words:
            return None
        try:
            start, end = find_subject(str(getattr(parameters, "prompt", "")), words)
        except EditorError:
            return None
        return layer.maps.get(f"attention/{start}-{end}")

    def sheet(self, values: Mapping[str, Any], done: Callable[[TranslationSheet, Asked], None]) -> None:
        """Make a contact sheet of the picture that a form's values name; `done` gets it, and its place."""
        self._prepared(
            Translate,
            values,
            lambda request, asked: done(
                TranslationSheet(request, asked.contents, self._shell.service, self), asked
            ),
        )

    def place(self, document: Document, made: TranslationSheet, spot: Spot, asked: Asked) -> None:
        """A picture of a sheet as a layer with its recipe, where the picture was."""
        picture = made.cell(spot)
        if picture is None or picture.result is None:
            return
        result = picture.result
        recipe = replace(made.recipe(spot), from_below=asked.from_below)
        text = translate("Operations", OPERATIONS[TRANSLATE].label)

        def put(raster: Raster) -> None:
            if document not in self._shell.documents:
                return
            self._shell.run(
                lambda: ReplaceState(
                    document, with_layer(document.state, asked, result, raster, recipe, text), text
                )
            )

        self._shell.background.run(lambda: raster_for(asked, result), put, self._shell.report)

    # what the model sees

    def look(self, values: Mapping[str, Any]) -> None:
        """Ask what the model sees in the picture that a form's values name; `seen` brings it."""
        if self._looking is not None:
            return

        def submit(request: Request, asked: Asked) -> None:
            self._looking = self._shell.service.submit(
                request,
                asked.contents,
                label=translate("Operations", OPERATIONS["see"].label),
                owner=self,
                done=self._on_seen,
                failed=self._on_not_seen,
                stopped=self._on_looked,
            )
            self.looking_changed.emit(True)

        self._prepared(See, values, submit)

    def export_seen(self, looked: Looked, path: Path) -> None:
        """Write all of it as one picture: places down, steps across."""
        target = path.with_suffix(".png")

        def write() -> None:
            shown = DocumentState.of_layer(Layer.of_pixels(to_rgba(sheet(looked.pictures)), name="seen"))
            export_picture(shown, SourceMetadata(), target, ExportOptions(format="png"))

        def done(_: object) -> None:
            text = translate("Refinement", "Exported {name}.").format(name=target.name)
            self._shell.message.emit(text, "", "info")

        self._shell.background.run(write, done, self._shell.report, kept=True)

    def _on_seen(self, job: Job, result: Result) -> None:
        self._on_looked(job)
        self.seen.emit(Looked(pictures=seen_pictures(result.maps)))

    def _on_not_seen(self, job: Job, error: EditorError) -> None:
        self._on_looked(job)
        self._shell.report(error)

    def _on_looked(self, job: Job) -> None:
        if job is self._looking:
            self._looking = None
            self.looking_changed.emit(False)

    # requests

    def _read_denoiser(self, model: str) -> tuple[ModelEntry, Mapping[str, Any]] | None:
        entry = self._catalogue.find(model)
        denoiser = denoiser_of(entry)
        return None if denoiser is None else (entry, denoiser)

    def _on_denoiser(self, model: str, found: tuple[ModelEntry, Mapping[str, Any]] | None) -> None:
        self._denoisers[model] = found
        self.memory_known.emit()

    def _model(self) -> str:
        return self._shell.settings.get("model")

    def _prepared(
        self, kind: type[Parameters], values: Mapping[str, Any], use: Callable[[Request, Asked], None]
    ) -> None:
        """A request with the contents that it names, made beside the GUI thread."""
        document = self.document
        if document is None:
            return
        operation = OPERATIONS[TRANSLATE if kind is Translate else "see"]
        names = {item.name for item in kind.declared()}
        given: dict[str, Any] = {name: value for name, value in values.items() if name in names}
        state, model = document.state, self._model()
        given["loras"] = self._shell.loras_for(model)
        node = self.active
        layer = node if self.recipe is not None and isinstance(node, Layer) else None

        def asked() -> tuple[Request, Asked]:
            if layer is None:
                return asked_anew(state, operation, given, model)
            return asked_beside(state, layer, operation, given)  # not from the translation itself

        self._shell.background.run(asked, lambda found: use(*found), self._shell.report)

    # the active layer

    def _follow_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.disconnect(self)
        self._document = document
        if document is not None:
            document.active_changed.connect(self._follow)
            document.layers_changed.connect(self._follow)
            document.layer_changed.connect(self._follow)
        self._follow()

    def _on_closing(self, document: Document) -> None:
        if document is self._document:
            self._follow_document(None)

    def _on_setting(self, name: str) -> None:
        if name in ("model", "device", "dtype"):
            self.memory_known.emit()
        if name == "precompute" and self._session is not None:
            self._session.set_precompute(bool(self._shell.settings.get("precompute")))

    def _follow(self) -> None:
        """Have the sliders of the layer that is active."""
        document, node = self._document, self.active
        recipe = self.recipe
        wanted = node.id if recipe is not None and isinstance(node, Layer) else ""
        current = self._session
        if current is not None and current.document is document and current.layer_id == wanted:
            return
        if current is not None:
            current.close()
            current.deleteLater()
            self._session = None
        if document is not None and wanted:
            self._session = StrengthSession(document, wanted, self._shell.service, self)
            self._session.failed.connect(self._shell.report)
            self._session.set_precompute(bool(self._shell.settings.get("precompute")))
        if current is not self._session:
            self.session_changed.emit(self._session)
