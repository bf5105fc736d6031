"""The queue of jobs that the window talks to; with `relay` the only module here that knows Qt.

    service = InferenceService(functools.partial(make_runner, settings_dir=…))
    job = service.submit(request, priority=Priority.INTERACTIVE, supersedes="slider:3")

All methods belong to the thread that made the service (the window's); all signals arrive there. Models
live in a child process (`inference.worker`), which this module starts with the first job or preload,
and again after it died. Every submitted job ends with exactly one of `job_finished`, `job_failed` and
`job_cancelled`.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import queue
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from multiprocessing import connection as mp_connection
from typing import TYPE_CHECKING, Any, TypeAlias

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from inference import worker
from inference.downloads.curated import title_of
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.process.isolation import isolate
from inference.process.settled import settled_path
from inference.progress import Measurements, Step
from inference.reasons import reason_of
from inference.relay import relay
from inference.request import Request, Result

if TYPE_CHECKING:
    from inference.content import Contents

_KILL_S = 1.0  # a process that is killed is gone in so many seconds, or is not waited for


class Priority(IntEnum):
    """Which waiting job runs first; equal ones run in the order of their submission."""

    INTERACTIVE = 0
    NORMAL = 1
    LONG = 2  # parked while anything above it runs
    IDLE = 3  # cancelled when anything above it comes


class JobState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"  # a long job that made room; it goes on by itself
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


Done: TypeAlias = "Callable[[Job, Result], object]"
NotDone: TypeAlias = "Callable[[Job, EditorError], object]"
NotWanted: TypeAlias = "Callable[[Job], object]"


Completed: TypeAlias = "Callable[[Request, Contents], tuple[Request, Contents]]"
"""What is sent instead of a request and its contents: with what the user's libraries have for it."""


def as_given(request: Request, contents: Contents) -> tuple[Request, Contents]:
    """Nothing is added."""
    return request, contents


@dataclass(frozen=True)
class Answers:
    """Who is told how a job ended; nobody once `owner` is gone."""

    owner: QObject | None = None
    done: Done | None = None
    failed: NotDone | None = None
    stopped: NotWanted | None = None


