"""Jobs that take minutes to hours: kept on disk while they run, to go on after a stop, a crash or a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.generating.learnt_files import Added, check_name, learnt_kinds
from editor.recovery.checkpoints import Checkpoint, Checkpoints, Held, Leftover, name_of
from editor.system.errors import WritingError
from editor.system.folders import checkpoints_folder, concepts_folder
from editor.words.said import said
from inference.concepts.library import ConceptLibrary
from inference.errors import EditorError
from inference.messages import Message
from inference.progress import Measurements
from inference.request import Request, Result
from inference.service import Job, Priority

if TYPE_CHECKING:
    from inference.deltas import DeltaLibrary

translate = QCoreApplication.translate


@dataclass(eq=False)
class _Work:
    """What belongs to one job that runs or waits. `held` is None where nothing can be kept."""

    request: Request
    contents: Mapping[str, Any]
    label: str
    held: Held | None
    done: int = 0
    total: int = 0
    writing: bool = False
    newer: Checkpoint | None = field(default=None, repr=False)  # came while another was written
    warned: bool = False


@dataclass(frozen=True)
class _Prepared:
    held: Held | None
    checkpoint: Checkpoint
    problem: EditorError | None = None


class LongJobs(Controller):
    """Submits long jobs, follows them to the disk, and keeps what they make.

    What was learnt goes into its library; only then its checkpoint is deleted. All files are touched
    on one background thread, in order.
    """

    changed = Signal()  # other jobs are stopped, or run
    begun = Signal(object)  # Job
    kept = Signal(object)  # DeltaInfo, or Kept of a concept: it is in the library
    failed = Signal(object)  # EditorError: told already

    def __init__(
        self,
        shell: Shell,
        library: DeltaLibrary,
        folder: Path | None = None,
        concepts: ConceptLibrary | None = None,
    ) -> None:
        super().__init__(shell)
        self._concepts = concepts or ConceptLibrary(concepts_folder())
        self._learnt = learnt_kinds(library, self._concepts)
        self._store = Checkpoints(folder or checkpoints_folder())
        self._work: dict[Job, _Work] = {}
        self._left: tuple[Leftover, ...] = ()
        self._closing = False
        service = shell.service
        service.job_checkpoint.connect(self._on_checkpoint)
        service.job_parked.connect(self._on_checkpoint)
        service.job_progress.connect(self._on_progress)

    @property
    def running(self) -> tuple[Job, ...]:
        """The long jobs that run, wait or are parked."""
        return tuple(self._work)

    @property
    def stopped(self) -> tuple[Leftover, ...]:
        """What can go on, newest first."""
        return self._left

    def start(self) -> None:
        """Look for what other runs left."""
        self._look()

    def submit(self, request: Request, contents: Mapping[str, Any], label: str) -> None:
        """Begin a job from the beginning; `begun` tells it. A stopped one of the same request is given up."""
        first = Checkpoint(request=request, label=label, contents=dict(contents))

        def prepare() -> _Prepared:
            check_name(request, self._concepts)
            try:
                held = self._store.hold(name_of(request))
            except WritingError as error:
                return _Prepared(None, first, error)
            try:
                held.write(first)
            except WritingError as error:
                return _Prepared(held, first, error)
            return _Prepared(held, first)

        self._on_disk(prepare, self._submit)

    def go_on(self, leftover: Leftover) -> None:
        """Take a stopped job up where it was."""

        def prepare() -> _Prepared:
            held = self._store.hold(leftover.name)
            try:
                return _Prepared(held, held.read())
            except EditorError:
                held.release()
                raise

        if self._drop(leftover):
            self._on_disk(prepare, self._submit)

    def discard(self, leftover: Leftover) -> None:
        """Delete a stopped job's file."""

        def remove() -> None:
            with self._store.hold(leftover.name) as held:
                held.remove()

        if self._drop(leftover):
            self._on_disk(remove, _nothing)

    def stop(self, job: Job) -> None:
        """Stop a job where it is; it is among `stopped` then."""
        self._shell.service.set_aside(job)

    def keep(self, source: Job | Leftover) -> None:
        """Put what a job has learnt until its last checkpoint into the library; it is not disturbed."""
        if isinstance(source, Job):
            work, state = self._work.get(source), source.checkpoint
            if work is None:
                return
            request, contents = work.request, work.contents
            self._on_disk(lambda: self._added(state, request, contents), self.kept.emit)
            return

        def add() -> Added:
            with self._store.hold(source.name) as held:
                last = held.read()
            return self._added(last.state, last.request, last.contents)

        self._on_disk(add, self.kept.emit)

    def keep_checkpoint(self, request: Request, contents: Mapping[str, Any], state: bytes) -> None:
        """Put what a job had learnt at one of its checkpoints into the library; it may have ended since."""
        self._on_disk(lambda: self._added(state, request, contents), self.kept.emit)

    def close(self) -> None:
        """The end of the session: what stops from here on is left to the next one."""
        self._closing = True

    # inside

    def _submit(self, prepared: _Prepared) -> None:
        first = prepared.checkpoint
        work = _Work(first.request, first.contents, first.label, prepared.held, first.done, first.total)
        job = self._shell.service.submit(
            first.request,
            first.contents,
            label=first.label,
            priority=Priority.LONG,
            checkpoint=first.state,
            measured=first.measured if first.state is not None else None,
            owner=self,
            done=self._on_done,
            failed=self._on_failed,
            stopped=self._on_stopped,
        )
        self._work[job] = work
        if prepared.problem is not None:
            self._warn(work, prepared.problem)
        self.begun.emit(job)
        self.changed.emit()

    def _added(self, state: bytes | None, request: Request, contents: Mapping[str, Any]) -> Added:
        """Any thread."""
        if state is None:
            raise EditorError("Nothing has been learnt yet.", "Let it learn for a while.")
        kind = self._learnt[request.declared.artifact]
        return kind.add(kind.file_of(state), request, contents)

    def _on_progress(self, job: Job) -> None:
        work = self._work.get(job)
        if work is not None and job.step is not None and job.step.phase != "load":
            work.done, work.total = job.step.done, job.step.total

    def _on_checkpoint(self, job: Job) -> None:
        work = self._work.get(job)
        if work is not None:
            self._write(work, self._so_far(job, work))

    def _so_far(self, job: Job, work: _Work) -> Checkpoint:
        return Checkpoint(
            request=work.request,
            label=work.label,
            done=work.done,
            total=work.total,
            state=job.checkpoint,
            contents=work.contents,
            measured=job.measured or Measurements(),
        )

    def _write(self, work: _Work, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; of those that come while one is written the last is written next."""
        held = work.held
        if held is None:
            return
        if work.writing:
            work.newer = checkpoint
            return
        work.writing = True

        def written(error: EditorError | None) -> None:
            work.writing = False
            if error is not None:
                self._warn(work, error)
            newer, work.newer = work.newer, None
            if newer is not None:
                self._write(work, newer)

        self._shell.background.run(
            lambda: held.write(checkpoint), lambda _: written(None), written, in_order=True
        )

    def _warn(self, work: _Work, error: EditorError) -> None:
        """Once for each job: it goes on, and what was kept before stays."""
        if work.warned:
            return
        work.warned = True
        text = translate("LongJobs", "What “{label}” has done so far cannot be kept: {reason}")
        self._shell.message.emit(
            text.format(label=work.label, reason=said(error.sentence)), said(error.advice), "warning"
        )

    def _on_done(self, job: Job, result: Result) -> None:
        work = self._work.pop(job)
        work.newer = None
        artifact = work.request.declared.artifact
        content = result.artifacts.get(artifact)
        for note in result.notes:
            self._shell.message.emit(said(note), "", "warning")

        def finish() -> Added | None:
            try:
                info = None
                if content is not None:
                    info = self._learnt[artifact].add(content, work.request, work.contents)
                if work.held is not None:
                    work.held.remove()
                return info
            finally:
                _release(work)

        def told(info: Added | None) -> None:
            if info is not None:
                self.kept.emit(info)

        self._on_disk(finish, told)
        self.changed.emit()

    def _on_failed(self, job: Job, error: EditorError) -> None:
        self._end(job)
        self._shell.report(error)
        self.failed.emit(error)

    def _on_stopped(self, job: Job) -> None:
        self._end(job)

    def _end(self, job: Job) -> None:
        """What is there so far stays; a job without any is forgotten."""
        work = self._work.pop(job)
        work.newer = None
        if self._closing:
            _release(work)
            return
        last = self._so_far(job, work) if job.checkpoint is not None else None

        def end() -> None:
            try:
                if work.held is not None and last is None:
                    work.held.remove()
                elif work.held is not None and last is not None:
                    work.held.write(last)
            finally:
                _release(work)

        self._on_disk(end, _nothing)
        self.changed.emit()

    def _drop(self, leftover: Leftover) -> bool:
        """Forget a stopped job, before anything is done with it; False if it was forgotten already."""
        if leftover not in self._left:
            return False
        self._left = tuple(one for one in self._left if one is not leftover)
        self.changed.emit()
        return True

    def _on_disk(self, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        """Touch files on the background thread, then look at what is left there."""

        def answered(value: Any) -> None:
            done(value)
            self._look()

        def failed(error: EditorError) -> None:
            self._shell.report(error)
            self._look()

        self._shell.background.run(work, answered, failed, in_order=True)

    def _look(self) -> None:
        self._shell.background.run(self._store.left, self._on_found, self._shell.report, in_order=True)

    def _on_found(self, found: tuple[tuple[Leftover, ...], tuple[Message, ...]]) -> None:
        left, problems = found
        for problem in problems:
            self._shell.message.emit(said(problem), "", "warning")
        if left != self._left:
            self._left = left
            self.changed.emit()


def _release(work: _Work) -> None:
    if work.held is not None:
        work.held.release()


def _nothing(_: object) -> None:
    """Nothing more is to be done."""
