"""The queue of jobs that the window talks to; the only module here that knows Qt.

    service = InferenceService(functools.partial(make_runner, settings_dir=…))
    job = service.submit(request, priority=Priority.INTERACTIVE, supersedes="slider:3")

All methods belong to the thread that made the service (the window's); all signals arrive there. Models
live in a child process (`inference.worker`), which this module starts with the first job or preload,
and again after it died. Every submitted job ends with exactly one of `job_finished`, `job_failed` and
`job_cancelled`.
"""

import contextlib
import itertools
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from multiprocessing import connection as mp_connection

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from inference import worker
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.progress import Step
from inference.reasons import reason_of
from inference.request import Pixels, Request, Result


class Priority(IntEnum):
    """Which waiting job runs first; equal ones run in the order of their submission."""

    INTERACTIVE = 0
    NORMAL = 1
    IDLE = 2


class JobState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class Job:
    """One submitted request; only the service writes to it."""

    id: int
    request: Request
    label: str = ""
    priority: Priority = Priority.NORMAL
    supersedes: str = ""
    state: JobState = JobState.QUEUED
    step: Step | None = None
    result: Result | None = None
    error: EditorError | None = None
    started_s: float = 0.0  # time.monotonic(); 0 while it waits
    ended_s: float = 0.0
    inputs: Mapping[str, Pixels] = field(default_factory=dict[str, Pixels], repr=False)

    @property
    def is_over(self) -> bool:
        return self.state in (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)

    @property
    def fraction(self) -> float:
        """How much of the current phase is done, 0..1."""
        return self.step.done / self.step.total if self.step and self.step.total else 0.0


class Engine(QObject):
    """What carries commands to a runner and brings replies back on the service's thread."""

    replied = Signal(object)  # Reply

    def send(self, command: worker.Command) -> None:
        """Hand a command over; never blocks."""
        raise NotImplementedError

    def stop(self, timeout_ms: int) -> bool:
        """End the runner; True if it went by itself within `timeout_ms`, else it was ended by force."""
        raise NotImplementedError


