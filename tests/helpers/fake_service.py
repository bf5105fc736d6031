"""An inference service whose runner is a script: same queue, same signals, no torch, no child.

service = FakeService()                 # manual: the test decides what happens to each job
job = service.submit(request)
service.start()                         # the next waiting job runs: job_started
service.step(3, 10)                     # job_progress
service.finish()                        # job_finished with grey pictures, or finish(images=…)

service = FakeService(automatic=True)   # every job finishes on the next turn of the event loop
service.pictures = lambda request: (pixels,)
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from inference import worker
from inference.errors import EditorError
from inference.messages import Message
from inference.operations import AttributeSweep, SamplingParameters
from inference.progress import Measurements, Step
from inference.request import Pixels, Request, Result
from inference.service import Engine, InferenceService, Job


def grey_pictures(request: Request) -> tuple[Pixels, ...]:
    """Flat pictures of the requested size, one a position; the grey depends on the request only."""
    parameters = request.parameters
    count, width, height = 1, 128, 128
    if isinstance(parameters, AttributeSweep):
        count = max(len(parameters.positions), 1)
    if isinstance(parameters, SamplingParameters):
        width, height = parameters.width or width, parameters.height or height
    shades = [hash((repr(request.parameters), index)) % 256 for index in range(count)]
    return tuple(np.full((height, width, 3), shade, np.uint8) for shade in shades)


class FakeEngine(Engine):
    """Records commands; replies only when the test, or `automatic`, says so."""

    def __init__(self, automatic: bool, answer: Callable[[worker.Run], worker.Reply]) -> None:
        super().__init__()
        self.automatic = automatic
        self.commands: list[worker.Command] = []
        self._answer = answer

    def send(self, command: worker.Command) -> None:
        self.commands.append(command)
        if isinstance(command, worker.Preload):
            QTimer.singleShot(0, self, lambda: self.replied.emit(worker.Finished(command.job_id, None)))
        elif isinstance(command, worker.Cancel):
            QTimer.singleShot(0, self, lambda: self.replied.emit(worker.Stopped(command.job_id)))
        elif isinstance(command, worker.Run) and self.automatic:
            QTimer.singleShot(0, self, lambda: self.replied.emit(self._answer(command)))

    def stop(self, timeout_ms: int) -> bool:
        return True


class FakeService(InferenceService):
    """See the module's text."""

    def __init__(self, automatic: bool = False, parent: QObject | None = None) -> None:
        self.fake_engine = FakeEngine(automatic, self._answer)
        super().__init__(engine=self.fake_engine, parent=parent)
        self.submitted: list[Job] = []
        self.preloaded: list[str] = []
        self.pictures: Callable[[Request], tuple[Pixels, ...]] = grey_pictures
        self.maps: Mapping[str, NDArray[np.float32]] = {}
        self.fail_next: EditorError | None = None
        self.job_queued.connect(self.submitted.append)

    @property
    def running(self) -> Job:
        """The running job; starts the next waiting one if there is none."""
        self.start()
        assert self._running is not None, "no job is waiting or running"
        return self._running

    def preload(self, model: str) -> None:
        self.preloaded.append(model)
        super().preload(model)

    def start(self) -> None:
        """Start the next waiting job now, not on the next turn of the event loop."""
        self._dispatch()

    def step(self, done: int, total: int, preview: Pixels | None = None, phase: str = "sample") -> None:
        """Report a step of the running job."""
        step = Step(phase=phase, done=done, total=total, preview=preview)
        self._on_reply(worker.Stepped(self.running.id, step))

    def finish(self, images: tuple[Pixels, ...] | None = None) -> Job:
        """Finish the running job with `images`, or with what `pictures` makes of its request."""
        job = self.running
        self._on_reply(worker.Finished(job.id, self.result(job.request, images)))
        return job

    def fail(self, error: EditorError) -> Job:
        job = self.running
        self._on_reply(worker.Failed(job.id, error))
        return job

    def stopped(self) -> Job:
        """The running job reports that it was cancelled."""
        job = self.running
        self._on_reply(worker.Stopped(job.id))
        return job

    def crash(self) -> Job:
        """The child dies under the running job."""
        job = self.running
        self._on_reply(worker.Died("signal 9"))
        return job

    def set_status(self, text: Message) -> None:
        self._on_reply(worker.Status(text))

    def result(self, request: Request, images: tuple[Pixels, ...] | None = None) -> Result:
        return Result(
            request=request,
            images=self.pictures(request) if images is None else images,
            maps=dict(self.maps),
            measured=Measurements(seconds={"sample": 0.1}, denoiser_evaluations=2),
        )

    def _answer(self, command: worker.Run) -> worker.Reply:
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            return worker.Failed(command.job_id, error)
        return worker.Finished(command.job_id, self.result(command.request))
