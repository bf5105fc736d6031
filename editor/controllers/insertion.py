"""Insert: the visible picture edited by words, and how strong the change is; the controller "insertion"."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QCoreApplication, QTimer, Signal

from editor.commands import Command, ReplaceLayerResult, ReplaceState
from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.generating.asking import (
    Asked,
    Given,
    asked_again,
    is_as_made,
    picture_from,
    place_again,
    raster_for,
    with_layer,
)
from editor.generating.ground import Grounds, brought, ground_of
from editor.generating.pictures_below import has_alpha_of, place_above
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.layers.subject_masks import automatic_mask
from editor.pixels.arithmetic import crossfade, to_rgba
from editor.pixels.raster import Raster
from editor.sliders.strengths import IDLE_MS
from editor.words.said import said
from editor.words.wording import quoted_change
from inference.content import Mask, Picture, content_hash
from inference.errors import EditorError
from inference.operations import OPERATIONS, Insert, InsertSweep
from inference.request import Pixels, Request, Result
from inference.service import Job, Priority

translate = QCoreApplication.translate

INSERT = "insert"
POSITIONS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""The strengths whose pictures are prepared, and between which a drag crossfades."""
_MOST_KEPT = 4  # layers whose pictures are kept
_KEPT_BYTES = 2**30


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
        self._held: tuple[Document, str, float] | None = None  # the layer whose strength is in hand
        self._awaited: dict[tuple[Document, str], float] = {}  # strengths whose pictures are to come
        self._unprepared: set[Request] = set()  # whose pictures could not be made
        self._idle = QTimer(self, singleShot=True, interval=IDLE_MS)
        self._idle.timeout.connect(self._sweep)
        self._grounds = Grounds()
        shell.document_closing.connect(self._on_closing)
        shell.settings.changed.connect(self._on_setting)

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
        """Edit the picture below the place of the new layer, which is above the active one.

        Args:
            values: parameters of `Insert` but for the picture and the mask.
            in_selection: what is selected is the place of the change.
        """
        document = self.document
        if document is None:
            return
        given = {**values, "loras": self._shell.loras_for(model)}

        def ask() -> None:
            state = document.state
            self._submit(document, lambda: _anew(state, given, model, in_selection=in_selection), ask)

        ask()

    def again(self, values: Mapping[str, Any]) -> None:
        """Make the active layer again from the same picture and place, with other values."""
        document, layer = self.document, self.layer
        if document is not None and layer is not None:
            self._again(document, layer.id, values)

    def _again(
        self, document: Document, layer_id: str, values: Mapping[str, Any], *, anew: bool = False
    ) -> None:
        """A layer from the picture of its recipe, or `anew` from the one below it."""
        state = document.state
        if state.find(layer_id) is not None:
            self._submit(
                document,
                lambda: asked_again(state, state.layer(layer_id), values, anew=anew),
                lambda: self._again(document, layer_id, values, anew=True),
            )

    def set_strength(self, value: float, *, dragging: bool) -> None:
        """Show the change at another strength: at once what is known, exactly when the hand lets go."""
        document, layer = self.document, self.layer
        if document is None or layer is None or layer.recipe is None:
            if not dragging:  # its layer was undone while it was in hand
                self.finish_gesture()
            return
        if self._held is not None and self._held[:2] != (document, layer.id):
            self.finish_gesture()
        if not dragging:
            self._held = None
            self._end_strength(document, layer, layer.recipe, value)
            return
        self._held = (document, layer.id, value)
        shown = between(self.keyframes(layer), value)
        if shown is not None and shown.shape[:2] == (layer.height, layer.width):
            document.set_preview(layer.id, to_rgba(shown))

    def strength_of(self, layer: Layer) -> float:
        """Where the strength of a layer of the current document stands, its picture being there or not."""
        parameters = layer.recipe.request.parameters if layer.recipe is not None else None
        own = float(getattr(parameters, "strength", 1.0))
        return own if self.document is None else self._awaited.get((self.document, layer.id), own)

    def finish_gesture(self) -> None:
        """End a drag that is still open, as if the hand let go: another layer or document is in front."""
        held, self._held = self._held, None
        if held is None or held[0] not in self._shell.documents:
            return
        document, layer_id, value = held
        layer = document.state.find(layer_id)
        if isinstance(layer, Layer) and layer.recipe is not None:
            self._end_strength(document, layer, layer.recipe, value)

    def _end_strength(self, document: Document, layer: Layer, made: Recipe, value: float) -> None:
        """The layer at that strength: one step of the history, at once where its picture is known.

        Else what is known of it is shown until the picture comes.
        """
        exact, request = self.keyframes(layer).get(value), made.request
        if exact is None and getattr(request.parameters, "strength", None) != value:
            self._awaited[document, layer.id] = value
            self._again(document, layer.id, {"strength": value})
            return
        if self._awaited.pop((document, layer.id), None) is not None:
            for job in [job for job in self._jobs if job.supersedes == _slot(layer.id)]:
                self._shell.service.cancel(job)
        document.set_preview(layer.id, None)
        if exact is None or getattr(request.parameters, "strength", None) == value:
            return
        recipe = replace(made, request=_with(request, keep_hash=True, strength=value))
        text = _step_text(recipe, made)

        def make() -> Command:
            ground = self._grounds.of(document.state, layer, recipe)
            raster = brought(ground, exact, document.icc_profile)
            return ReplaceLayerResult(document, layer.id, raster, recipe, text)

        self._shell.run(make)

    def keyframes(self, layer: Layer) -> dict[float, Pixels]:
        """The pictures by strength that are known of a layer, RGB or RGBA.

        None of one that was cropped or turned since: they are of the form that it had.
        """
        recipe = layer.recipe
        if recipe is None or recipe.lacks_picture or not isinstance(recipe.request.parameters, Insert):
            return {}
        return self._known.get(_unmoved(recipe.request), {})

    def _submit(
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
            label = translate("Insertion", "Insert: {prompt}").format(prompt=_quoted(request.parameters, 32))
            slot = _slot(asked.layer_id)
            if slot:  # what it supersedes awaits nothing any more
                self._jobs = {job: of for job, of in self._jobs.items() if job.supersedes != slot}
            job = self._shell.service.submit(
                request,
                asked.contents,
                label=label,
                supersedes=slot,
                owner=self,
                done=lambda job, result: self._on_done(job, document, asked, result, repeat),
                failed=self._on_failed,
                stopped=self._forget,
            )
            self._jobs[job] = document
            self.busy_changed.emit(True)

        def failed(error: EditorError) -> None:
            self._show_as_made(document)
            self._shell.report(error)

        self._shell.background.run(prepare, submit, failed)

    def _on_done(
        self, job: Job, document: Document, asked: Asked, result: Result, repeat: Callable[[], None]
    ) -> None:
        if document not in self._shell.documents:
            self._forget(job)
            return
        profile = document.icc_profile
        if profile != asked.profile:
            asked = replace(asked, ground=None, profile=profile)

        def done(raster: Raster) -> None:
            self._forget(job)
            if document not in self._shell.documents:
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

    def _place(self, document: Document, asked: Asked, result: Result, raster: Raster) -> None:
        recipe = replace(Recipe.of(result, asked.contents), from_below=asked.from_below)
        before = document.state
        here = asked.layer_id if is_as_made(before, asked.layer_id) else ""
        layer = before.find(here)
        text = _step_text(recipe, layer.recipe if isinstance(layer, Layer) else None)

        def make() -> Command:
            if here:
                place = place_again(before.layer(here), asked.area, asked.frame, before)
                return ReplaceLayerResult(document, here, raster, recipe, text, result.maps, place)
            return ReplaceState(document, _with_layer(before, asked, result, raster, recipe), text)

        self._shell.run(make)
        if document.state is not before:
            self._learn(recipe, result)
            self._sweep()
            self.made.emit(document, here or document.state.active)
        for note in result.notes:
            self._shell.message.emit(said(note), "", "warning")

    def prepares(self, layer: Layer) -> bool:
        """Whether the pictures of all strengths of a layer come by themselves."""
        recipe = layer.recipe
        return (
            bool(self._shell.settings.get("precompute"))
            and recipe is not None
            and not recipe.lacks_picture
            and _unmoved(recipe.request) not in self._unprepared
        )

    def prepare(self) -> None:
        """Have the pictures of the active layer's strengths made once nothing else is to be done.

        What comes in between cancels it, and it is begun again afterwards.
        """
        layer = self.layer
        if layer is not None and self.prepares(layer) and self._missing(layer) and not self._idle.isActive():
            self._idle.start()

    def _missing(self, layer: Layer) -> tuple[float, ...]:
        known = self.keyframes(layer)
        return tuple(one for one in POSITIONS if one not in known)

    def _sweep(self) -> None:
        layer = self.layer
        if layer is None or layer.recipe is None or not self.prepares(layer) or self._sweeps:
            return
        if any(job.priority is not Priority.IDLE for job in self._shell.service.jobs()):
            self._idle.start()
            return
        request, left = layer.recipe.request, self._missing(layer)
        parameters = request.parameters
        assert isinstance(parameters, Insert), "it is the recipe of an edit by words"
        if not left:
            return
        values = {item.name: getattr(parameters, item.name) for item in Insert.declared()}
        sweep = InsertSweep(**values, positions=left)
        job = self._shell.service.submit(
            Request(operation="insert-sweep", parameters=sweep, model=request.model),
            layer.recipe.contents,
            priority=Priority.IDLE,
            label=translate("Insertion", "Strengths"),
            owner=self,
            done=lambda job, result: self._on_swept(job, left, result),
            failed=self._on_sweep_failed,
            stopped=self._on_sweep_stopped,
        )
        self._sweeps[job] = _unmoved(request)

    def _on_sweep_failed(self, job: Job, error: EditorError) -> None:
        """It would fail again; asked for by hand, the user reads why."""
        unmoved = self._sweeps.pop(job, None)
        if unmoved is not None:
            self._unprepared.add(unmoved)
            self._tell_known(unmoved)

    def _on_sweep_stopped(self, job: Job) -> None:
        self._sweeps.pop(job, None)
        self.prepare()

    def _on_setting(self, name: str) -> None:
        if name != "precompute":
            return
        for job in list(self._sweeps):
            self._shell.service.cancel(job)
        self.prepare()
        if self.layer is not None:
            self.keyframes_changed.emit(self.layer.id)

    def _on_swept(self, job: Job, positions: Sequence[float], result: Result) -> None:
        unmoved = self._sweeps.pop(job, None)
        if unmoved is None:
            return
        self._keep(unmoved, dict(zip(positions, result.images, strict=False)))
        self.prepare()  # of the layer that is in front meanwhile

    def _learn(self, recipe: Recipe, result: Result) -> None:
        parameters = recipe.request.parameters
        assert isinstance(parameters, Insert), "it is the recipe of an edit by words"
        known = {parameters.strength: result.images[0]}
        source = recipe.contents.get(parameters.image.hash)
        if isinstance(source, np.ndarray):
            known[0.0] = source
        self._keep(_unmoved(recipe.request), known)

    def _keep(self, unmoved: Request, pictures: Mapping[float, Pixels]) -> None:
        known = self._known[unmoved] = {**self._known.pop(unmoved, {}), **pictures}
        while len(self._known) > 1 and (len(self._known) > _MOST_KEPT or self._is_too_much()):
            self._known.popitem(last=False)
        # those of the track stay, however large they are: they would be prepared again and again
        for strength in [one for one in known if one not in POSITIONS and one not in pictures]:
            if self._is_too_much():
                del known[strength]
        self._tell_known(unmoved)

    def _is_too_much(self) -> bool:
        pictures = {id(one): one.nbytes for known in self._known.values() for one in known.values()}
        return sum(pictures.values()) > _KEPT_BYTES

    def _tell_known(self, unmoved: Request) -> None:
        for document in self._shell.documents:
            for layer in document.state.rasters():
                if layer.recipe is not None and _unmoved(layer.recipe.request) == unmoved:
                    self.keyframes_changed.emit(layer.id)

    def _on_failed(self, job: Job, error: EditorError) -> None:
        self._forget(job)
        self._shell.report(error)

    def _on_closing(self, document: Document) -> None:
        """Strengths that are being prepared may be those of its layer; others are begun again."""
        for job in [*(job for job, of in self._jobs.items() if of is document), *self._sweeps]:
            self._shell.service.cancel(job)

    def _forget(self, job: Job) -> None:
        document = self._jobs.pop(job, None)
        if document is not None and document not in self._jobs.values():
            self._show_as_made(document)
        self.busy_changed.emit(self.busy)

    def _show_as_made(self, document: Document) -> None:
        """No picture of another strength is awaited any more."""
        for key in [key for key in self._awaited if key[0] is document]:
            del self._awaited[key]
            if document in self._shell.documents:
                document.clear_preview(key[1])


def between(known: Mapping[float, Pixels], value: float) -> Pixels | None:
    """The picture at a strength, crossfaded from the nearest ones that are known; None without any."""
    if not known:
        return None
    below = max((one for one in known if one <= value), default=min(known))
    above = min((one for one in known if one >= value), default=max(known))
    if below == above or known[below].shape != known[above].shape:
        return known[below]
    return crossfade(to_rgba(known[below]), to_rgba(known[above]), (value - below) / (above - below))


def _slot(layer_id: str) -> str:
    """Jobs of one layer supersede each other; those for new ones do not."""
    return f"insert:{layer_id}" if layer_id else ""


def _unmoved(request: Request) -> Request:
    """What all strengths of one edit have in common."""
    parameters = request.parameters
    if isinstance(parameters, Insert) and not isinstance(parameters, InsertSweep):
        parameters = replace(parameters, strength=1.0)
    return replace(request, parameters=parameters, model_hash="")


def _with(request: Request, *, keep_hash: bool = False, **values: Any) -> Request:
    parameters = replace(request.parameters, **values)
    return replace(request, parameters=parameters, model_hash=request.model_hash if keep_hash else "")


def _step_text(recipe: Recipe, before: Recipe | None) -> str:
    """What the history says of a result; `before` made the layer until now, maybe with another strength."""
    parameters = recipe.request.parameters
    if before is not None and _unmoved(before.request) == _unmoved(recipe.request):
        strength = f"{getattr(parameters, 'strength', 1.0):g}"
        return translate("Insertion", "Strength {strength}").format(strength=strength)
    text = translate("Insertion", "Insert {prompt}")
    return text.format(prompt=_quoted(parameters, 24))


def _quoted(parameters: object, length: int) -> str:
    """What the picture is to show, so that it is seen what is new."""
    prompt, before = (str(getattr(parameters, name, "")) for name in ("prompt", "source_prompt"))
    return quoted_change(prompt, before, length)


def _anew(
    state: DocumentState, values: Mapping[str, Any], model: str, *, in_selection: bool
) -> tuple[Request, Asked]:
    """For a new layer, from all that shows below its place; another thread."""
    picture, area = picture_from(Given.DOCUMENT, state), state.area
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
    nodes = state.layers[: place_above(state)]
    asked = Asked(
        operation=OPERATIONS[INSERT],
        contents=contents,
        area=area,
        selection=state.selection if in_selection else None,
        frame=state.frame,
        profile=state.icc_profile,
        above=nodes[-1].id if nodes else "",
        from_below=True,
        ground=ground_of(state, nodes, area, picture),
        clipped=has_alpha_of(nodes, area, picture),
    )
    return Request(operation=INSERT, parameters=parameters, model=model), asked


def _with_layer(
    state: DocumentState, asked: Asked, result: Result, raster: Raster, recipe: Recipe
) -> DocumentState:
    """The document with the result above what it was made from, a layer that shows only where it changed."""
    placed = with_layer(state, asked, result, raster, recipe, translate("Insertion", "Insert"))
    layer = placed.layer(placed.active)
    mask = automatic_mask(layer, result.maps) if asked.selection is None else None
    return placed if mask is None else placed.with_layer(layer.changed(mask=mask))
