"""The child process that owns the models, so that torch never holds the window's interpreter lock.

The parent sends `Run`, `Cancel`, `Park`, `Preload` and `Shutdown`; the child answers with `Stepped`,
`Checkpointed`, `Finished`, `Failed`, `Stopped`, `Parking` and `Status`. Both ends are ours: nothing else can
write to the pipe. The child ends
when the pipe closes, which it does when the parent ends in whatever way.
"""

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from inference.downloads.curated import title_of
from inference.errors import Cancelled, EditorError, Parked
from inference.messages import NOTHING, Message
from inference.process.hub import stay_offline
from inference.process.isolation import leave_working_directory
from inference.progress import Measurements, Progress, Step
from inference.request import Request, Result

if TYPE_CHECKING:
    from inference.content import Contents

STEP_INTERVAL_S = 1 / 30  # the window redraws no faster
NICENESS = 5

log = logging.getLogger(__name__)


class RunsRequests(Protocol):
    """What the worker needs of `inference.runner.Runner`."""

    def run(
        self, request: Request, contents: "Contents", progress: Progress, resume: bytes | None = None
    ) -> Result: ...

    def preload(self, model: str, progress: Progress) -> None: ...

    @property
    def device(self) -> str:
        """Where the loaded model runs, such as "cpu" or "cuda"; "" before one is loaded."""
        ...


RunnerFactory: TypeAlias = Callable[[], RunsRequests]


@dataclass(frozen=True)
class Run:
    job_id: int
    request: Request
    contents: "Contents" = field(default_factory=dict[str, Any])
    resume: bytes | None = None  # the checkpoint that a long job goes on from, and what it cost so far
    measured: Measurements | None = None


@dataclass(frozen=True)
class Park:
    """A long job shall make room at its next checkpoint."""

    job_id: int


@dataclass(frozen=True)
class Cancel:
    job_id: int


@dataclass(frozen=True)
class Preload:
    job_id: int
    model: str


@dataclass(frozen=True)
class Shutdown:
    pass


@dataclass(frozen=True)
class Stepped:
    job_id: int
    step: Step


@dataclass(frozen=True)
class Finished:
    """`result` is None for a preload; `device` is where the model ran, "" if that is not known."""

    job_id: int
    result: Result | None
    device: str = ""


@dataclass(frozen=True)
class Failed:
    job_id: int
    error: EditorError


@dataclass(frozen=True)
class Checkpointed:
    """A state that a long job could go on from, and what it cost so far."""

    job_id: int
    state: bytes
    measured: Measurements


@dataclass(frozen=True)
class Parking:
    """A long job made room; it goes on from this state."""

    job_id: int
    state: bytes
    measured: Measurements


@dataclass(frozen=True)
class Stopped:
    """The job ended because it was cancelled."""

    job_id: int


@dataclass(frozen=True)
class Status:
    text: Message


@dataclass(frozen=True)
class Died:
    """The child ended without being told to; made by the parent's side."""

    reason: Message


Command: TypeAlias = Run | Cancel | Park | Preload | Shutdown
JobReply: TypeAlias = Stepped | Checkpointed | Finished | Failed | Stopped | Parking
Reply: TypeAlias = JobReply | Status | Died


class _Mailbox:
    """Reads commands on a thread of its own, so that a cancellation arrives while a job runs."""

    def __init__(self, connection: Connection, on_closed: Callable[[], None]) -> None:
        self.work: queue.SimpleQueue[Run | Preload | Shutdown] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._parked: set[int] = set()
        self._closed = False
        self._connection = connection
        self._on_closed = on_closed
        threading.Thread(target=self._read, name="attune-mailbox", daemon=True).start()

    def is_cancelled(self, job_id: int) -> bool:
        return self._closed or job_id in self._cancelled

    def is_parked(self, job_id: int) -> bool:
        return job_id in self._parked

    def forget(self, job_id: int) -> None:
        self._cancelled.discard(job_id)
        self._parked.discard(job_id)

    def _read(self) -> None:
        while True:
            try:
                command: Command = self._connection.recv()
            except (EOFError, OSError):
                self._closed = True
                self.work.put(Shutdown())
                self._on_closed()
                return
            if isinstance(command, Cancel):
                self._cancelled.add(command.job_id)
            elif isinstance(command, Park):
                self._parked.add(command.job_id)
            else:
                self.work.put(command)
                if isinstance(command, Shutdown):
                    return