@dataclass(eq=False)
class Job:
    """One submitted request; only the service writes to it.

    `checkpoint` is what a long job goes on from when it was parked, or begins with.
    """

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
    contents: Contents = field(default_factory=dict[str, Any], repr=False)
    checkpoint: bytes | None = field(default=None, repr=False)
    measured: Measurements | None = None
    answers: Answers = field(default_factory=Answers, repr=False)

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

    Attributes:
        completed: asked when a job's turn comes; what it gives is sent, and `Job.request` stays as it was.
    """

    job_queued = Signal(object)  # Job
    job_started = Signal(object)  # Job
    job_progress = Signal(object, object)  # Job, Step
    job_finished = Signal(object, object)  # Job, Result
    job_failed = Signal(object, object)  # Job, EditorError
    job_cancelled = Signal(object)  # Job
    job_parked = Signal(object)  # Job: it waits again, and goes on where it was
    job_checkpoint = Signal(object)  # Job: `checkpoint` is newer
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
        relay()  # made here, on this thread: from now on it alone looks for garbage
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
        self._setting_aside = False
        self._owners: set[int] = set()  # by identity; those whose end is followed
        self._preloads: dict[int, str] = {}
        self._status = NOTHING
        self._device = ""
        self._closed = False
        self.completed: Completed = as_given
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
        contents: Contents | None = None,
        *,
        priority: Priority = Priority.NORMAL,
        supersedes: str = "",
        label: str = "",
        checkpoint: bytes | None = None,
        measured: Measurements | None = None,
        owner: QObject | None = None,
        done: Done | None = None,
        failed: NotDone | None = None,
        stopped: NotWanted | None = None,
    ) -> Job:
        """Queue `request`; `job_queued` is sent before this returns, `job_started` always after.

        Exactly one of `done`, `failed` and `stopped` is called, before the signal that says the same; none
        once `owner` is gone, and its jobs are cancelled with it. An unfinished job with the same non-empty
        `supersedes` key is cancelled. `checkpoint` is what a LONG job goes on from, and `measured` what it
        cost until then. A running LONG job is parked when one above it arrives; IDLE jobs,
        waiting or running, are cancelled then.
        """
        job = Job(
            id=next(self._ids),
            request=request,
            label=label,
            priority=priority,
            supersedes=supersedes,
            contents=dict(contents or {}),
            checkpoint=checkpoint,
            measured=measured,
            answers=Answers(owner, done, failed, stopped),
        )
        if owner is not None:
            self._follow(owner)
        for other in self.jobs():
            same_slider = bool(supersedes) and other.supersedes == supersedes
            in_the_way = other.priority is Priority.IDLE and priority is not Priority.IDLE
            if same_slider or in_the_way:
                self.cancel(other)
        self._waiting.append(job)
        self._make_room(job)
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

    def set_aside(self, job: Job) -> None:
        """End a job as `cancel` does, a running LONG one with its newest state in `checkpoint`."""
        begun = job.step is not None and job.step.phase != "load"
        if job is self._running and job.priority is Priority.LONG and begun and not self._cancelling:
            self._setting_aside = True
            self._engine.send(worker.Park(job.id))
        else:
            self.cancel(job)

    def _make_room(self, job: Job) -> None:
        """A running long job makes room for one that is more urgent."""
        running = self._running
        if running is not None and running.priority is Priority.LONG and job.priority < Priority.LONG:
            self._engine.send(worker.Park(running.id))

    def _follow(self, owner: QObject) -> None:
        """Cancel an owner's jobs when it is destroyed."""
        name = id(owner)
        if name in self._owners:
            return
        self._owners.add(name)

        def gone() -> None:
            self._owners.discard(name)
            if not (isValid(self) and isValid(self._engine)):  # the service goes as well, with its jobs
                return
            for job in reversed(self.jobs()):
                if id(job.answers.owner) == name:
                    job.answers = Answers()
                    self.cancel(job)

        owner.destroyed.connect(gone)

    def cancel_all(self) -> None:
        for job in reversed(self.jobs()):
            self.cancel(job)

    def shutdown(self, timeout_ms: int = 2000) -> None:
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
        self._cancelling = self._setting_aside = False
        job.state = JobState.RUNNING
        job.started_s = time.monotonic()
        try:
            request, contents = self.completed(job.request, job.contents)
        except EditorError as error:
            self._running, job.error = None, error
            self._dispatch_timer.start()
            self._end(job, JobState.FAILED)
            return
        self._engine.send(worker.Run(job.id, request, contents, job.checkpoint, job.measured))
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
        if isinstance(reply, worker.Checkpointed | worker.Parking):
            job.checkpoint, job.measured = reply.state, reply.measured
            if isinstance(reply, worker.Checkpointed):
                self.job_checkpoint.emit(job)
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
        elif isinstance(reply, worker.Parking) and not (self._cancelling or self._setting_aside):
            job.state = JobState.PARKED
            self._waiting.append(job)
            self.job_parked.emit(job)
        else:
            self._end(job, JobState.CANCELLED)

    def _on_preload(self, reply: worker.JobReply) -> None:
        if isinstance(reply, worker.Stepped):
            percent = round(100 * reply.step.done / max(reply.step.total, 1))
            model = title_of(self._preloads[reply.job_id])
            self._set_status(Message("Loading {model}… {percent} %", model=model, percent=percent))
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
        job.contents = {}
        answers, job.answers = job.answers, Answers()
        if state is JobState.FINISHED:
            _tell(answers.done, job, job.result)
            self.job_finished.emit(job, job.result)
        elif state is JobState.FAILED:
            _tell(answers.failed, job, job.error)
            self.job_failed.emit(job, job.error)
        else:
            _tell(answers.stopped, job)
            self.job_cancelled.emit(job)


def _tell(answer: Callable[..., object] | None, *what: object) -> None:
    if answer is not None:
        answer(*what)


def _turn(job: Job) -> tuple[int, int]:
    return (job.priority, job.id)