class InferenceService(QObject):
    """See the module's text.

    Args:
        make_runner: makes the `Runner`, in the child; a module-level function or a partial of one.
        in_process: run on a thread of this process instead of a child (tests, debugging).
        engine: replaces both, for tests.
    """

    job_queued = Signal(object)  # Job
    job_started = Signal(object)  # Job
    job_progress = Signal(object, object)  # Job, Step
    job_finished = Signal(object, object)  # Job, Result
    job_failed = Signal(object, object)  # Job, EditorError
    job_cancelled = Signal(object)  # Job
    status_changed = Signal(object)  # Message: what the engine is busy with beside jobs; "" for nothing
    device_changed = Signal(str)  # where the loaded model runs, such as "cpu" or "cuda"

    def __init__(
        self,
        make_runner: worker.RunnerFactory | None = None,
        in_process: bool = False,
        *,
        engine: Engine | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        if engine is None:
            if make_runner is None:
                raise TypeError("InferenceService needs make_runner or engine")
            engine = PipeEngine(make_runner, in_process=in_process, parent=self)
        self._engine = engine
        self._engine.replied.connect(self._on_reply)
        self._ids = itertools.count(1)
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._cancelling = False
        self._preloads: dict[int, str] = {}
        self._status = NOTHING
        self._device = ""
        self._closed = False
        self._dispatch_timer = QTimer(self, singleShot=True, interval=0)
        self._dispatch_timer.timeout.connect(self._dispatch)

    @property
    def status(self) -> Message:
        return self._status

    @property
    def device(self) -> str:
        """Where the engine's model runs, such as "cpu" or "cuda"; "" until one is loaded."""
        return self._device

    def jobs(self) -> tuple[Job, ...]:
        """The unfinished jobs: the running one, then the waiting ones in the order they will run."""
        running = (self._running,) if self._running else ()
        return (*running, *sorted(self._waiting, key=_turn))

    def submit(
        self,
        request: Request,
        inputs: Mapping[str, Pixels] | None = None,
        *,
        priority: Priority = Priority.NORMAL,
        supersedes: str = "",
        label: str = "",
    ) -> Job:
        """Queue `request`; `job_queued` is sent before this returns, `job_started` always after.

        An unfinished job with the same non-empty `supersedes` key is cancelled. IDLE jobs, waiting or
        running, are cancelled when a job of another priority arrives.
        """
        job = Job(
            id=next(self._ids),
            request=request,
            label=label,
            priority=priority,
            supersedes=supersedes,
            inputs=dict(inputs or {}),
        )
        for other in self.jobs():
            same_slider = bool(supersedes) and other.supersedes == supersedes
            in_the_way = other.priority is Priority.IDLE and priority is not Priority.IDLE
            if same_slider or in_the_way:
                self.cancel(other)
        self._waiting.append(job)
        self.job_queued.emit(job)
        if self._closed:
            self.cancel(job)
        self._dispatch_timer.start()
        return job

    def preload(self, model: str) -> None:
        """Load `model` in the background; a job that needs it waits for it, `status_changed` tells."""
        if not self._closed:
            job_id = next(self._ids)
            self._preloads[job_id] = model
            self._engine.send(worker.Preload(job_id, model))

    def cancel(self, job: Job) -> None:
        """Cancel a job: a waiting one is reported at once, a running one within one step."""
        if job in self._waiting:
            self._waiting.remove(job)
            self._end(job, JobState.CANCELLED)
        elif job is self._running and not self._cancelling:
            self._cancelling = True
            self._engine.send(worker.Cancel(job.id))

    def cancel_all(self) -> None:
        for job in reversed(self.jobs()):
            self.cancel(job)

    def shutdown(self, timeout_ms: int = 3000) -> None:
        """Cancel everything and end the child; after `timeout_ms` it is ended by force."""
        if self._closed:
            return
        self._closed = True
        self.cancel_all()
        self._engine.stop(timeout_ms)
        if self._running is not None:
            job, self._running = self._running, None
            self._end(job, JobState.CANCELLED)

    def _dispatch(self) -> None:
        if self._running is not None or not self._waiting or self._closed:
            return
        job = min(self._waiting, key=_turn)
        self._waiting.remove(job)
        for job_id, model in self._preloads.items():
            if model != job.request.model:
                self._engine.send(worker.Cancel(job_id))
        self._running = job
        self._cancelling = False
        job.state = JobState.RUNNING
        job.started_s = time.monotonic()
        self._engine.send(worker.Run(job.id, job.request, job.inputs))
        self.job_started.emit(job)

    def _on_reply(self, reply: worker.Reply) -> None:
        if isinstance(reply, worker.Finished):
            self._set_device(reply.device)
        if isinstance(reply, worker.Status):
            self._set_status(reply.text)
        elif isinstance(reply, worker.Died):
            self._on_died(reply)
        elif reply.job_id in self._preloads:
            self._on_preload(reply)
        elif self._running is not None and reply.job_id == self._running.id:
            self._on_job(self._running, reply)

    def _on_job(self, job: Job, reply: worker.JobReply) -> None:
        if isinstance(reply, worker.Stepped):
            if not self._cancelling:
                job.step = reply.step
                self.job_progress.emit(job, reply.step)
            return
        self._running = None
        self._dispatch_timer.start()
        if isinstance(reply, worker.Finished):
            job.result = reply.result
            # a cancellation that came too late: the caller no longer wants the picture
            self._end(job, JobState.CANCELLED if self._cancelling else JobState.FINISHED)
        elif isinstance(reply, worker.Failed):
            job.error = reply.error
            self._end(job, JobState.FAILED)
        else:
            self._end(job, JobState.CANCELLED)

    def _on_preload(self, reply: worker.JobReply) -> None:
        if isinstance(reply, worker.Stepped):
            percent = round(100 * reply.step.done / max(reply.step.total, 1))
            self._set_status(
                Message("Loading {model}… {percent} %", model=self._preloads[reply.job_id], percent=percent)
            )
            return
        model = self._preloads.pop(reply.job_id)
        if isinstance(reply, worker.Failed):
            self._set_status(
                Message("{model} could not be loaded: {reason}", model=model, reason=reply.error.sentence)
            )

    def _on_died(self, died: worker.Died) -> None:
        self._preloads.clear()
        self._set_status(NOTHING)
        if self._running is not None:
            job, self._running = self._running, None
            job.error = EditorError(
                "The image engine stopped unexpectedly ({reason}).",
                "It starts again with the next job. If this repeats, try a smaller picture or model.",
                reason=died.reason,
            )
            self._end(job, JobState.CANCELLED if self._cancelling else JobState.FAILED)
        self._dispatch_timer.start()

    def _set_status(self, text: Message) -> None:
        if text != self._status:
            self._status = text
            self.status_changed.emit(text)

    def _set_device(self, device: str) -> None:
        if device and device != self._device:
            self._device = device
            self.device_changed.emit(device)

    def _end(self, job: Job, state: JobState) -> None:
        job.state = state
        job.ended_s = time.monotonic()
        job.inputs = {}
        if state is JobState.FINISHED:
            self.job_finished.emit(job, job.result)
        elif state is JobState.FAILED:
            self.job_failed.emit(job, job.error)
        else:
            self.job_cancelled.emit(job)


def _turn(job: Job) -> tuple[int, int]:
    return (job.priority, job.id)


class _Thread(QThread):
    """Runs `body` when started."""

    def __init__(self, body: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._body = body

    def run(self) -> None:
        self._body()


class PipeEngine(Engine):
    """A runner in a child process (or, for tests, on a thread) at the other end of a pipe.

    The child is started with the first command and again with the first one after it died.
    """

    def __init__(
        self, make_runner: worker.RunnerFactory, *, in_process: bool, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._thread = _Thread(self._talk, parent=self)
        self._make_runner = make_runner
        self._in_process = in_process
        self._commands: queue.SimpleQueue[worker.Command] = queue.SimpleQueue()
        self._wake_reader, self._wake_writer = multiprocessing.Pipe(duplex=False)
        self._ending = threading.Event()
        self._kill = threading.Event()

    def send(self, command: worker.Command) -> None:
        if self._ending.is_set():
            return
        self._commands.put(command)
        self._wake_writer.send_bytes(b"c")
        if not self._thread.isRunning():
            self._thread.start()

    def stop(self, timeout_ms: int) -> bool:
        if not self._thread.isRunning():
            self._ending.set()
            return True
        self.send(worker.Shutdown())
        self._ending.set()
        if self._thread.wait(timeout_ms):
            return True
        self._kill.set()
        self._wake_writer.send_bytes(b"k")
        self._thread.wait()
        return False

    def _talk(self) -> None:
        """The thread: replies are emitted here and received on the service's thread."""
        child: _Child | None = None
        while not self._kill.is_set():
            sources = [self._wake_reader, *(child.sources if child else ())]
            ready = mp_connection.wait(sources)
            if self._wake_reader in ready:
                self._wake_reader.recv_bytes()
                child = self._forward(child)
            if child is not None and any(source in ready for source in child.sources):
                child = self._receive(child)
            if child is None and self._ending.is_set():
                return
        if child is not None:
            child.kill()

    def _forward(self, child: "_Child | None") -> "_Child | None":
        """Pass the next command on, to a new child if there is none."""
        if self._commands.empty():
            return child
        command = self._commands.get()
        if child is None:
            if isinstance(command, worker.Cancel | worker.Shutdown):
                return None
            try:
                child = _Child(self._make_runner, in_process=self._in_process)
            except OSError as error:
                self.replied.emit(
                    worker.Died(Message("it cannot be started: {reason}", reason=reason_of(error)))
                )
                return None
        with contextlib.suppress(OSError):  # it died just now; `_receive` finds out and says so
            child.connection.send(command)
        return child

    def _receive(self, child: "_Child") -> "_Child | None":
        try:
            if child.connection.poll():
                self.replied.emit(child.connection.recv())
                return child
        except (EOFError, OSError):
            pass
        reason = child.join()
        if not self._ending.is_set():
            self.replied.emit(worker.Died(reason))
        return None


class _Child:
    """A running `worker.serve`, in a process of its own or on a thread."""

    def __init__(self, make_runner: worker.RunnerFactory, *, in_process: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = None
        if in_process:
            self._thread = threading.Thread(
                target=_serve_on_thread, args=(theirs, make_runner), name="attune-runner", daemon=True
            )
            self._thread.start()
            return
        self._process = context.Process(
            target=worker.child_main, args=(theirs, make_runner), name="attune-inference", daemon=True
        )
        self._process.start()
        theirs.close()  # so that the pipe ends with the child

    @property
    def sources(self) -> tuple[mp_connection.Connection, ...]:
        return (self.connection,)

    def join(self) -> Message:
        """Wait for an ended child and say how it ended."""
        self.connection.close()
        if self._process is None:
            self._thread.join()
            return Message("its thread ended")
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return _exit_reason(self._process.exitcode)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self.connection.close()


def _serve_on_thread(connection: mp_connection.Connection, make_runner: worker.RunnerFactory) -> None:
    with connection:
        worker.serve(connection, make_runner, on_closed=lambda: None)


def _exit_reason(exitcode: int | None) -> Message:
    if exitcode == -9:
        return Message("signal 9, probably out of memory")
    if exitcode is not None and exitcode < 0:
        return Message("signal {signal}", signal=-exitcode)
    return Message("exit status {status}", status=exitcode)
