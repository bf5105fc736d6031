"""The logic behind the sliders of one generated layer; no widget.

A session edits a draft of the layer's recipe. Every change is shown at once from the pictures that are known
(`keyframes.shown`), a job computes the exact picture, and the end of a gesture becomes one step of the
history as soon as its picture is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from editor.commands import ReplaceLayerResult, SetRecipe, push
from editor.document import Document
from editor.keyframes import (
    PictureCache,
    Pose,
    SliderKey,
    context_of,
    key_of,
    positions,
    rounded,
    sampling_parameters,
    shown,
)
from editor.pixels import read_only, to_rgb, to_rgba
from editor.recipes import Recipe, Subject, with_edits, with_parameters
from editor.slider_requests import (
    between,
    canonical,
    free_colour,
    pose_of,
    pose_of_layer,
    poses,
    sampling_recipe,
    slider_keys,
    sweep,
    with_prompt,
)
from editor.variations import Variation, VariationSession
from editor.wording import quoted, signed
from inference.errors import EditorError
from inference.operations import Attribute, SamplingParameters, SubjectEdit
from inference.request import Pixels, Request, Result
from inference.service import InferenceService, Job, Priority

__all__ = ["KEYFRAMES", "AttributeInfo", "AttributeSession", "Slider", "Variation", "VariationSession"]

KEYFRAMES = 9
THROTTLE_MS = 120
IDLE_MS = 400
SWEEP_POSITIONS = 3  # positions per idle job: few enough that a cancelled one loses little
SLOWEST_PRECOMPUTED_S = 10.0  # a picture that takes longer is not computed unasked
MAP_PREFIX = "attention/"

translate = QCoreApplication.translate


@dataclass(frozen=True, kw_only=True)
class AttributeInfo:
    """An attribute that the library has for a subject."""

    attribute: str
    label: str
    minimum: float = -2.0
    maximum: float = 2.0


class AttributeSource(Protocol):
    """Answers which attributes a model's subject has; the application asks its delta library."""

    def __call__(self, model: str, subject: str) -> tuple[AttributeInfo, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Slider:
    """One attribute of one subject, as the panel shows it; `subject` counts the session's subjects."""

    subject: int
    attribute: str
    label: str
    value: float
    minimum: float = -2.0
    maximum: float = 2.0
    linked: bool = False


@dataclass(eq=False)
class _Ending:
    """The end of a gesture, waiting for its picture: it becomes one step of the history."""

    recipe: Recipe
    text: str
    group: tuple[SliderKey, ...]
    job: Job | None = None

    @property
    def pose(self) -> Pose:
        return pose_of(self.recipe)


class AttributeSession(QObject):
    """The sliders of one generated layer: draft, cache, jobs and the steps they end in.

    Raises:
        EditorError: the layer has no recipe with a prompt and seed.
    """

    display_changed = Signal(object, bool)  # Pixels RGB, exact: what the layer shows (it is its preview, too)
    sliders_changed = Signal()  # subjects or sliders were added or removed, linked or unlinked
    value_changed = Signal(
        int, str, float
    )  # subject index, attribute, value: linked ones, undo and reset as well
    keyframes_changed = Signal(int, str)  # subject index, attribute: `keyframes` has news
    maps_changed = Signal()  # `heat` has news
    busy_changed = Signal(bool)  # whether an exact picture is being computed
    committed = Signal(str)  # the text of the step that was pushed
    failed = Signal(object)  # EditorError

    def __init__(
        self,
        document: Document,
        layer_id: str,
        service: InferenceService,
        attributes: AttributeSource,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._layer_id = layer_id
        self._service = service
        self._attributes = attributes
        self._draft = sampling_recipe(document.layer(layer_id).recipe)
        self._base = self._draft  # the recipe that the document holds
        self._cache = PictureCache()
        self._maps: dict[str, NDArray[np.float32]] = dict(document.layer(layer_id).maps)
        self._contexts = {context_of(self._draft.request)}  # those whose pictures are kept
        self._linked: set[str] = set()
        self._group: tuple[SliderKey, ...] = ()  # the sliders that move, or moved last
        self._gesture: dict[SliderKey, float] | None = None  # their values when the gesture began
        self._endings: list[_Ending] = []
        self._drag_job: Job | None = None
        self._idle_job: Job | None = None
        self._last_exact_s = 0.0
        self._was_busy = False
        self.precompute = False
        self._throttle = QTimer(self, singleShot=True, interval=THROTTLE_MS)
        self._throttle.timeout.connect(self._submit_drag)
        self._idle = QTimer(self, singleShot=True, interval=IDLE_MS)
        self._idle.timeout.connect(self._submit_idle)
        self._learn_layer()
        document.layer_changed.connect(self._on_layer_changed)
        service.job_finished.connect(self._on_job_finished)
        service.job_failed.connect(self._on_job_failed)
        service.job_cancelled.connect(self._on_job_cancelled)

    @property
    def document(self) -> Document:
        return self._document

    @property
    def layer_id(self) -> str:
        return self._layer_id

    @property
    def model(self) -> str:
        return self._draft.request.model

    @property
    def prompt(self) -> str:
        return self._draft.prompt

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return self._draft.subjects

    @property
    def recipe(self) -> Recipe:
        """The recipe as the sliders stand now, computed or not."""
        return self._draft

    @property
    def delay(self) -> float:
        parameters = self._draft.request.parameters
        return parameters.delay if isinstance(parameters, Attribute) else Attribute().delay

    @property
    def seed(self) -> int:
        return sampling_parameters(self._draft.request).seed

    @property
    def busy(self) -> bool:
        return bool(self._endings) or self._drag_job is not None

    @property
    def sliders(self) -> tuple[Slider, ...]:
        """The sliders, by subject and then in the order in which they were added."""
        made = [self._slider(edit) for edit in self._draft.edits]
        return tuple(sorted((item for item in made if item is not None), key=lambda item: item.subject))

    def available_attributes(self, subject_index: int) -> tuple[tuple[str, str], ...]:
        """(attribute, label) of what the library has for this subject and that has no slider yet."""
        subject = self.subjects[subject_index]
        taken = {edit.attribute for edit in self._draft.edits if (edit.start, edit.end) == subject.span}
        known = self._attributes(self.model, subject.text)
        return tuple((info.attribute, info.label) for info in known if info.attribute not in taken)

    def value(self, subject_index: int, attribute: str) -> float:
        return self._value(self._key(subject_index, attribute))

    def toggle_subject(self, start: int, end: int) -> None:
        """Make the characters [start, end) of the prompt a subject, or no longer one; sliders go with it."""
        word = self.prompt[start:end]
        if self._draft.subject_at(start, end) is None:
            added = Subject(start=start, end=end, text=word, colour_index=free_colour(self.subjects))
            subjects = tuple(sorted((*self.subjects, added), key=lambda item: item.start))
            text = translate("AttributeSession", "Choose {word} as a subject")
            draft = replace(self._draft, subjects=subjects)
        else:
            subjects = tuple(item for item in self.subjects if item.span != (start, end))
            edits = tuple(edit for edit in self._draft.edits if (edit.start, edit.end) != (start, end))
            text = translate("AttributeSession", "Release {word}")
            draft = with_edits(replace(self._draft, subjects=subjects), edits)
        self._finish_with(draft, text.format(word=quoted(word)))
        self.sliders_changed.emit()

    def add_attribute(self, subject_index: int, attribute: str) -> None:
        """Add a slider at zero.

        Raises:
            EditorError: the library has no such attribute for the subject; names those it has.
        """
        subject = self.subjects[subject_index]
        if self._find_edit(self._key(subject_index, attribute)) is not None:
            return
        names = [info.attribute for info in self._attributes(self.model, subject.text)]
        if attribute not in names:
            raise EditorError(
                f"There is no attribute “{attribute}” for “{subject.text}” on {self.model}.",
                f"There are: {', '.join(names)}." if names else "Import a delta for it first.",
            )
        edit = SubjectEdit(start=subject.start, end=subject.end, attribute=attribute, value=0.0)
        text = translate("AttributeSession", "Add {attribute} to {subject}")
        text = text.format(attribute=attribute, subject=quoted(subject.text))
        self._finish_with(with_edits(self._draft, (*self._draft.edits, edit)), text)
        self.sliders_changed.emit()

    def remove_attribute(self, subject_index: int, attribute: str) -> None:
        """Take a slider away; its value goes with it."""
        key = self._key(subject_index, attribute)
        edits = tuple(edit for edit in self._draft.edits if key_of(edit) != key)
        text = translate("AttributeSession", "Remove {attribute} from {subject}")
        text = text.format(attribute=attribute, subject=quoted(self.subjects[subject_index].text))
        self._finish_with(with_edits(self._draft, edits), text)
        self.sliders_changed.emit()

    def set_value(self, subject_index: int, attribute: str, value: float, *, dragging: bool) -> None:
        """Move a slider and those linked with it; `dragging=False` ends the gesture: one step of the history.

        The value is held within the slider's range and kept to a hundredth.
        """
        key = self._key(subject_index, attribute)
        if self._find_edit(key) is None:
            self.add_attribute(subject_index, attribute)
        self._begin_gesture(key)
        self._move_group(key, value)
        if dragging:
            self._drag()
        else:
            self._end_gesture(key)

    def set_linked(self, attribute: str, linked: bool) -> None:
        """Let the sliders of this attribute on all subjects move together."""
        if linked:
            self._linked.add(attribute)
        else:
            self._linked.discard(attribute)
        self.sliders_changed.emit()

    def set_delay(self, delay: float, *, dragging: bool = False) -> None:
        """The share of the steps before the edits set in, 0..1."""
        if not 0 <= delay <= 1:
            raise EditorError(f"Delay is {delay:g}: allowed is 0 to 1.")
        draft = with_edits(self._draft, self._draft.edits, delay=rounded(delay))
        if dragging:
            self._draft = draft
            self._drag()
            return
        text = translate("AttributeSession", "Set delay to {value}").format(value=f"{delay:.2f}")
        self._finish_with(draft, text)

    def set_seed(self, seed: int) -> None:
        """Another picture of the same prompt with the same sliders."""
        text = translate("AttributeSession", "Set seed to {value}").format(value=seed)
        self._finish_with(with_parameters(self._draft, seed=seed), text)

    def set_prompt(self, prompt: str, seed: int) -> None:
        """Another prompt for this layer; subjects that it still names keep their sliders."""
        if not prompt.strip():
            raise EditorError("The prompt is empty.", "Say in words what the picture shows.")
        text = translate("AttributeSession", "Change the prompt to {prompt}").format(prompt=quoted(prompt))
        self._finish_with(with_prompt(self._draft, prompt, seed), text)
        self.sliders_changed.emit()

    def reset(self, subject_index: int | None = None, attribute: str | None = None) -> None:
        """One slider, one subject's sliders, or all, back to zero: one step."""
        span = self.subjects[subject_index].span if subject_index is not None else None

        def zeroed(edit: SubjectEdit) -> SubjectEdit:
            chosen = (span is None or (edit.start, edit.end) == span) and attribute in (None, edit.attribute)
            return replace(edit, value=0.0) if chosen else edit

        edits = tuple(zeroed(edit) for edit in self._draft.edits)
        if edits == self._draft.edits:
            return
        changed = [new for old, new in zip(self._draft.edits, edits, strict=True) if old != new]
        self._finish_with(with_edits(self._draft, edits), self._reset_text(subject_index, attribute))
        for edit in changed:
            self._announce_value(key_of(edit))

    def keyframes(self, subject_index: int, attribute: str) -> tuple[tuple[float, Pixels | None], ...]:
        """The slider's nine positions from minimum to maximum and their pictures as far as they are known."""
        key = self._key(subject_index, attribute)
        pose = pose_of(self._draft)
        return tuple(
            (value, self._cache.get(pose.moved({key: value}, self.delay))) for value in self._positions(key)
        )

    def heat(self, subject_index: int) -> NDArray[np.float32] | None:
        """Where the model sees a subject: [h, w] in 0..1 over the layer's area; None while unknown."""
        start, end = self.subjects[subject_index].span
        return self._maps.get(f"{MAP_PREFIX}{start}-{end}")

    def set_precompute(self, on: bool) -> None:
        """Whether slider positions are prepared while nothing else is to be done; for the session on show."""
        self.precompute = on
        if on:
            self._idle.start()
            return
        self._idle.stop()
        if self._idle_job is not None:
            self._service.cancel(self._idle_job)

    def close(self) -> None:
        """Cancel what is under way and show the layer as the document has it."""
        self.set_precompute(False)
        self._drop_endings()
        self._throttle.stop()
        if self._drag_job is not None:
            self._service.cancel(self._drag_job)
        self._service.disconnect(self)
        self._document.disconnect(self)
        if any(layer.id == self._layer_id for layer in self._document.layers):
            self._document.set_preview(self._layer_id, None)

    # gestures

    def _begin_gesture(self, key: SliderKey) -> None:
        self._pause_idle()
        if self._gesture is None or key not in self._gesture:
            self._group = self._linked_with(key)
            self._gesture = {member: self._value(member) for member in self._group}
        self._forget_endings_of(self._group)

    def _move_group(self, key: SliderKey, value: float) -> None:
        assert self._gesture is not None, "a gesture was begun"
        shift = value - self._gesture[key]
        changes = {
            member: self._within_range(member, start + shift) for member, start in self._gesture.items()
        }
        edits = tuple(replace(e, value=changes.get(key_of(e), e.value)) for e in self._draft.edits)
        self._draft = with_edits(self._draft, edits)
        for member in changes:
            self._announce_value(member)

    def _drag(self) -> None:
        """Show what is known and have the exact picture computed, without starving a hand that keeps moving.

        While a job runs, a further one starts (and supersedes it) only when the hand rests for `THROTTLE_MS`,
        or when it is done: pictures along the way keep coming and become keyframes.
        """
        if self._show():
            self._throttle.stop()
        elif self._drag_job is not None:
            self._throttle.start()
        elif not self._throttle.isActive():
            self._submit_drag()
            self._throttle.start()

    def _submit_drag(self) -> None:
        pose = pose_of(self._draft)
        running = self._drag_job
        if pose in self._cache or (running is not None and Pose.of(running.request) == pose):
            return
        self._drag_job = self._submit(self._draft, Priority.INTERACTIVE, self._moving_text())
        self._update_busy()

    def _end_gesture(self, key: SliderKey) -> None:
        self._throttle.stop()
        start = self._gesture
        self._gesture = None
        if start is not None and all(self._value(member) == value for member, value in start.items()):
            self._cancel_drag()
            if not self._endings:
                self._settle()
                return
        self._finish_with(self._draft, self._value_text(key), self._group)

    def _finish_with(self, draft: Recipe, text: str, group: tuple[SliderKey, ...] = ()) -> None:
        """Make `draft` the layer's recipe as soon as its picture is known."""
        self._pause_idle()
        self._draft = draft
        self._contexts.add(context_of(draft.request))
        ending = _Ending(recipe=draft, text=text, group=group)
        self._endings.append(ending)
        if not self._known(ending):
            ending.job = self._submit(draft, Priority.INTERACTIVE, text)
            self._drag_job = None  # superseded, or it goes on to feed the cache
        else:
            self._cancel_drag()
        self._show()
        self._flush()

    def _flush(self) -> None:
        """Push the endings whose pictures are there, in their order."""
        while self._endings and self._known(self._endings[0]):
            self._push(self._endings.pop(0))
        self._settle()

    def _push(self, ending: _Ending) -> None:
        self._base = ending.recipe
        try:
            if ending.pose == pose_of_layer(self._document, self._layer_id):
                command = SetRecipe(self._document, self._layer_id, ending.recipe, ending.text)
            else:
                pixels = self._cache.get(ending.pose)
                assert pixels is not None, "only known endings are pushed"
                maps = dict(self._maps)
                command = ReplaceLayerResult(
                    self._document, self._layer_id, pixels, ending.recipe, ending.text, maps
                )
        except EditorError as error:
            self._revert()
            self.failed.emit(error)
            return
        push(self._document, command)
        self.committed.emit(ending.text)

    def _known(self, ending: _Ending) -> bool:
        return ending.pose in self._cache or ending.pose == pose_of_layer(self._document, self._layer_id)

    def _settle(self) -> None:
        """When nothing is left to be done: the layer shows its own pixels, and idle time begins."""
        if not self.busy and self._gesture is None:
            self._show()
            self._resume_idle()
        self._update_busy()

    # showing

    def _show(self) -> bool:
        """Show the best that is known for the draft; whether that is the exact picture."""
        layer = self._document.layer(self._layer_id)
        pose = pose_of(self._draft)
        best = shown(self._cache, pose, self._group or tuple(key_of(e) for e in self._draft.edits[:1]))
        if best is None:
            return False
        if best.exact and pose == pose_of(layer.recipe):
            self._document.set_preview(self._layer_id, None)
        elif best.pixels.shape[:2] == layer.pixels.shape[:2]:
            self._document.set_preview(self._layer_id, to_rgba(best.pixels))
        self.display_changed.emit(best.pixels, best.exact)
        return best.exact

    def _announce_value(self, key: SliderKey) -> None:
        index = self._subject_index(key)
        if index is not None:
            self.value_changed.emit(index, key.attribute, self._value(key))

    def _announce_keyframes(self) -> None:
        for slider in self.sliders:
            self.keyframes_changed.emit(slider.subject, slider.attribute)

    def _update_busy(self) -> None:
        if self.busy != self._was_busy:
            self._was_busy = self.busy
            self.busy_changed.emit(self.busy)

    # jobs

    def _submit(self, recipe: Recipe, priority: Priority, label: str) -> Job:
        return self._service.submit(
            canonical(recipe.request), priority=priority, supersedes=self._slot(self._group), label=label
        )

    def _slot(self, group: tuple[SliderKey, ...]) -> str:
        """Jobs of one slider supersede each other, not the end of another slider's gesture."""
        first = group[0] if group else None
        which = f"{first.start}-{first.end}:{first.attribute}" if first else "recipe"
        return f"slider:{self._layer_id}:{which}"

    def _on_job_finished(self, job: Job, result: Result) -> None:
        if not self._learn(job.request, result):
            return
        self._took(job)
        if job is self._drag_job:
            self._drag_job = None
        if job is self._idle_job:
            self._idle_job = None
        if self._gesture is not None and not self._show() and self._drag_job is None:
            self._submit_drag()
        self._announce_keyframes()
        self._flush()

    def _on_job_failed(self, job: Job, error: EditorError) -> None:
        if job is self._idle_job:
            self._idle_job = None
            self.precompute = False  # it would fail again; asked for by hand, the user reads why
            return
        ours = job is self._drag_job or any(ending.job is job for ending in self._endings)
        if not ours:
            return
        self._revert()
        self.failed.emit(error)

    def _on_job_cancelled(self, job: Job) -> None:
        if job.result is not None:  # the cancellation came too late: the picture is as good as any
            self._learn(job.request, job.result)
            self._announce_keyframes()
        if job is self._idle_job:
            self._idle_job = None
            self._resume_idle()
        elif job is self._drag_job:
            self._drag_job = None
            self._update_busy()
        elif any(ending.job is job for ending in self._endings):
            self._revert()  # the user stopped it

    def _learn(self, request: Request, result: Result) -> bool:
        """Keep a result's pictures if they are of a prompt and model of this session; whether they are."""
        if (
            not isinstance(request.parameters, SamplingParameters)
            or context_of(request) not in self._contexts
        ):
            return False
        for pose, pixels in zip(poses(request), result.images, strict=False):
            self._cache.put(pose, read_only(to_rgb(pixels)))
        if result.maps and context_of(request) == context_of(self._draft.request):
            self._maps.update(result.maps)
            self.maps_changed.emit()
        return True

    def _took(self, job: Job) -> None:
        if job.started_s and job.ended_s:
            self._last_exact_s = (job.ended_s - job.started_s) / len(poses(job.request))

    def _cancel_drag(self) -> None:
        if self._drag_job is not None:
            job, self._drag_job = self._drag_job, None
            self._service.cancel(job)

    # the document's side

    def _on_layer_changed(self, layer_id: str) -> None:
        if layer_id != self._layer_id:
            return
        recipe = self._document.layer(layer_id).recipe
        if recipe is None or recipe == self._base:
            return
        try:
            self._base = sampling_recipe(recipe)
        except EditorError:
            return
        self._revert()

    def _revert(self) -> None:
        """Back to what the document holds: after undo, redo, another seed, a failure."""
        old, self._draft = self._draft, self._base_of_layer()
        self._base = self._draft
        self._gesture = None
        self._throttle.stop()
        self._drop_endings()
        self._cancel_drag()
        self._learn_layer()
        if old.subjects != self._draft.subjects or slider_keys(old) != slider_keys(self._draft):
            self.sliders_changed.emit()
        for edit in self._draft.edits:
            self._announce_value(key_of(edit))
        self._document.set_preview(self._layer_id, None)
        self._announce_keyframes()
        self._settle()

    def _base_of_layer(self) -> Recipe:
        return sampling_recipe(self._document.layer(self._layer_id).recipe)

    def _learn_layer(self) -> None:
        layer = self._document.layer(self._layer_id)
        self._cache.put(pose_of(layer.recipe), to_rgb(layer.pixels))
        self._maps.update(layer.maps)

    def _forget_endings_of(self, group: tuple[SliderKey, ...]) -> None:
        """The same slider is moved again before its picture came: only the new end counts."""
        dropped = [ending for ending in self._endings if ending.group == group]
        self._endings = [ending for ending in self._endings if ending.group != group]
        for ending in dropped:
            if ending.job is not None:
                self._service.cancel(ending.job)

    def _drop_endings(self) -> None:
        dropped, self._endings = self._endings, []
        for ending in dropped:
            if ending.job is not None:
                self._service.cancel(ending.job)

    # idle time

    def _pause_idle(self) -> None:
        self._idle.stop()

    def _resume_idle(self) -> None:
        if self.precompute and self._idle_job is None:
            self._idle.start()

    def _submit_idle(self) -> None:
        if not self.precompute or self.busy or self._gesture is not None:
            return
        if self._last_exact_s > SLOWEST_PRECOMPUTED_S:
            return
        if any(job.priority is not Priority.IDLE for job in self._service.jobs()):
            self._idle.start()
            return
        request = self._next_sweep()
        if request is not None and self._idle_job is None:
            label = translate("AttributeSession", "Preparing sliders")
            self._idle_job = self._service.submit(request, priority=Priority.IDLE, label=label)

    def _next_sweep(self) -> Request | None:
        """The unknown keyframes nearest to the values: of the slider in use, of the others, then between."""
        keys = self._slider_order()
        for group in (keys, keys[:1]):
            fine = group is not keys
            for key in group:
                missing = self._missing(key, fine=fine)
                if missing:
                    return sweep(self._draft, key, missing[:SWEEP_POSITIONS])
        return None

    def _slider_order(self) -> list[SliderKey]:
        keys = [key_of(edit) for edit in self._draft.edits]
        first = [key for key in self._group if key in keys]
        return [*first, *(key for key in keys if key not in first)]

    def _missing(self, key: SliderKey, *, fine: bool) -> tuple[float, ...]:
        pose, value = pose_of(self._draft), self._value(key)
        wanted = self._positions(key)
        if fine:
            wanted = between(wanted, value)
        unknown = [p for p in wanted if pose.moved({key: p}, self.delay) not in self._cache]
        return tuple(sorted(unknown, key=lambda position: abs(position - value)))

    # small things

    def _slider(self, edit: SubjectEdit) -> Slider | None:
        key = key_of(edit)
        index = self._subject_index(key)
        if index is None:
            return None
        info = self._info(key)
        return Slider(
            subject=index,
            attribute=edit.attribute,
            label=info.label,
            value=edit.value,
            minimum=info.minimum,
            maximum=info.maximum,
            linked=edit.attribute in self._linked,
        )

    def _info(self, key: SliderKey) -> AttributeInfo:
        text = self.prompt[key.start : key.end]
        known = {info.attribute: info for info in self._attributes(self.model, text)}
        return known.get(
            key.attribute, AttributeInfo(attribute=key.attribute, label=key.attribute.capitalize())
        )

    def _key(self, subject_index: int, attribute: str) -> SliderKey:
        return SliderKey(*self.subjects[subject_index].span, attribute)

    def _subject_index(self, key: SliderKey) -> int | None:
        spans = [subject.span for subject in self.subjects]
        return spans.index((key.start, key.end)) if (key.start, key.end) in spans else None

    def _find_edit(self, key: SliderKey) -> SubjectEdit | None:
        return next((edit for edit in self._draft.edits if key_of(edit) == key), None)

    def _value(self, key: SliderKey) -> float:
        edit = self._find_edit(key)
        return edit.value if edit is not None else 0.0

    def _within_range(self, key: SliderKey, value: float) -> float:
        info = self._info(key)
        return rounded(min(max(value, info.minimum), info.maximum))

    def _positions(self, key: SliderKey) -> tuple[float, ...]:
        info = self._info(key)
        return positions(info.minimum, info.maximum, KEYFRAMES)

    def _linked_with(self, key: SliderKey) -> tuple[SliderKey, ...]:
        if key.attribute not in self._linked:
            return (key,)
        others = [key_of(edit) for edit in self._draft.edits]
        return (key, *(other for other in others if other != key and other.attribute == key.attribute))

    def _value_text(self, key: SliderKey) -> str:
        subject = " + ".join(quoted(self.prompt[member.start : member.end]) for member in self._group)
        text = translate("AttributeSession", "Set {attribute} of {subject} to {value}")
        return text.format(attribute=key.attribute, subject=subject, value=signed(self._value(key)))

    def _moving_text(self) -> str:
        return (
            self._value_text(self._group[0])
            if self._group
            else translate("AttributeSession", "Changing the delay")
        )

    def _reset_text(self, subject_index: int | None, attribute: str | None) -> str:
        if subject_index is None:
            return translate("AttributeSession", "Reset sliders")
        subject = quoted(self.subjects[subject_index].text)
        if attribute is None:
            return translate("AttributeSession", "Reset {subject}").format(subject=subject)
        text = translate("AttributeSession", "Reset {attribute} of {subject}")
        return text.format(attribute=attribute, subject=subject)
