"""Idle time: the slider positions that are likely to be asked for are computed before."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from editor.sliders.draft import SliderDraft
from editor.sliders.keyframes import SliderKey
from editor.sliders.pictures import SliderPictures
from editor.sliders.requests import between, pose_of, sweep
from inference.errors import EditorError
from inference.request import Request, Result
from inference.service import InferenceService, Job, Priority

IDLE_MS = 400
SWEEP_POSITIONS = 3  # positions per job: few enough that a cancelled one loses little
SLOWEST_PICTURE_S = 10.0  # a picture that takes longer is not computed unasked

translate = QCoreApplication.translate


class Precompute(QObject):
    """Submits one IDLE sweep after the other while nothing else is to be done.

    Args:
        resting: whether the session has nothing to do for its user.
        group: the sliders that moved last; their positions come first.
        learn: takes what came of a job, and calls its third argument when that is known.
    """

    works_changed = Signal()

    def __init__(
        self,
        service: InferenceService,
        draft: SliderDraft,
        pictures: SliderPictures,
        resting: Callable[[], bool],
        group: Callable[[], tuple[SliderKey, ...]],
        learn: Callable[[Job, Result, Callable[[], object]], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.on = False
        self._picture_s = 0.0  # what the last asked-for picture took
        self._service = service
        self._draft = draft
        self._pictures = pictures
        self._resting = resting
        self._group = group
        self._learn = learn
        self._job: Job | None = None
        self._timer = QTimer(self, singleShot=True, interval=IDLE_MS)
        self._timer.timeout.connect(self._submit)

    @property
    def works(self) -> bool:
        """Whether positions are computed unasked, sooner or later."""
        return self.on and self._picture_s <= SLOWEST_PICTURE_S

    def took(self, seconds: float) -> None:
        """How long an asked-for picture took."""
        worked, self._picture_s = self.works, seconds
        if self.works != worked:
            self.works_changed.emit()

    def set_on(self, on: bool) -> None:
        self.on = on
        if on:
            self._timer.start()
            return
        self._timer.stop()
        if self._job is not None:
            self._service.cancel(self._job)

    def pause(self) -> None:
        """The user is doing something; running sweeps are cancelled by the service when it needs room."""
        self._timer.stop()

    def resume(self) -> None:
        if self.on and self._job is None:
            self._timer.start()

    def close(self) -> None:
        self.set_on(False)

    def _submit(self) -> None:
        if not self.works or self._job is not None or not self._resting():
            return
        if any(job.priority is not Priority.IDLE for job in self._service.jobs()):
            self._timer.start()
            return
        request = None if self._draft.recipe.lacks_picture else self._next_sweep()
        if request is not None:
            label = translate("AttributeSession", "Preparing sliders")
            self._job = self._service.submit(
                request,
                self._draft.recipe.contents,
                priority=Priority.IDLE,
                label=label,
                owner=self,
                done=self._on_job_finished,
                failed=self._on_job_failed,
                stopped=self._on_job_cancelled,
            )

    def _on_job_finished(self, job: Job, result: Result) -> None:
        def known() -> None:
            if job is self._job:
                self._job = None
                self.resume()

        self._learn(job, result, known)

    def _on_job_failed(self, job: Job, error: EditorError) -> None:
        if job is self._job:
            self._job = None
            self.on = False  # it would fail again; asked for by hand, the user reads why
            self.works_changed.emit()

    def _on_job_cancelled(self, job: Job) -> None:
        if job is self._job:
            self._job = None
            self.resume()

    def _next_sweep(self) -> Request | None:
        """The unknown keyframes nearest to the values: of the slider in use, of the others, then between."""
        keys = self._order()
        for key, fine in (*((key, False) for key in keys), *((key, True) for key in keys[:1])):
            missing = self._missing(key, fine=fine)
            if missing:
                return sweep(self._draft.recipe, key, missing[:SWEEP_POSITIONS])
        return None

    def _order(self) -> list[SliderKey]:
        keys = self._draft.keys
        first = [key for key in self._group() if key in keys]
        return [*first, *(key for key in keys if key not in first)]

    def _missing(self, key: SliderKey, *, fine: bool) -> tuple[float, ...]:
        draft = self._draft
        pose, value, wanted = pose_of(draft.recipe), draft.value(key), draft.positions(key)
        if fine:
            wanted = between(wanted, value)
        unknown = [p for p in wanted if not self._pictures.knows(pose.moved({key: p}, draft.delay))]
        return tuple(sorted(unknown, key=lambda position: abs(position - value)))
