"""Insert: the visible picture edited by words, and how strong the change is; the controller "insertion"."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QCoreApplication, Signal

from editor.colour.conversion import from_srgb
from editor.commands import Command, ReplaceLayerResult, ReplaceState
from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.edits.tree import added
from editor.generating.contents import visible
from editor.layers.layer import Layer
from editor.layers.layer import Mask as LayerMask
from editor.layers.recipes import Recipe
from editor.layers.subject_masks import automatic_mask
from editor.pixels.arithmetic import crossfade, to_rgba
from editor.rendering.compositing import composite
from editor.words.said import said
from editor.words.wording import quoted
from inference.content import Mask, Picture, content_hash
from inference.errors import EditorError
from inference.operations import Insert, InsertSweep
from inference.request import Pixels, Request, Result
from inference.service import Job, Priority

translate = QCoreApplication.translate

INSERT = "insert"
POSITIONS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""The strengths whose pictures are prepared, and between which a drag crossfades."""
_MOST_KEPT = 4  # layers whose pictures are kept


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a job is for; `layer_id` is the layer that it makes again, or "" for a new one."""

    document: Document
    contents: Mapping[str, Any]
    layer_id: str
    selection: LayerMask | None = None


class Insertion(Controller):
    """Starts edits by words, keeps the pictures of their strengths, and answers a drag from them."""

    busy_changed = Signal(bool)
    keyframes_changed = Signal(str)  # id of the layer whose pictures came
    made = Signal(object, str)  # Document, id of the layer that shows the result

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._jobs: dict[Job, Document] = {}
        self._sweeps: dict[Job, Request] = {}
        self._known: OrderedDict[Request, dict[float, Pixels]] = OrderedDict()
        shell.document_closing.connect(self._on_closing)

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def layer(self) -> Layer | None:
        """The active layer, if it was made this way."""
        active = self.active
        recipe = active.recipe if isinstance(active, Layer) else None
        if recipe is None or not isinstance(recipe.request.parameters, Insert):
            return None
        assert isinstance(active, Layer), "it has a recipe"
        return active

    def start(self, values: Mapping[str, Any], model: str, *, in_selection: bool) -> None:
        """Edit the visible picture; the result becomes a layer above the active one.

        Args:
            values: parameters of `Insert` but for the picture and the mask.
            in_selection: what is selected is the place of the change.
        """
        document = self.document
        if document is None:
            return
        state = document.state

        def prepare() -> tuple[Request, _Asked]:
            area = state.area
            picture = visible(composite(state.layers, area), state.icc_profile)
            contents: dict[str, Any] = {content_hash(picture): picture}
            given = dict(values)
            if in_selection:
                if state.selection is None:
                    raise EditorError("Nothing is selected.", "Select the part that may change.")
                mask = np.array(state.selection.read(area)).reshape(area.height, area.width)
                mask.setflags(write=False)
                contents[content_hash(mask)] = mask
                given["mask"] = Mask(content_hash(mask))
            parameters = Insert(image=Picture(content_hash(picture)), **given)
            request = Request(operation=INSERT, parameters=parameters, model=model)
            selection = state.selection if in_selection else None
            return request, _Asked(document=document, contents=contents, layer_id="", selection=selection)

        self._shell.background.run(prepare, lambda found: self._submit(*found), self._shell.report)

    def again(self, values: Mapping[str, Any]) -> None:
        """Make the active layer again from the same picture and place, with other values."""
        document, layer = self.document, self.layer
        if document is None or layer is None or layer.recipe is None:
            return
        try:
            request = _with(layer.recipe.request, **values)
        except EditorError as error:
            self._shell.report(error)
            return
        self._submit(request, _Asked(document=document, contents=layer.recipe.contents, layer_id=layer.id))

    def set_strength(self, value: float, *, dragging: bool) -> None:
        """Show the change at another strength: at once what is known, exactly when the hand lets go."""
        document, layer = self.document, self.layer
        if document is None or layer is None or layer.recipe is None:
            return
        known = self.keyframes(layer)
        if dragging:
            shown = between(known, value)
            if shown is not None and shown.shape[:2] == (layer.height, layer.width):
                document.set_preview(layer.id, from_srgb(to_rgba(shown), document.icc_profile))
            return
        document.set_preview(layer.id, None)
        request = layer.recipe.request
        if getattr(request.parameters, "strength", None) == value:
            return
        exact = known.get(value)
        if exact is None:
            self.again({"strength": value})
            return
        recipe = replace(layer.recipe, request=_with(request, keep_hash=True, strength=value))
        text = _step_text(recipe)
        self._shell.run(
            lambda: ReplaceLayerResult(
                document, layer.id, from_srgb(to_rgba(exact), document.icc_profile), recipe, text
            )
        )

    def keyframes(self, layer: Layer) -> dict[float, Pixels]:
        """The pictures by strength that are known of a layer, RGB or RGBA."""
        recipe = layer.recipe
        if recipe is None or not isinstance(recipe.request.parameters, Insert):
            return {}
        return self._known.get(_unmoved(recipe.request), {})

    def _submit(self, request: Request, asked: _Asked) -> None:
        if asked.document not in self._shell.documents:
            return
        parameters = request.parameters
        label = translate("Insertion", "Insert: {prompt}").format(
            prompt=quoted(str(getattr(parameters, "prompt", "")), 32)
        )
        job = self._shell.service.submit(
            request,
            asked.contents,
            label=label,
            supersedes=f"insert:{asked.layer_id}" if asked.layer_id else "",
            owner=self,
            done=lambda job, result: self._on_done(job, asked, result),
            failed=self._on_failed,
            stopped=self._forget,
        )
        self._jobs[job] = asked.document
        self.busy_changed.emit(True)

    def _on_done(self, job: Job, asked: _Asked, result: Result) -> None:
        self._forget(job)
        document = asked.document
        if document not in self._shell.documents:
            return
        recipe = Recipe.of(result, asked.contents)
        here = asked.layer_id if document.state.find(asked.layer_id) is not None else ""
        before = document.state

        def make() -> Command:
            pixels = from_srgb(to_rgba(result.images[0]), document.icc_profile)
            if here:
                return ReplaceLayerResult(document, here, pixels, recipe, _step_text(recipe), result.maps)
            return ReplaceState(
                document, _with_layer(document, asked, pixels, result, recipe), _step_text(recipe)
            )

        self._shell.run(make)
        if document.state is not before:
            layer_id = here or document.state.active
            self._learn(recipe, result)
            self._prepare(asked, recipe.request)
            self.made.emit(document, layer_id)
        for note in result.notes:
            self._shell.message.emit(said(note), "", "warning")

    def _prepare(self, asked: _Asked, request: Request) -> None:
        """Have the pictures of all strengths made while nothing else is to be done."""
        unmoved = _unmoved(request)
        left = [one for one in POSITIONS if one not in self._known.get(unmoved, {})]
        if not left or any(waiting == unmoved for waiting in self._sweeps.values()):
            return
        parameters = request.parameters
        assert isinstance(parameters, Insert), "it is the recipe of an edit by words"
        values = {item.name: getattr(parameters, item.name) for item in Insert.declared()}
        sweep = InsertSweep(**values, positions=tuple(left))
        job = self._shell.service.submit(
            Request(operation="insert-sweep", parameters=sweep, model=request.model),
            asked.contents,
            priority=Priority.IDLE,
            label=translate("Insertion", "Strengths"),
            owner=self,
            done=lambda job, result: self._on_swept(job, left, result),
            failed=lambda job, error: self._sweeps.pop(job, None),
            stopped=lambda job: self._sweeps.pop(job, None),
        )
        self._sweeps[job] = unmoved

    def _on_swept(self, job: Job, positions: Sequence[float], result: Result) -> None:
        unmoved = self._sweeps.pop(job, None)
        if unmoved is None:
            return
        self._keep(unmoved, dict(zip(positions, result.images, strict=False)))

    def _learn(self, recipe: Recipe, result: Result) -> None:
        parameters = recipe.request.parameters
        assert isinstance(parameters, Insert), "it is the recipe of an edit by words"
        known = {parameters.strength: result.images[0]}
        source = recipe.contents.get(parameters.image.hash)
        if isinstance(source, np.ndarray):
            known[0.0] = source
        self._keep(_unmoved(recipe.request), known)

    def _keep(self, unmoved: Request, pictures: Mapping[float, Pixels]) -> None:
        self._known[unmoved] = {**self._known.pop(unmoved, {}), **pictures}
        while len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        for document in self._shell.documents:
            for layer in document.state.rasters():
                if layer.recipe is not None and _unmoved(layer.recipe.request) == unmoved:
                    self.keyframes_changed.emit(layer.id)

    def _on_failed(self, job: Job, error: EditorError) -> None:
        self._forget(job)
        self._shell.report(error)

    def _on_closing(self, document: Document) -> None:
        for job in [job for job, of in self._jobs.items() if of is document]:
            self._shell.service.cancel(job)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job, None)
        self.busy_changed.emit(self.busy)


def between(known: Mapping[float, Pixels], value: float) -> Pixels | None:
    """The picture at a strength, crossfaded from the nearest ones that are known; None without any."""
    if not known:
        return None
    below = max((one for one in known if one <= value), default=min(known))
    above = min((one for one in known if one >= value), default=max(known))
    if below == above or known[below].shape != known[above].shape:
        return known[below]
    return crossfade(to_rgba(known[below]), to_rgba(known[above]), (value - below) / (above - below))


def _unmoved(request: Request) -> Request:
    """What all strengths of one edit have in common."""
    parameters = request.parameters
    if isinstance(parameters, Insert) and not isinstance(parameters, InsertSweep):
        parameters = replace(parameters, strength=1.0)
    return replace(request, parameters=parameters, model_hash="")


def _with(request: Request, *, keep_hash: bool = False, **values: Any) -> Request:
    parameters = replace(request.parameters, **values)
    return replace(request, parameters=parameters, model_hash=request.model_hash if keep_hash else "")


def _step_text(recipe: Recipe) -> str:
    text = translate("Insertion", "Insert {prompt}")
    return text.format(prompt=quoted(str(getattr(recipe.request.parameters, "prompt", "")), 24))


def _with_layer(document: Document, asked: _Asked, pixels: Pixels, result: Result, recipe: Recipe) -> Any:
    """The document with the result as a layer above the active one, which shows only where it changed."""
    state = document.state
    layer = Layer.of_pixels(
        name=translate("Insertion", "Insert"), pixels=pixels, recipe=recipe, maps=result.maps
    )
    mask = automatic_mask(layer, result.maps)
    if asked.selection is not None:
        mask = asked.selection
    return added(state, layer.changed(mask=mask), state.active)