class PipeEngine(Engine):
    """A runner in a child process (or, for tests, on a thread) at the other end of a pipe.

    The child is started with the first command and again with the first one after it died. The thread that
    talks to it is a daemon, and holds nothing of Qt but what `relay` guards: a window that ends without
    `stop` takes neither harm nor time.
    """

    def __init__(
        self, make_runner: worker.RunnerFactory, *, in_process: bool, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        isolate()  # what the child may import
        relay()  # made here, on the service's thread
        self._link = _Link(weakref.ref(self), make_runner, in_process=in_process)
        weakref.finalize(self, self._link.end).atexit = False

    def send(self, command: worker.Command) -> None:
        self._link.send(command)

    def stop(self, timeout_ms: int) -> bool:
        return self._link.stop(timeout_ms / 1000)


class _Link:
    """The thread between an engine and its child, and what both sides of it share."""

    def __init__(
        self, engine: weakref.ref[Engine], make_runner: worker.RunnerFactory, *, in_process: bool
    ) -> None:
        self._engine = engine
        self._make_runner = make_runner
        self._in_process = in_process
        self._commands: queue.SimpleQueue[worker.Command] = queue.SimpleQueue()
        self._wake_reader, self._wake_writer = multiprocessing.Pipe(duplex=False)
        self._awake = threading.Event()  # a wake-up is in the pipe, which so never fills
        self._ending = threading.Event()
        self._kill = threading.Event()
        self._thread: threading.Thread | None = None
        self._child: _Child | None = None

    def send(self, command: worker.Command) -> None:
        if self._ending.is_set():
            return
        self._commands.put(command)
        self._wake()
        if self._thread is None:
            self._thread = threading.Thread(target=self._talk, name="attune-engine", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End the child; True if it went by itself within `timeout_s`, else it was ended by force."""
        thread = self._thread
        if thread is None:
            self._ending.set()
            return True
        self.send(worker.Shutdown())
        self._ending.set()
        thread.join(timeout_s)
        if not thread.is_alive():
            return True
        self.end()
        thread.join(_KILL_S)
        return False

    def end(self) -> None:
        """End the child by force. A pipe that it does not read from is closed with it."""
        self._ending.set()
        self._kill.set()
        child = self._child
        if child is not None:
            child.kill()
        self._wake()

    def _wake(self) -> None:
        if not self._awake.is_set():
            self._awake.set()
            self._wake_writer.send_bytes(b"w")

    def _tell(self, reply: worker.Reply) -> None:
        def emit() -> None:
            engine = self._engine()
            if engine is not None:
                engine.replied.emit(reply)

        relay().post_to(self._engine, emit)

    def _talk(self) -> None:
        """The thread: replies are told from here and received on the service's thread."""
        while not self._kill.is_set():
            child = self._child
            ready = mp_connection.wait([self._wake_reader, *(child.sources if child else ())])
            if self._wake_reader in ready:
                self._wake_reader.recv_bytes()
                self._awake.clear()
                self._forward_all()
            if child is not None and child is self._child and any(one in ready for one in child.sources):
                self._receive(child)
            if self._child is None and self._ending.is_set():
                return
        if self._child is not None:
            self._child.kill()
            self._child.close()

    def _forward_all(self) -> None:
        while not self._commands.empty() and not self._kill.is_set():
            self._forward(self._commands.get())

    def _forward(self, command: worker.Command) -> None:
        """Pass a command on, to a new child if there is none."""
        if self._child is None:
            if isinstance(command, worker.Cancel | worker.Shutdown):
                return
            try:
                self._child = _Child(self._make_runner, in_process=self._in_process)
            except OSError as error:
                self._tell(worker.Died(Message("it cannot be started: {reason}", reason=reason_of(error))))
                return
        with contextlib.suppress(OSError):  # it died just now; `_receive` finds out and says so
            self._child.connection.send(command)

    def _receive(self, child: _Child) -> None:
        try:
            if child.connection.poll():
                self._tell(child.connection.recv())
                return
        except (EOFError, OSError):
            pass
        reason = child.join()
        self._child = None
        if not self._ending.is_set():
            self._tell(worker.Died(reason))


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
        with settled_path():
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
        """End it by force, from any thread; a stopped process as well."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Let go of what was killed."""
        self.connection.close()
        if self._process is not None:
            self._process.join(_KILL_S)


def _serve_on_thread(connection: mp_connection.Connection, make_runner: worker.RunnerFactory) -> None:
    with connection:
        worker.serve(connection, make_runner, on_closed=lambda: None)


def _exit_reason(exitcode: int | None) -> Message:
    if exitcode == -9:
        return Message("signal 9, probably out of memory")
    if exitcode is not None and exitcode < 0:
        return Message("signal {signal}", signal=-exitcode)
    return Message("exit status {status}", status=exitcode)
