"""A batch as it runs: files are taken by lease, edited side by side, named and written down one by one.

    run = BatchRun(plan, recipe, needs, carry_out=…)
    run.prepare()           # what is wrong is said here, before anything is computed
    summary = run.run()

Each of a few threads does one whole file after the other, so while a model works on one, the next is
decoded and the last is encoded. The order of what happens to a file is what makes a kill at any moment
harmless:

    lease → work → result written beside and synced → result named → line in the manifest → lease given back

Pictures of one size are not put through a network together: what comes out would depend, by rounding, on
which pictures happened to wait beside each other, and a batch that was stopped would not end in the same
bytes.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from editor.batch.editing import CarriesOut
from editor.batch.leases import HOLDS_S, Lease, Leases, exclusively, host_name
from editor.batch.manifest import DONE, FAILED, Header, Line, Manifest, Mark
from editor.batch.memory import Room
from editor.batch.needs import Needs
from editor.batch.plan import Item, Plan
from editor.batch.recipe import BatchRecipe
from editor.batch.run_one import Job, Outcome, hash_of, run_one
from editor.system.atomic import sync_folder, writing_error
from inference.content import Contents
from inference.errors import Cancelled, EditorError, WritingError
from inference.messages import Message, listed
from inference.process.version import version
from inference.request import Request, Result
from inference.values import mended

_POLL_S = 0.5  # how often leases of other processes are looked at when nothing else is left
_MOST_NAMED = 5  # files in a message


class State(Enum):
    """What is known of a file."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What became of a file just now; `outcome` for those that this process did."""

    item: Item
    state: State
    line: Line | None = None
    error: EditorError | None = None


OnEvent: TypeAlias = Callable[[Event], None]


