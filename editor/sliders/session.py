"""The logic behind the sliders of one generated layer; no widget.

A session edits a draft of the layer's recipe. Every change is shown at once from the pictures that are known
(`keyframes.shown`), a job computes the exact picture, and the end of a gesture becomes one step of the
history as soon as its picture is there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from editor.commands import AddResult, SetRecipe, place_result, push
from editor.document.document import Document
from editor.generating.ground import Grounds
from editor.generating.requests import canonical
from editor.generating.variations import Variation, VariationSession
from editor.sliders.draft import KEYFRAMES, AttributeInfo, AttributeSource, Change, Slider, SliderDraft
from editor.sliders.endings import Ending, Endings
from editor.sliders.keyframes import Pose, SliderKey, key_of
from editor.sliders.pictures import Prepared, SliderPictures, looked_at, prepared
from editor.sliders.precompute import Precompute
from editor.sliders.previews import changed_area, preview_node
from editor.sliders.reading import SliderReading
from editor.sliders.requests import pose_of, poses, sampling_recipe
from editor.sliders.spacing import distance, track_of
from editor.system.background import Background
from inference.errors import EditorError
from inference.request import Result
from inference.service import InferenceService, Job, Priority

__all__ = ["KEYFRAMES", "AttributeInfo", "AttributeSession", "Slider", "Variation", "VariationSession"]

THROTTLE_MS = 120
_AT_ONCE_PX = 2**21  # so many pixels are brought into the document within a frame


class AttributeSession(SliderReading):
    """The sliders of one generated layer: its draft, what it shows, its jobs, and the steps they end in.

    Raises:
        EditorError: the layer has no recipe with a prompt and seed.
    """

    display_changed = Signal(object)  # Shown: what the layer shows (it is its preview, too)
    sliders_changed = Signal()  # subjects or sliders were added, removed, linked; another prompt or seed
    value_changed = Signal(
        int, str, float
    )  # subject index, attribute, value: linked ones, undo, reset as well
    keyframes_changed = Signal(int, str)  # subject index, attribute: `keyframes` has news
    maps_changed = Signal()  # `heat` has news
    busy_changed = Signal(bool)  # whether an exact picture is being computed
    committed = Signal(str)  # the text of the step that was pushed
    failed = Signal(object)  # EditorError
    noted = Signal(object)  # Message: what a result has to say, once

    def __init__(
        self,
        document: Document,
        layer_id: str,
        service: InferenceService,
        attributes: AttributeSource,
        parent: QObject | None = None,
    ) -> None:
        base = sampling_recipe(document.layer(layer_id).recipe)
        super().__init__(document, layer_id, SliderDraft(base, attributes), SliderPictures(), parent)
        self._draft.take_tracks()
        self._service = service
        self._base = base  # the recipe that the document holds
        self._pictures.learn_layer(document.layer(layer_id))
        self._colours = document.icc_profile  # those of the pictures
        self._grounds = Grounds()
        self._background: Background | None = None
        self._told = set[str]()
        self._closed = False
        self._group: tuple[SliderKey, ...] = ()  # the sliders that move, or moved last
        self._gesture: dict[SliderKey, float] | None = None  # their values when the gesture began
        self._endings = Endings(service.cancel)
        self._drag_job: Job | None = None
        self._was_busy = False
        self._throttle = QTimer(self, singleShot=True, interval=THROTTLE_MS)
        self._throttle.timeout.connect(self._submit_drag)
        document.layer_changed.connect(self._on_layer_changed)
        self._precompute = Precompute(
            service,
            self._draft,
            self._pictures,
            self._is_resting,
            lambda: self._group,
            self._on_prepared,
            self,
        )
        self._precompute.works_changed.connect(self._announce_keyframes)

    @property
    def busy(self) -> bool:
        return bool(self._endings) or self._drag_job is not None

    @property
    def precompute(self) -> bool:
        """Whether slider positions are to be prepared in idle time."""
        return self._precompute.on

    @property
    def prepares(self) -> bool:
        """Whether they really are: not where a picture takes long, or could not be made."""
        return self._precompute.works

    def toggle_subject(self, start: int, end: int) -> None:
        """Make the characters [start, end) of the prompt a subject, or no longer one; sliders go with it."""
        self._finish(self._draft.toggled(start, end))
        self.sliders_changed.emit()

    def add_attribute(self, subject_index: int, attribute: str) -> None:
        """Add a slider at zero.

        Raises:
            EditorError: the library has no such attribute for the subject; names those it has.
        """
        key = self._draft.key(subject_index, attribute)
        if key not in self._draft.keys:
            self._finish(self._draft.added(subject_index, attribute))
            if self._gesture is None:
                self._group = (key,)  # its keyframes are wanted next
            self.sliders_changed.emit()

    def remove_attribute(self, subject_index: int, attribute: str) -> None:
        """Take a slider away; its value goes with it."""
        self._finish(self._draft.removed(subject_index, attribute))
        self.sliders_changed.emit()

    def set_value(self, subject_index: int, attribute: str, value: float, *, dragging: bool) -> None:
        """Move a slider and those linked with it; `dragging=False` ends the gesture: one step of the history.

        The value is held within the slider's range and kept to a hundredth.
        """
        self.add_attribute(subject_index, attribute)
        key = self._draft.key(subject_index, attribute)
        start = self._begin_gesture(key)
        shift = value - start[key]
        self._draft.move({member: begun + shift for member, begun in start.items()})
        for member in start:
            self._announce_value(member)
        if dragging:
            self._drag()
        else:
            self._end_gesture(start)

    def set_linked(self, attribute: str, linked: bool) -> None:
        """Let the sliders of this attribute on all subjects move together."""
        (self._draft.linked.add if linked else self._draft.linked.discard)(attribute)
        self.sliders_changed.emit()

    def set_delay(self, delay: float, *, dragging: bool = False) -> None:
        """The share of the steps before the edits set in, 0..1."""
        change = self._draft.delayed(delay)
        if dragging:
            self._draft.recipe = change.recipe
            self._drag()
        else:
            self._finish(change)

    def set_only_subject(self, on: bool) -> None:
        """Whether everything outside of the edited subjects stays as it is."""
        if on != self._draft.only_subject:
            self._finish(self._draft.confined(on))
            self.sliders_changed.emit()

    def set_seed(self, seed: int) -> None:
        """Another picture of the same prompt with the same sliders."""
        self._finish(self._draft.seeded(seed))

    def set_prompt(self, prompt: str, seed: int) -> None:
        """Another prompt for this layer; subjects that it still names keep their sliders."""
        self._finish(self._draft.reworded(prompt, seed))
        self.sliders_changed.emit()

    def reset(self, subject_index: int | None = None, attribute: str | None = None) -> None:
        """One slider, one subject's sliders, or all, back to zero: one step."""
        old, change = self._draft.recipe, self._draft.zeroed(subject_index, attribute)
        if change.recipe == old:
            return
        after = {key_of(edit): edit.value for edit in change.recipe.edits}
        # what a first click put them to is not wanted any more when the second one comes
        self._endings.forget_all({key for key in self._draft.keys if self._draft.value(key) != after[key]})
        if not self._endings and change.recipe == self._base:
            self._revert()
            return
        self._finish(change)
        for key in self._draft.keys:
            self._announce_value(key)

    def set_precompute(self, on: bool) -> None:
        """Whether slider positions are prepared in idle time; for the session on show."""
        self._precompute.set_on(on)

    def close(self) -> None:
        """Cancel what is under way and show the layer as the document has it."""
        self._closed = True
        self._precompute.close()
        self._throttle.stop()
        self._endings.drop()
        self._cancel_drag()
        if self._background is not None:
            self._background.close(0)
        self._document.disconnect(self)
        if any(layer.id == self._layer_id for layer in self._document.state.rasters()):
            self._document.clear_preview(self._layer_id)

    def finish_gesture(self) -> None:
        """End a gesture that is still open, as if the hand let go: another document is shown."""
        if self._gesture is not None and self._holds_recipe():
            self._end_gesture(self._gesture)

    def forget_pictures(self) -> None:
        """The library's deltas changed: what was drawn with them is drawn again when it is asked for."""
        self._pictures.forget()
        self._draft.forget_tracks()
        self._pictures.learn_layer(self._document.layer(self._layer_id))
        self.sliders_changed.emit()

    def discard(self) -> None:
        """Give up the change whose picture is still being computed."""
        self._revert()

    # gestures

    def _begin_gesture(self, key: SliderKey) -> dict[SliderKey, float]:
        """The values at the beginning of the gesture that moves `key`."""
        self._precompute.pause()
        if self._gesture is None or key not in self._gesture:
            self._group = self._draft.linked_with(key)
            self._gesture = {member: self._draft.value(member) for member in self._group}
        self._endings.forget(self._group)
        return self._gesture

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
        pose, running = pose_of(self._draft.recipe), self._drag_job
        if self._pictures.knows(pose) or (running is not None and Pose.of(running.request) == pose):
            return
        self._drag_job = self._submit(Change(self._draft.recipe, self._draft.moved_text(self._group)))
        self._update_busy()

    def _end_gesture(self, start: dict[SliderKey, float]) -> None:
        self._throttle.stop()
        self._gesture = None
        if not self._endings and all(self._draft.value(key) == value for key, value in start.items()):
            self._cancel_drag()
            self._settle()
            return
        self._finish(Change(self._draft.recipe, self._draft.moved_text(self._group)), self._group)

    def _finish(self, change: Change, group: tuple[SliderKey, ...] = ()) -> None:
        """Make a change the layer's recipe as soon as its picture is known."""
        self._precompute.pause()
        old, self._draft.recipe = self._draft.recipe, change.recipe
        if old.origin != change.recipe.origin:
            self._draft.take_tracks()
        self._pictures.expect(change.recipe)
        ending = Ending(change=change, group=group)
        if not self._is_known(ending):
            self._endings.supersede(self._slot())
        self._endings.add(ending)
        if self._is_known(ending):
            self._cancel_drag()
        else:
            ending.job = self._submit(change)
            self._drag_job = None  # superseded, or it goes on to feed the cache
        self._show()
        self._flush()

    def _flush(self) -> None:
        """Push the endings whose pictures are there, in their order."""
        while (ending := self._endings.first) is not None and self._is_known(ending):
            self._endings.remove(ending)
            self._push(ending)
        self._settle()

    def _push(self, ending: Ending) -> None:
        recipe, text = self._pictures.pinned(ending.change.recipe), ending.change.text
        self._base = recipe
        self._draft.recipe = self._pictures.pinned(self._draft.recipe)
        try:
            if ending.pose == self._layer_pose():
                command = SetRecipe(self._document, self._layer_id, recipe, text)
            else:
                raster = self._pictures.picture(recipe)
                assert raster is not None, "only known endings are pushed"
                maps = dict(self._pictures.maps_of(recipe))
                command = place_result(self._document, self._layer_id, raster, recipe, text, maps)
        except EditorError as error:
            self._revert()
            self.failed.emit(error)
            return
        push(self._document, command)
        self.committed.emit(text)
        if isinstance(command, AddResult):
            self._revert()  # the change is in the new layer, whose sliders are shown from now on

    def _is_known(self, ending: Ending) -> bool:
        return self._pictures.knows(ending.pose) or ending.pose == self._layer_pose()

    def _layer_pose(self) -> Pose:
        return pose_of(self._document.layer(self._layer_id).recipe)

    def _settle(self) -> None:
        """When nothing is left to be done: the layer shows its own pixels, and idle time begins."""
        if self._is_resting():
            self._show()
            self._precompute.resume()
        self._update_busy()

    def _is_resting(self) -> bool:
        return not self.busy and self._gesture is None

    # showing

    def _show(self) -> bool:
        """Show the best that is known for the draft; whether that is the exact picture."""
        recipe = self._draft.recipe
        best = self._pictures.shown(recipe, self._group or self._draft.keys[:1])
        if best is None:
            return False
        layer = self._document.layer(self._layer_id)
        if best.exact and pose_of(recipe) == self._layer_pose():
            self._document.clear_preview(self._layer_id)
        elif (best.first.height, best.first.width) == layer.shape:
            node = preview_node(self._document.state, layer, best, recipe, self._pictures.maps_of(recipe))
            dirty = changed_area(layer, self._document.preview(self._layer_id), node)
            self._document.preview_node(node, dirty)
        self.display_changed.emit(best)
        return best.exact

    def _announce_value(self, key: SliderKey) -> None:
        index = self._draft.subject_index(key)
        if index is not None:
            self.value_changed.emit(index, key.attribute, self._draft.value(key))

    def _measure(self) -> None:
        """Space the sliders evenly whose pictures at even values are known; never under the hand."""
        if self._gesture is not None:
            return
        pose = pose_of(self._draft.recipe)
        for key in self._draft.keys:
            index = self._draft.subject_index(key)
            if key in self._draft.tracks or index is None:
                continue
            values = self._draft.even_positions(key)
            if len(values) < 2:  # a track shorter than a hundredth
                continue
            at = [pose.moved({key: value}, self._draft.delay) for value in values]
            found = [self._pictures.cache.get(one) for one in at]
            pictures = [picture for picture in found if picture is not None]
            if len(pictures) == len(values) and len({picture.area for picture in pictures}) == 1:
                looks = [looked_at(picture, self.heat(index)) for picture in pictures]
                steps = [distance(one, other) for one, other in itertools.pairwise(looks)]
                lost = [self._pictures.lost(one, (key.start, key.end)) for one in at]
                self._draft.keep_track(key, track_of(values, steps, KEYFRAMES, lost))

    def _announce_keyframes(self) -> None:
        self._measure()
        for slider in self.sliders:
            self.keyframes_changed.emit(slider.subject, slider.attribute)

    def _update_busy(self) -> None:
        if self.busy != self._was_busy:
            self._was_busy = self.busy
            self.busy_changed.emit(self.busy)

    # jobs

    def _submit(self, change: Change) -> Job:
        return self._service.submit(
            canonical(change.recipe.request),
            change.recipe.contents,
            priority=Priority.INTERACTIVE,
            supersedes=self._slot(),
            label=change.text,
            owner=self,
            done=self._on_job_finished,
            failed=self._on_job_failed,
            stopped=self._on_job_cancelled,
        )

    def _slot(self) -> str:
        """Jobs of one slider supersede each other, not the end of another slider's gesture."""
        first = self._group[0] if self._group else None
        which = f"{first.start}-{first.end}:{first.attribute}" if first else "recipe"
        return f"slider:{self._layer_id}:{which}"

    def _on_job_finished(self, job: Job, result: Result) -> None:
        self._learn(job, result, lambda: self._after(job))

    def _on_prepared(self, job: Job, result: Result, known: Callable[[], object]) -> None:
        """Positions that were computed in idle time."""
        self._learn(job, result, lambda: self._after(job), known)

    def _after(self, job: Job) -> None:
        """What a job made is known."""
        if job.priority is not Priority.IDLE and job.started_s:
            self._precompute.took((job.ended_s - job.started_s) / len(poses(job.request)))
        if job is self._drag_job:
            self._drag_job = None
        if self._gesture is not None and not self._show() and self._drag_job is None:
            self._submit_drag()
        self._flush()

    def _on_job_failed(self, job: Job, error: EditorError) -> None:
        if job is self._drag_job or self._endings.wait_for(job):
            self._revert()
            self.failed.emit(error)

    def _on_job_cancelled(self, job: Job) -> None:
        if job.result is not None:  # the cancellation came too late: the picture is as good as any
            self._learn(job, job.result, self._flush)
        if job is self._drag_job:
            self._drag_job = None
            self._update_busy()
        elif self._endings.wait_for(job):
            self._revert()  # the user stopped it

    def _tell_notes(self, result: Result) -> None:
        """Each position of a slider says the same of its picture: once is enough."""
        for note in result.notes:
            if str(note) not in self._told:
                self._told.add(str(note))
                self.noted.emit(note)

    def _learn(
        self,
        job: Job,
        result: Result,
        then: Callable[[], object],
        over: Callable[[], object] = lambda: None,
    ) -> None:
        """Bring a result into the document's colours, for large pictures beside the GUI thread.

        `then` is called if it was expected, `over` at the end in any case.
        """
        if self._closed or not self._holds_recipe() or not self._pictures.expects(job.request):
            over()
            return
        state, layer = self._document.state, self._document.layer(self._layer_id)
        recipe = replace(self._base, contents=job.contents) if job.contents else self._base
        grounds = self._grounds

        def work() -> Prepared:
            return prepared(state, layer, result, recipe, grounds)

        def done(found: Prepared) -> None:
            if self._closed:
                return
            if not self._holds_recipe():  # painted on meanwhile
                over()
                return
            if found.profile != self._document.icc_profile:  # converted meanwhile
                self._learn(job, result, then, over)
                return
            if self._pictures.learn(job.request, result, found.rasters, self._draft.recipe):
                if result.maps:
                    self.maps_changed.emit()
                self._announce_keyframes()
                self._tell_notes(result)
                then()
            over()

        def failed(error: EditorError) -> None:
            self._on_job_failed(job, error)
            over()

        if sum(image.shape[0] * image.shape[1] for image in result.images) <= _AT_ONCE_PX:
            try:
                found = work()
            except EditorError as error:
                failed(error)
                return
            done(found)
            return
        if self._background is None:
            self._background = Background(self)
        self._background.run(work, done, failed, in_order=True)

    def _cancel_drag(self) -> None:
        if self._drag_job is not None:
            job, self._drag_job = self._drag_job, None
            self._service.cancel(job)

    # the document's side

    def _on_layer_changed(self, layer_id: str) -> None:
        if layer_id != self._layer_id:
            return
        recipe = self._document.layer(layer_id).recipe
        if recipe is None:
            self._let_go()
            return
        if self._document.icc_profile != self._colours:
            self._colours = self._document.icc_profile
            self._pictures.forget()
            self._pictures.learn_layer(self._document.layer(layer_id))
        if recipe != self._base or recipe.lacks_picture != self._base.lacks_picture:
            self._revert()

    def _holds_recipe(self) -> bool:
        """Whether the layer is still what its recipe makes; one that was painted on is not."""
        return self._document.layer(self._layer_id).recipe is not None

    def _let_go(self) -> None:
        """The layer was changed by hand: what is under way is of no use, and its sliders wait for an undo."""
        self._draft.recipe = self._base
        self._gesture = None
        self._throttle.stop()
        self._endings.drop()
        self._cancel_drag()
        self._document.clear_preview(self._layer_id)
        for key in self._draft.keys:
            self._announce_value(key)
        self._update_busy()

    def _revert(self) -> None:
        """Back to what the document holds: after undo, redo, another seed, a failure."""
        layer = self._document.layer(self._layer_id)
        old, self._base = self._draft.recipe, sampling_recipe(layer.recipe)
        shown = (self._draft.keys, self._draft.only_subject)
        had = (old.picture, old.lacks_picture)
        self._draft.recipe = self._base
        self._gesture = None
        self._throttle.stop()
        self._endings.drop()
        self._cancel_drag()
        self._pictures.learn_layer(layer)
        before, now = ((one.subjects, one.prompt, one.seed) for one in (old, self._base))
        if old.origin != self._base.origin:
            self._draft.take_tracks()
        same = before == now and had == (self._base.picture, self._base.lacks_picture)
        if not same or shown != (self._draft.keys, self._draft.only_subject):
            self.sliders_changed.emit()
        for key in self._draft.keys:
            self._announce_value(key)
        self._document.clear_preview(self._layer_id)
        self._announce_keyframes()
        self._settle()
