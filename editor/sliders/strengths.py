"""Two strengths of a translated layer, *structure* and *appearance*, that answer from what is known so far.

A drag shows a mixture of the nearest known pictures at once; when the hand rests or lets go, the exact one is
computed, and becomes one step of the history.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from editor.colour.conversion import to_srgb
from editor.commands import place_result, push
from editor.document.document import Document
from editor.layers.recipes import Recipe
from editor.pixels.arithmetic import read_only, to_rgba
from inference.errors import EditorError
from inference.operations import Translate
from inference.request import Pixels, Request, Result
from inference.service import InferenceService, Job, Priority

REST_MS = 250
IDLE_MS = 400
SLOWEST_PICTURE_S = 15.0  # a picture that takes longer is not computed unasked
KEYFRAMES = (0.4, 0.6, 0.8, 1.0)
_MOST_FRAMES, _FRAMES_BYTES = 64, 2**29
_FEWEST_FRAMES = 2 * len(KEYFRAMES) + 4  # with fewer, keyframes would be drawn again and again

translate = QCoreApplication.translate


class Strength(NamedTuple):
    """Where both sliders stand, to a hundredth."""

    structure: float
    appearance: float

    @classmethod
    def of(cls, parameters: Translate) -> Strength:
        return cls(round(parameters.structure, 2), round(parameters.appearance, 2))

    def with_(self, name: str, value: float) -> Strength:
        return self._replace(**{name: round(min(1.0, max(0.0, value)), 2)})


class Frames:
    """Known pictures, RGBA uint8 [H, W, 4] of one size, by strength."""

    def __init__(self) -> None:
        self._known: dict[Strength, Pixels] = {}
        self.source: Pixels | None = None  # what appearance 0 is

    def __len__(self) -> int:
        return len(self._known)

    def put(self, strength: Strength, pixels: Pixels) -> None:
        self._known[strength] = pixels
        while len(self._known) > _MOST_FRAMES or (
            len(self._known) > _FEWEST_FRAMES
            and sum(one.nbytes for one in self._known.values()) > _FRAMES_BYTES
        ):
            self._known.pop(next(iter(self._known)))

    def exact(self, strength: Strength) -> Pixels | None:
        """The picture itself, if it is known."""
        return (
            self.source if strength.appearance == 0 and self.source is not None else self._known.get(strength)
        )

    def strengths(self) -> tuple[Strength, ...]:
        return tuple(self._known)

    def shown(self, strength: Strength) -> Pixels | None:
        """The exact picture, a mixture of the two around it along one slider, or the nearest one."""
        exact = self.exact(strength)
        if exact is not None:
            return exact
        for name in Strength._fields:
            between = self._between(strength, name)
            if between is not None:
                return between
        if not self._known:
            return None
        nearest = min(
            self._known, key=lambda one: sum(abs(a - b) for a, b in zip(one, strength, strict=True))
        )
        return self._known[nearest]

    def _between(self, strength: Strength, name: str) -> Pixels | None:
        """A mixture of those that differ in one slider alone, where there is one on either side."""
        place = getattr(strength, name)
        line = {
            getattr(one, name): pixels
            for one, pixels in self._known.items()
            if one.with_(name, place) == strength
        }
        if name == "appearance" and self.source is not None:
            line[0.0] = self.source
        below = max((one for one in line if one < place), default=None)
        above = min((one for one in line if one > place), default=None)
        if below is None or above is None:
            return None
        share = (place - below) / (above - below)
        mixed = line[below] * np.float32(1 - share) + line[above] * np.float32(share)
        return read_only(np.rint(mixed).astype(np.uint8))


class StrengthSession(QObject):
    """The sliders of one translated layer.

    Raises:
        EditorError: the layer was not made by a translation.
    """

    changed = Signal()  # `strength` is another one
    busy_changed = Signal(bool)
    failed = Signal(object)  # EditorError

    def __init__(
        self, document: Document, layer_id: str, service: InferenceService, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.document = document
        self.layer_id = layer_id
        self._service = service
        self._recipe = translated_recipe(document, layer_id)
        self.strength = Strength.of(_parameters(self._recipe))
        self.frames = Frames()
        self.precompute = False
        self._job: Job | None = None
        self._idle_job: Job | None = None
        self._wanted: Strength | None = None  # what has to become a step
        self._picture_s = 0.0
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._ask)
        self._idle = QTimer(self, singleShot=True, interval=IDLE_MS)
        self._idle.timeout.connect(self._prepare)
        document.layer_changed.connect(self._on_layer_changed)
        self._learn_layer()

    @property
    def busy(self) -> bool:
        return self._job is not None

    @property
    def lacks_picture(self) -> bool:
        """Whether the picture that the layer was made from has another form now."""
        return self._recipe.lacks_picture

    def set_value(self, name: str, value: float, *, dragging: bool) -> None:
        """Move a slider; `dragging=False` ends the gesture, and makes a step of the history.

        A layer whose picture has another form now has to be made again first.
        """
        if self.lacks_picture:
            self._back()
            return
        self._idle.stop()
        self.strength = self.strength.with_(name, value)
        self.changed.emit()
        self._show()
        if dragging:
            self._rest.start()
            return
        self._rest.stop()
        self._wanted = self.strength
        self._settle()

    def close(self) -> None:
        """Cancel what is under way and show the layer as the document has it."""
        self._rest.stop()
        self._idle.stop()
        self.document.disconnect(self)
        self._wanted = None
        for job in (self._job, self._idle_job):
            if job is not None:
                self._service.cancel(job)
        if self.document.state.find(self.layer_id) is not None:
            self.document.set_preview(self.layer_id, None)

    def set_precompute(self, on: bool) -> None:
        """Whether likely positions are computed while nothing else is to be done."""
        self.precompute = on
        if on:
            self._idle.start()

    # what is shown

    def _learn_layer(self) -> None:
        layer = self.document.layer(self.layer_id)
        parameters = _parameters(self._recipe)
        self.frames.put(Strength.of(parameters), to_srgb(layer.pixels, self.document.icc_profile))
        source = cast("Pixels | bytes | None", self._recipe.contents.get(parameters.image.hash))
        if isinstance(source, np.ndarray) and source.shape[:2] == layer.shape:
            self.frames.source = to_rgba(source)

    def _show(self) -> None:
        pixels = self.frames.shown(self.strength)
        if pixels is not None:
            self.document.set_preview(self.layer_id, pixels)

    def _settle(self) -> None:
        """Make the step if its picture is there; else ask for it."""
        wanted = self._wanted
        if wanted is None:
            return
        if wanted == Strength.of(_parameters(self._recipe)):
            self._wanted = None
            self.document.set_preview(self.layer_id, None)
            return
        pixels = self.frames.exact(wanted)
        if pixels is None:
            self._ask()
            return
        self._wanted = None
        self._push(wanted, pixels)

    def _push(self, strength: Strength, pixels: Pixels) -> None:
        request = self._request(strength)
        recipe = replace(self._recipe, request=request)
        text = translate("Translation", "Structure and appearance")
        maps = self.document.layer(self.layer_id).maps
        try:
            command = place_result(self.document, self.layer_id, pixels, recipe, text, maps=maps)
        except EditorError as error:
            self.document.set_preview(self.layer_id, None)
            self.failed.emit(error)
            return
        self._recipe = recipe
        self.document.set_preview(self.layer_id, None)
        push(self.document, command)
        self._idle.start()

    # jobs

    def _request(self, strength: Strength) -> Request:
        parameters = replace(
            _parameters(self._recipe), structure=strength.structure, appearance=strength.appearance
        )
        return replace(self._recipe.request, parameters=parameters)

    def _ask(self) -> None:
        strength = self.strength if self._wanted is None else self._wanted
        if self.frames.exact(strength) is not None:
            return
        if self._job is not None and Strength.of(_of(self._job)) == strength:
            return
        self._job = None  # its end, which comes before `submit` returns, is nobody's
        self._job = self._service.submit(
            self._request(strength),
            self._recipe.contents,
            priority=Priority.INTERACTIVE,
            supersedes=f"strength:{self.layer_id}",
            label=translate("Translation", "Structure and appearance"),
            owner=self,
            done=self._on_done,
            failed=self._on_failed,
            stopped=self._on_stopped,
        )
        self.busy_changed.emit(True)

    def _prepare(self) -> None:
        """The keyframe nearest to where the sliders stand that nobody has computed yet."""
        if (
            not self.precompute
            or self.lacks_picture
            or self._idle_job is not None
            or self.busy
            or self._picture_s > SLOWEST_PICTURE_S
        ):
            return
        if any(job.priority is not Priority.IDLE for job in self._service.jobs()):
            self._idle.start()
            return
        missing = [
            strength
            for name in Strength._fields
            for place in KEYFRAMES
            if self.frames.exact(strength := self.strength.with_(name, place)) is None
        ]
        if not missing:
            return
        nearest = min(
            missing, key=lambda one: sum(abs(a - b) for a, b in zip(one, self.strength, strict=True))
        )
        self._idle_job = self._service.submit(
            self._request(nearest),
            self._recipe.contents,
            priority=Priority.IDLE,
            label=translate("Translation", "Preparing sliders"),
            owner=self,
            done=self._on_done,
            failed=self._on_failed,
            stopped=self._on_stopped,
        )

    def _on_done(self, job: Job, result: Result) -> None:
        if job not in (self._job, self._idle_job):  # of a picture that the layer is no longer made from
            return
        parameters = result.request.parameters
        if isinstance(parameters, Translate) and result.images:
            self.frames.put(Strength.of(parameters), to_rgba(result.images[0]))
            self._picture_s = sum(result.measured.seconds.values())
        self._forget(job)
        if self._wanted is not None:
            self._settle()
        elif self.strength != Strength.of(_parameters(self._recipe)):
            self._show()
        self._idle.start()

    def _on_failed(self, job: Job, error: EditorError) -> None:
        was_idle = job is self._idle_job
        self._forget(job)
        if was_idle:
            self.precompute = False  # it would fail again; asked for by hand, the user reads why
            return
        self._wanted = None
        self._back()
        self.failed.emit(error)

    def _on_stopped(self, job: Job) -> None:
        was_current = job is self._job
        self._forget(job)
        if was_current and self._wanted is not None:
            self._wanted = None
            self._back()

    def _back(self) -> None:
        self.strength = Strength.of(_parameters(self._recipe))
        self.document.set_preview(self.layer_id, None)
        self.changed.emit()

    def _forget_pictures(self) -> None:
        """What is known, and what is under way, is of another picture."""
        self.frames = Frames()
        self._rest.stop()
        self._wanted = None
        jobs = [job for job in (self._job, self._idle_job) if job is not None]
        for job in jobs:
            self._forget(job)
            self._service.cancel(job)

    def _forget(self, job: Job) -> None:
        if job is self._job:
            self._job = None
            self.busy_changed.emit(False)
        if job is self._idle_job:
            self._idle_job = None

    def _on_layer_changed(self, layer_id: str) -> None:
        """Undo, or the layer made again: its recipe decides."""
        node = self.document.state.find(layer_id)
        recipe = getattr(node, "recipe", None)
        if layer_id != self.layer_id or recipe is None:
            return
        if (recipe, recipe.lacks_picture) == (self._recipe, self.lacks_picture):
            return
        if not isinstance(recipe.request.parameters, Translate):
            return
        if (_context(recipe), recipe.lacks_picture) != (_context(self._recipe), self.lacks_picture):
            self._forget_pictures()
        self._recipe = recipe
        self._learn_layer()
        if self._wanted is None:
            self.strength = Strength.of(_parameters(recipe))
            self.changed.emit()


def translated_recipe(document: Document, layer_id: str) -> Recipe:
    """The recipe of a translated layer.

    Raises:
        EditorError: it was made in another way.
    """
    recipe = document.layer(layer_id).recipe
    if recipe is None or not isinstance(recipe.request.parameters, Translate):
        raise EditorError("This layer was not translated.", "Choose a layer that was.")
    return recipe


def _parameters(recipe: Recipe) -> Translate:
    parameters = recipe.request.parameters
    assert isinstance(parameters, Translate), "checked where the recipe came from"
    return parameters


def _of(job: Job) -> Translate:
    parameters = job.request.parameters
    assert isinstance(parameters, Translate), "submitted here"
    return parameters


def _context(recipe: Recipe) -> object:
    """All that the pictures depend on beside the two strengths."""
    parameters = replace(_parameters(recipe), structure=0.0, appearance=0.0)
    return replace(recipe.request, parameters=parameters)