def serve(connection: Connection, make_runner: RunnerFactory, on_closed: Callable[[], None]) -> None:
    """Run what arrives on `connection`, one job at a time, until `Shutdown`."""
    mailbox = _Mailbox(connection, on_closed)
    runner: RunsRequests | None = None
    while True:
        command = mailbox.work.get()
        if isinstance(command, Shutdown):
            return
        try:
            if runner is None:
                connection.send(Status(Message("Starting the image engine…")))
                runner = make_runner()
            reply = _carry_out(command, runner, connection, mailbox)
        except Cancelled:
            reply = Stopped(command.job_id)
        except EditorError as error:
            reply = Failed(command.job_id, error)
        except OSError:  # the pipe closed: nobody is left to hear
            return
        except Exception as error:  # a defect of one job must not stop the queue
            log.exception("%s failed", type(command).__name__)
            reply = Failed(command.job_id, _defect(error))
        mailbox.forget(command.job_id)
        with contextlib.suppress(OSError):
            connection.send(Status(NOTHING))
            connection.send(reply)


def _carry_out(
    command: Run | Preload, runner: RunsRequests, connection: Connection, mailbox: _Mailbox
) -> Finished | Parking:
    job_id = command.job_id
    measured = command.measured if isinstance(command, Run) and command.measured else Measurements()
    progress = Progress(
        _Throttle(connection, job_id).report,
        cancel_requested=lambda: mailbox.is_cancelled(job_id),
        park_requested=lambda: mailbox.is_parked(job_id),
        on_checkpoint=lambda state: connection.send(Checkpointed(job_id, state, measured)),
        measured=measured,
    )
    progress.check()
    if isinstance(command, Preload):
        connection.send(Status(Message("Loading {model}…", model=title_of(command.model))))
        runner.preload(command.model, progress)
        return Finished(command.job_id, None, runner.device)
    try:
        result = runner.run(command.request, command.contents, progress, command.resume)
    except Parked as parked:
        return Parking(job_id, parked.state, measured)
    return Finished(job_id, result, runner.device)


class _Throttle:
    """Sends steps no faster than the window shows them; previews and last steps always."""

    def __init__(self, connection: Connection, job_id: int) -> None:
        self._connection = connection
        self._job_id = job_id
        self._next_s = 0.0
        self._phase = ""

    def report(self, step: Step) -> None:
        now = time.monotonic()
        matters = step.preview is not None or step.done >= step.total or step.phase != self._phase
        if matters or now >= self._next_s:
            self._next_s = now + STEP_INTERVAL_S
            self._phase = step.phase
            self._connection.send(Stepped(self._job_id, step))


def _defect(error: Exception) -> EditorError:
    detail = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return EditorError(
        "An unexpected problem stopped this job ({detail}).",
        "Nothing was changed; the details are in the log. Try again or restart Attune.",
        detail=detail,
    )


def child_main(connection: Connection, make_runner: RunnerFactory) -> None:
    """The child process: polite to the window, and gone as soon as the parent is."""
    # Threads that wait by spinning wait for the window's thread too when that has taken their core: with both
    # cores of two busy, a denoiser's step took 10 to 100 times as long. Read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _leave_interrupts_to_parent()
    leave_working_directory()
    stay_offline()
    _be_polite()
    _end_with_parent()
    serve(connection, make_runner, on_closed=_vanish)


def _leave_interrupts_to_parent() -> None:
    """Ctrl-C reaches all processes of a terminal: the window decides what becomes of jobs, and ends us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _be_polite() -> None:
    if sys.platform == "win32":
        import ctypes

        below_normal = 0x00004000
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
    else:
        with contextlib.suppress(OSError):
            os.nice(NICENESS)


def _end_with_parent() -> None:
    """On Linux the kernel ends us with the parent's thread, even inside long native code.

    Elsewhere, and for every other case, the closed pipe does.
    """
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _vanish() -> None:
    os._exit(0)  # no clean-up: a job may be in the middle of native code, and nobody waits for it