@dataclass(kw_only=True)
class Summary:
    """What came of a batch: of all its files, and of what this process did of it.

    `problem` is why it stopped before its end; `stopped` that somebody wished so.
    """

    total: int
    done: int = 0
    failed: int = 0
    made_here: int = 0
    failed_here: int = 0
    seconds: float = 0.0
    evaluations: int = 0
    problem: EditorError | None = None
    stopped: bool = False
    failures: list[Line] = field(default_factory=list[Line])

    @property
    def left(self) -> int:
        return self.total - self.done - self.failed

    @property
    def is_complete(self) -> bool:
        return self.done == self.total


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How a batch is carried out; none of it decides what comes out.

    Args:
        retry_failed: files that failed in an earlier run are done again.
        again: of those only these.
        overwrite: what lies at the results' places, and is none of this batch, is replaced.
        cores: threads at work; None is all that there are.
        memory_bytes: that the pictures at work may take together; see `Room`.
        holds_s: see `Leases`.
    """

    retry_failed: bool = False
    again: frozenset[PurePosixPath] = frozenset()
    overwrite: bool = False
    cores: int | None = None
    memory_bytes: int | None = None
    holds_s: float = HOLDS_S


class BatchRun:
    """One process's part of a batch; see the module's text.

    Args:
        carry_out: carries requests out for all threads.
        on_event: called on any thread.
    """

    def __init__(
        self,
        plan: Plan,
        recipe: BatchRecipe,
        needs: Needs,
        carry_out: CarriesOut,
        *,
        wishes: Wishes | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        self.plan = plan
        self.recipe = recipe
        self.manifest = Manifest(plan.target)
        self._needs = needs
        self._wishes = wishes or Wishes()
        self._on_event = on_event
        self._fingerprint = needs.fingerprint(recipe)
        self._leases = Leases(plan.target, self.manifest.locked, holds_s=self._wishes.holds_s)
        self._cores = self._wishes.cores or cores_here()
        self._job = Job(
            source=plan.source,
            recipe=recipe,
            model=needs.model,
            model_hash=needs.model_hash,
            fingerprint=self._fingerprint,
            carry_out=carry_out,
            check=self._check,
            cores=1,  # there are as many files at work as there are cores
            host=host_name(),
            room=Room(self._wishes.memory_bytes),
        )
        self._changed = threading.Condition()
        self._waiting: deque[Item] = deque()
        self._working = 0
        self._again: set[PurePosixPath] = set()  # failed before this run, and wanted again
        self._outdated: set[PurePosixPath] = set()  # done before this run, and no longer true
        self._stop = threading.Event()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._problem: EditorError | None = None
        self._here = Summary(total=len(plan.items))
        self._prepared = False

    # before

    def prepare(self) -> None:
        """Find out what would make the work vain, and begin or go on with the manifest.

        Raises:
            EditorError: another recipe's manifest, files in the results' places.
            WritingError: the folder of the results cannot be written to.
        """
        self.manifest.read()
        if not self._wishes.overwrite and self.manifest.header is None:
            # in a batch that goes on, what lies there is compared: its line may have been lost
            self._refuse_strangers()
        self.manifest.begin(
            Header(
                recipe=self.recipe.name,
                fingerprint=self._fingerprint,
                model=self._needs.model,
                model_hash=self._needs.model_hash,
                pattern=self.plan.pattern,
                content=self.recipe.to_json(),
                version=version(),
            )
        )
        failed = {path for path, line in self.manifest.lines.items() if line.state == FAILED}
        self._again = failed if self._wishes.retry_failed else failed & self._wishes.again
        self._waiting = deque(item for item in self.plan.items if not self._is_settled(item))
        lines = self.manifest.lines
        self._outdated = {one.path for one in self._waiting if one.path in lines} - failed
        self._prepared = True

    def state_of(self, item: Item) -> tuple[State, Line | None]:
        """What the manifest says of a file."""
        line = self.manifest.lines.get(item.path)
        if line is None or not self._is_settled(item):
            return State.WAITING, line
        return (State.DONE if line.state == DONE else State.FAILED), line

    def is_waiting(self, item: Item) -> bool:
        """Whether there is something to do."""
        return not self._is_settled(item)

    # the run

    def run(self) -> Summary:
        """Do what is to be done; what other processes hold is waited for. From any thread, once."""
        assert self._prepared, "prepare first"
        started = time.perf_counter()
        try:
            self._leases.begin()
            # one more than cores where a model works on one at a time: it never waits for a file
            count = min(self._cores + (1 if self.recipe.needs_model else 0), max(1, len(self._waiting)))
            threads = [
                threading.Thread(target=self._serve, name="attune-batch", daemon=True) for _ in range(count)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except WritingError as error:
            self._problem = error
        summary = self.summary()
        self._leases.close(finished=summary.left == 0)
        summary.seconds = time.perf_counter() - started
        return summary

    def join(self) -> None:
        """Begin to do files that somebody else hands out, by `do`.

        Raises:
            WritingError: the folder of the results cannot be written to.
        """
        self._leases.begin()

    def do(self, path: PurePosixPath) -> State:
        """One file, unless it is done already; one that another process holds is waited for.

        Raises:
            Cancelled: the batch is stopped.
            WritingError: the result cannot be written.
        """
        item = next(item for item in self.plan.items if item.path == path)
        while True:
            self._check()
            self.manifest.read()
            if self._is_settled(item):
                return self.state_of(item)[0]
            lease = self._taken(item)
            if lease is not None:
                self._do(item, lease)
            else:
                with self._changed:
                    self._waiting.clear()  # here nobody waits for what `_taken` puts off
                    self._changed.wait(_POLL_S)

    def leave(self) -> None:
        """The end of what `join` began."""
        self._leases.close(finished=False)

    def wait_for_others(self, seconds: float) -> bool:
        """Before `run`: wait for processes of this machine that are ending; whether none is left."""
        return self._leases.wait_for_others(seconds)

    def stop(self) -> None:
        """End soon: what is being worked on is left, and done another time."""
        self._stop.set()
        self._may_go_on.set()
        with self._changed:
            self._changed.notify_all()

    def pause(self, on: bool) -> None:
        """Begin no other file for now; those that are begun are finished."""
        if on and not self._stop.is_set():
            self._may_go_on.clear()
        else:
            self._may_go_on.set()

    @property
    def paused(self) -> bool:
        return not self._may_go_on.is_set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def summary(self) -> Summary:
        """What is known now."""
        with suppress(EditorError):
            self.manifest.read()
        found = Summary(
            total=self._here.total,
            made_here=self._here.made_here,
            failed_here=self._here.failed_here,
            problem=self._problem,
            stopped=self._stop.is_set() and self._problem is None,
        )
        for item in self.plan.items:
            line = self.manifest.lines.get(item.path)
            if line is None or line.fingerprint != self._fingerprint:
                continue
            found.evaluations += line.evaluations
            if item.path in self._outdated:
                continue
            if line.state == DONE:
                found.done += 1
            elif item.path not in self._again:
                found.failed += 1
                found.failures.append(line)
        return found

    # on the threads

    def _serve(self) -> None:
        try:
            while True:
                self._may_go_on.wait()
                taken = self._next()
                if taken is None:
                    return
                item, lease = taken
                try:
                    self._do(item, lease)
                finally:
                    with self._changed:
                        self._working -= 1
                        self._changed.notify_all()
        except Cancelled:
            return
        except WritingError as error:
            self._end_with(error)

    def _next(self) -> tuple[Item, Lease] | None:
        """The next file that nobody else works on; None when all are settled."""
        while not self._stop.is_set():
            with self._changed:
                turns = len(self._waiting)
            for _ in range(turns):
                if self._stop.is_set():
                    return None
                with self._changed:
                    if not self._waiting:
                        break
                    item = self._waiting.popleft()
                    self._working += 1
                found = None
                try:
                    found = self._taken(item)
                finally:
                    if found is None:
                        with self._changed:
                            self._working -= 1
                if found is not None:
                    return item, found
            with self._changed:
                if not self._waiting and not self._working:
                    return None
                if not self._waiting:
                    return None  # the others finish what is left
                self._changed.wait(_POLL_S)
        return None

    def _taken(self, item: Item) -> Lease | None:
        """The lease of a file that is still to be done; else it waits again, or is settled."""
        lease = self._leases.take(item.path)
        if lease is None:
            with self._changed:
                self._waiting.append(item)
            return None
        self.manifest.read()  # somebody may have done it since
        if self._is_settled(item):
            self._leases.give_back(lease)
            self._outdated.discard(item.path)
            self._tell(item, *self.state_of(item))
            return None
        return lease

    def _do(self, item: Item, lease: Lease) -> None:
        """One file from its lease to its line.

        Raises:
            Cancelled: the batch is stopped.
            WritingError: the result or the line cannot be written.
        """
        self._tell(item, State.WORKING, None)
        draft = self._leases.folder / f"{threading.get_ident()}{item.format.extensions[0]}"
        unwritten = lease.again  # the place of the result may hold what no line tells of
        try:
            outcome = run_one(item, self._job, draft)
            if outcome.error is not None and not self.plan.source.is_dir():
                raise WritingError(
                    "The folder “{path}” is gone.", "Is the drive connected?", path=self.plan.source
                )
            if not self._leases.holds(lease):  # this process slept so long that another took over
                with self._changed:
                    self._waiting.append(item)
                return
            if outcome.error is None:
                unwritten = True
                outcome = self._placed(item, lease, draft, outcome)
            self.manifest.add(outcome.line)
            unwritten = False
        except OSError as error:
            raise writing_error(self.plan.target / item.target, error) from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            self._leases.give_back(lease, keep=unwritten)
        self._again.discard(item.path)
        self._outdated.discard(item.path)
        with self._changed:
            failed = outcome.error is not None
            self._here.made_here += not failed
            self._here.failed_here += failed
        self._tell(item, State.FAILED if failed else State.DONE, outcome.line, outcome.error)

    def _placed(self, item: Item, lease: Lease, draft: Path, outcome: Outcome) -> Outcome:
        """Give a result its name; what lies there already is replaced only if it is this batch's.

        Raises:
            OSError: it cannot be named.
        """
        target = self.plan.target / item.target
        target.parent.mkdir(parents=True, exist_ok=True)
        if exclusively(draft, target):
            sync_folder(target.parent)
            return outcome
        known = self.manifest.lines.get(item.path)
        ours = lease.again or self._wishes.overwrite or (known is not None and known.state == DONE)
        if ours or hash_of(target) == outcome.line.output_hash:
            draft.replace(target)
            sync_folder(target.parent)
            return outcome
        error = _occupied([item])
        line = _failed(outcome.line, error)
        return Outcome(line=line, error=error)

    # inside

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled

    def _end_with(self, error: EditorError) -> None:
        with self._changed:
            if self._problem is None:
                self._problem = error
        self.stop()

    def _is_settled(self, item: Item) -> bool:
        """Whether there is nothing to do: it failed, or it was done from the same bytes and is there."""
        line = self.manifest.lines.get(item.path)
        if line is None or line.fingerprint != self._fingerprint or line.seed != item.seed:
            return False
        if line.state == FAILED:
            return item.path not in self._again
        return self._is_there(line) and self._is_same_input(item, line)

    def _is_there(self, line: Line) -> bool:
        return line.target is not None and (self.plan.target / line.target).is_file()

    def _is_same_input(self, item: Item, line: Line) -> bool:
        path = self.plan.source / item.path
        try:
            return Mark.of(path) == line.mark or hash_of(path) == line.input_hash
        except OSError:
            return True  # gone: its result is all that there is of it

    def _refuse_strangers(self) -> None:
        """Refuse to begin where results would meet files that are none of this batch.

        Raises:
            EditorError: which.
        """
        strangers = [
            item
            for item in self.plan.items
            if self.manifest.lines.get(item.path) is None
            and (self.plan.target / item.target).exists()
            and not self._leases.left(item.path)
        ]
        if strangers:
            raise _occupied(strangers)

    def _tell(self, item: Item, state: State, line: Line | None, error: EditorError | None = None) -> None:
        if self._on_event is not None:
            self._on_event(Event(item=item, state=state, line=line, error=error))


def cores_here() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_cores(count: int) -> None:
    """Let this process, and what it starts, work on so many cores at most, where the system can do that.

    Before torch is loaded, which takes as many threads as there are cores then.
    """
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    os.environ["OMP_NUM_THREADS"] = str(count)


class OneThread:
    """Carries requests of many threads out on one: a runner is for one thread at a time.

    `serve` is called by the thread that owns the runner, until `done` says that nothing more will come.
    """

    def __init__(self, run: Callable[[Request, Contents], Result]) -> None:
        self._run = run
        self._changed = threading.Condition()
        self._asked: deque[_Asked] = deque()
        self._closed = False

    def __call__(self, request: Request, contents: Contents) -> Result:
        asked = _Asked(request, contents)
        with self._changed:
            if self._closed:
                raise Cancelled
            self._asked.append(asked)
            self._changed.notify_all()
        asked.answered.wait()
        if asked.error is not None:
            raise asked.error
        assert asked.result is not None, "answered"
        return asked.result

    def serve(self, until: Callable[[], bool]) -> None:
        """Carry out what is asked for, until `until` says so; looked at five times a second."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._asked), 0.2)
                asked = self._asked.popleft() if self._asked else None
            if asked is not None:
                asked.carry_out(self._run)
            elif until():
                break
        self.close()

    def close(self) -> None:
        """Nobody serves any more: what waits is cancelled."""
        with self._changed:
            self._closed = True
            waiting = tuple(self._asked)
            self._asked.clear()
        for asked in waiting:
            asked.error = Cancelled()
            asked.answered.set()


class _Asked:
    def __init__(self, request: Request, contents: Contents) -> None:
        self.request, self.contents = request, contents
        self.answered = threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None

    def carry_out(self, run: Callable[[Request, Contents], Result]) -> None:
        try:
            self.result = run(self.request, self.contents)
        except BaseException as error:
            self.error = error
            if not isinstance(error, Exception):  # the thread itself is interrupted; who asked learns of it
                self.error = Cancelled()
                raise
        finally:
            self.answered.set()


def _occupied(items: Iterable[Item]) -> EditorError:
    names = [mended(str(item.target)) for item in items]
    shown: list[Any] = [*names[:_MOST_NAMED]]
    if len(names) > _MOST_NAMED:
        shown.append(Message("and {count} more", count=len(names) - _MOST_NAMED))
    return EditorError(
        "There is something already in the place of: {names}.",
        "Choose another folder for the results or other names, or have it replaced.",
        names=listed(shown),
    )


def _failed(line: Line, error: EditorError) -> Line:
    return replace(
        line,
        state=FAILED,
        target=None,
        output_hash="",
        error=(type(error).__name__, error.message, error.hint),
    )
