"""Any declared operation on the current document: the controller "operations"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from PySide6.QtCore import QCoreApplication, Signal

from editor.colour.conversion import from_srgb
from editor.commands import Command, ReplaceState, place_result
from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.edits.tree import added
from editor.generating.contents import mask_of, read_content, visible
from editor.generating.region import region_of, selected
from editor.layers.layer import Layer
from editor.layers.layer import Mask as LayerMask
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.pixels.arithmetic import to_rgba
from editor.pixels.raster import Area
from editor.rendering.compositing import composite
from editor.words.said import said
from inference.content import Content, Mask, content_hash
from inference.errors import EditorError
from inference.kinds import content_type
from inference.operations import OPERATIONS, Operation
from inference.parameters import ParameterField
from inference.request import Pixels, Request, Result
from inference.service import Job

translate = QCoreApplication.translate


class Given(Enum):
    """Where a form takes a picture or mask from, beside a file."""

    DOCUMENT = "document"  # what is visible
    LAYER = "layer"  # the active layer's own pixels
    SELECTION = "selection"
    NOTHING = "nothing"


Source: TypeAlias = Given | Path


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a job is for; `layer_id` is the layer that it makes again, or "" for a new one.

    `selection` is that of the moment of asking: what is selected later is for something else.
    """

    document: Document
    operation: Operation
    contents: Mapping[str, Any]
    place: tuple[int, int]
    layer_id: str
    selection: LayerMask | None


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
        known = self.recipe_of(operation) if again else None
        state = document.state
        layer_id = state.active if known is not None else ""

        def prepare() -> tuple[Request, _Asked]:
            if known is not None:
                parameters = replace(known.request.parameters, **_plain(operation, values))
                request = replace(known.request, parameters=parameters, model_hash="")
                contents, place, selection = dict(known.contents), (0, 0), None  # it stays where it is
            else:
                given, contents, place = _read(operation, values, state)
                request = Request(operation=name, parameters=operation.parameters(**given), model=model)
                selection = state.selection if selected(state) is not None else None
            return request, _Asked(
                document=document,
                operation=operation,
                contents=contents,
                place=place,
                layer_id=layer_id,
                selection=selection,
            )

        def submit(prepared: tuple[Request, _Asked]) -> None:
            request, asked = prepared
            if document not in self._shell.documents:
                return
            job = self._shell.service.submit(
                request,
                asked.contents,
                label=translate("Operations", operation.label),
                owner=self,
                done=lambda job, result: self._on_done(job, asked, result),
                failed=self._on_failed,
                stopped=self._forget,
            )
            self._jobs[job] = document
            self.busy_changed.emit(True)

        self._shell.background.run(prepare, submit, self._shell.report)

    def _on_done(self, job: Job, asked: _Asked, result: Result) -> None:
        self._forget(job)
        document = asked.document
        if document not in self._shell.documents:
            return
        recipe = Recipe.of(result, asked.contents)
        text = translate("Operations", asked.operation.label)
        here = asked.layer_id if document.state.find(asked.layer_id) is not None else ""
        before = document.state

        def make() -> Command:
            if here:
                return place_result(document, here, _rgba(result), recipe, text, maps=result.maps)
            return ReplaceState(document, _with_layer(document, asked, result, recipe, text), text)

        self._shell.run(make)
        if document.state is not before:
            self.made.emit(document, document.state.active)
        for note in result.notes:
            self._shell.message.emit(said(note), "", "warning")

    def _on_failed(self, job: Job, error: EditorError) -> None:
        self._forget(job)
        self._shell.report(error)

    def _on_closing(self, document: Document) -> None:
        for job in [job for job, asked in self._jobs.items() if asked is document]:
            self._shell.service.cancel(job)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job, None)
        self.busy_changed.emit(self.busy)


def _plain(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are neither pictures nor files."""
    declared = {item.name: item for item in operation.parameters.declared()}
    return {name: value for name, value in values.items() if content_type(declared[name]) is None}


def _read(
    operation: Operation, values: Mapping[str, Any], state: DocumentState
) -> tuple[dict[str, Any], dict[str, Any], tuple[int, int]]:
    """Parameters, contents by hash, and where in the document the result lies."""
    given, contents, place = _plain(operation, values), dict[str, Any](), (0, 0)
    area = state.area
    for item in operation.parameters.declared():
        if item.declaration.hidden or (wanted := content_type(item)) is None:
            continue
        source = cast("Source", values.get(item.name, Given.DOCUMENT if item.required else Given.NOTHING))
        if wanted is Mask and operation.takes_selection and source is Given.NOTHING:
            source = Given.SELECTION if selected(state) is not None else source
        if item == operation.picture:
            area = _area_of(source, state)
            place = (area.x, area.y)
        blob = _blob(item, wanted, source, state, area)
        if blob is not None:
            name = content_hash(blob)
            contents[name], given[item.name] = blob, wanted(name)
    return given, contents, place


def _area_of(source: Source, state: DocumentState) -> Area:
    if source is Given.DOCUMENT:
        return region_of(state)
    node = state.find(state.active)
    return node.area if source is Given.LAYER and isinstance(node, Layer) else state.area


def _blob(
    item: ParameterField, wanted: type[Content], source: Source, state: DocumentState, area: Area
) -> Any:
    if isinstance(source, Path):
        return read_content(wanted, source)
    if source is Given.NOTHING:
        if item.required:
            raise EditorError("“{what}” is missing.", "Choose one.", what=item.declaration.label)
        return None
    if source is Given.SELECTION:
        return _selected(state, area)
    nodes = state.layers
    if source is Given.LAYER:
        node = state.find(state.active)
        if not isinstance(node, Layer):
            raise EditorError("The active layer has no pixels of its own.", "Choose a layer with pixels.")
        nodes = (node.changed(visible=True, opacity=1.0, mask=None, clipped=False),)
    found = visible(composite(nodes, area), state.icc_profile)
    return mask_of(found) if issubclass(wanted, Mask) else found


def _selected(state: DocumentState, area: Area) -> Pixels:
    if state.selection is None:
        raise EditorError("Nothing is selected.", "Select the part that may change.")
    found = np.array(state.selection.read(area)).reshape(area.height, area.width)
    found.setflags(write=False)
    return found


def _rgba(result: Result) -> Pixels:
    return to_rgba(result.images[0])


def _with_layer(
    document: Document, asked: _Asked, result: Result, recipe: Recipe, text: str
) -> DocumentState:
    """The document with the result as a layer above the active one; what is selected becomes its mask."""
    state = document.state
    layer = Layer.of_pixels(
        name=text,
        pixels=from_srgb(_rgba(result), state.icc_profile),
        recipe=recipe,
        maps=result.maps,
        x=asked.place[0],
        y=asked.place[1],
        mask=asked.selection,
    )
    return added(state, layer, state.active)
