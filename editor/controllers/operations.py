"""Any declared operation on the current document: the controller "operations"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, Signal

from editor.commands import Command, ReplaceLayerResult, ReplaceState, place_result
from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.generating.asking import (
    Asked,
    Given,
    Source,
    asked_again,
    asked_anew,
    is_as_made,
    larger_document,
    place_again,
    plain_values,
    raster_for,
    with_layer,
)
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.pixels.raster import Raster
from editor.words.said import said
from inference.errors import EditorError
from inference.operations import OPERATIONS, Operation
from inference.request import Request, Result
from inference.service import Job

__all__ = ["Given", "Operations", "Source"]

translate = QCoreApplication.translate


class Operations(Controller):
    """Runs operations with the values of a form; a picture that comes becomes a layer with its recipe."""

    busy_changed = Signal(bool)
    made = Signal(object, str)  # Document, id of the layer that shows the result

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._jobs: dict[Job, Document] = {}
        shell.document_closing.connect(self._on_closing)

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def recipe_of(self, operation: Operation) -> Recipe | None:
        """The active layer's recipe, if that operation made it: its form then makes the layer again."""
        layer = self.active
        recipe = layer.recipe if isinstance(layer, Layer) else None
        return recipe if recipe is not None and recipe.request.operation == operation.name else None

    def describe(self, prompt: str) -> None:
        """Make a layer with sliders above the visible picture, of which `prompt` says what it shows."""
        self.start("edit", {"prompt": prompt, "image": Given.DOCUMENT}, self._shell.settings.get("model"))

    def start(self, name: str, values: Mapping[str, Any], model: str, *, again: bool = False) -> None:
        """Run an operation; `values` are the form's, pictures and masks as `Source`.

        `again` makes the active layer again, with the pictures and the model that its recipe holds.
        """
        document, operation = self.document, OPERATIONS[name]
        if document is None:
            return
        layer_id = document.state.active
        if not again or self.recipe_of(operation) is None:
            self._ask(document, operation, {**values, "loras": self._shell.loras_for(model)}, model)
        else:
            self._ask_again(document, layer_id, plain_values(operation, values))

    def make_again(self, layer_id: str) -> None:
        """Make a layer again that was made from the picture below it, from what shows there now."""
        if self.document is not None:
            self._ask_again(self.document, layer_id, {}, anew=True)

    def _ask(self, document: Document, operation: Operation, values: Mapping[str, Any], model: str) -> None:
        state = document.state
        self._prepare(
            document,
            lambda: asked_anew(state, operation, values, model),
            lambda: self._ask(document, operation, values, model),
        )

    def _ask_again(
        self, document: Document, layer_id: str, values: Mapping[str, Any], *, anew: bool = False
    ) -> None:
        """The layer with other values, from the picture of its recipe, or `anew` from the one below it."""
        state = document.state
        if state.find(layer_id) is not None:
            self._prepare(
                document,
                lambda: asked_again(state, state.layer(layer_id), values, anew=anew),
                lambda: self._ask_again(document, layer_id, values, anew=True),
            )

    def _prepare(
        self,
        document: Document,
        prepare: Callable[[], tuple[Request, Asked]],
        repeat: Callable[[], None],
    ) -> None:
        """Read what the request is made of beside the GUI thread, and submit it.

        `repeat` asks once more, if its result no longer fits.
        """

        def submit(prepared: tuple[Request, Asked]) -> None:
            request, asked = prepared
            if document not in self._shell.documents:
                return
            job = self._shell.service.submit(
                request,
                asked.contents,
                label=translate("Operations", asked.operation.label),
                owner=self,
                done=lambda job, result: self._on_done(job, document, asked, result, repeat),
                failed=self._on_failed,
                stopped=self._forget,
            )
            self._jobs[job] = document
            self.busy_changed.emit(True)

        self._shell.background.run(prepare, submit, self._shell.report)

    def _on_done(
        self, job: Job, document: Document, asked: Asked, result: Result, repeat: Callable[[], None]
    ) -> None:
        def done(raster: Raster) -> None:
            self._forget(job)
            if document not in self._shell.documents:
                return
            if asked.operation.enlarges and not asked.layer_id:
                self._open(document, asked, result, raster)
                return
            state = document.state
            if (state.frame.canvas, state.icc_profile) == (asked.frame.canvas, asked.profile):
                self._place(document, asked, result, raster)
                return
            self._tell_made_again()
            repeat()

        def failed(error: EditorError) -> None:
            self._forget(job)
            self._shell.report(error)

        self._shell.background.run(lambda: raster_for(asked, result), done, failed)

    def _open(self, document: Document, asked: Asked, result: Result, raster: Raster) -> None:
        """A larger picture does not fit into the document that it is of: it is one of its own."""
        recipe = Recipe.of(result, asked.contents)
        text = translate("Operations", asked.operation.label)
        state = larger_document(asked, result, raster, recipe, text)
        factor = getattr(result.request.parameters, "factor", 1.0)
        title = f"{Path(document.title).stem} {factor:g}×"
        # what a file says of it: whether it was a photo, or all of it a model's
        photo = document.source.photo or any(
            layer.visible and layer.recipe is None for layer in document.state.rasters()
        )
        made = Document(state, title=title, source=replace(document.source, photo=photo), is_new=True)
        made.undo_stack.resetClean()  # it is in no file yet
        self._shell.add_document(made)
        self._tell_notes(result)

    def _tell_notes(self, result: Result) -> None:
        for note in result.notes:
            self._shell.message.emit(said(note), "", "warning")

    def _place(self, document: Document, asked: Asked, result: Result, raster: Raster) -> None:
        before = document.state
        recipe = replace(Recipe.of(result, asked.contents), from_below=asked.from_below)
        text = translate("Operations", asked.operation.label)

        def make() -> Command:
            if not is_as_made(before, asked.layer_id):
                return ReplaceState(document, with_layer(before, asked, result, raster, recipe, text), text)
            old = before.layer(asked.layer_id)
            made = replace(recipe, subjects=old.recipe.subjects if old.recipe is not None else ())
            if not asked.from_below:
                return place_result(document, old.id, raster, made, text, maps=result.maps)
            place = place_again(old, asked.area, asked.frame, before)
            return ReplaceLayerResult(document, old.id, raster, made, text, result.maps, place)

        self._shell.run(make)
        if document.state is not before:
            self.made.emit(document, document.state.active)
        self._tell_notes(result)

    def _on_failed(self, job: Job, error: EditorError) -> None:
        self._forget(job)
        self._shell.report(error)

    def _on_closing(self, document: Document) -> None:
        for job in [job for job, asked in self._jobs.items() if asked is document]:
            self._shell.service.cancel(job)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job, None)
        self.busy_changed.emit(self.busy)
