"""The window's batch: one at a time, its files edited beside everything else. The controller "batches"."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from editor.batch.from_history import Candidate, candidates_of, recipe_of
from editor.batch.manifest import Line
from editor.batch.needs import Needs, completed, needs_of
from editor.batch.on_document import applied
from editor.batch.plan import Item, make_plan
from editor.batch.recipe import BatchRecipe, read_recipe, save_recipe
from editor.batch.remembered import Order, remember, remembered
from editor.batch.report import write_contact_sheet, write_report
from editor.batch.running import BatchRun, Event, State, Summary, Wishes, cores_here
from editor.commands import ReplaceState
from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.layers.state import DocumentState
from editor.system.cores import limit_children
from editor.system.folders import concepts_folder, config_folder, data_folder
from inference.concepts.library import ConceptLibrary
from inference.content import Contents
from inference.errors import Cancelled, EditorError, WritingError
from inference.loras.library import LoraLibrary
from inference.messages import Message
from inference.relay import relay
from inference.request import Request, Result
from inference.service import InferenceService, Job, Priority

if TYPE_CHECKING:
    from inference.deltas import DeltaLibrary
    from inference.models import Catalogue

translate = QCoreApplication.translate

FOLDER = "batch"
_AGAIN_MS = 300  # after making way: whoever needed the model may need it again
_ENGINE = "attune-inference"  # the process that the models are in
_LAST_WAIT_S = 1.0


@dataclass(kw_only=True)
class Row:
    """One file as the window shows it."""

    item: Item
    state: State
    line: Line | None = None
    error: EditorError | None = None


class Asking(QObject):
    """Carries requests of other threads out by the service, below everything that the user does.

    A request that makes way for another is asked again when there is room; one that the user stops, stops the
    batch.
    """

    stopped_by_user = Signal()

    def __init__(
        self,
        service: InferenceService,
        label: str,
        parent: QObject | None = None,
        *,
        cores: int | None = None,
        priority: Priority = Priority.IDLE,
    ) -> None:
        """`cores` that the engine may use for these; None is all. Jobs that are not idle are shown."""
        super().__init__(parent)
        relay()  # made here, on the event loop's thread
        self._service = service
        self._label = label
        self._cores = cores
        self._priority = priority
        self._tickets: dict[_Ticket, Job | None] = {}
        self._closed = self._held = False
        service.job_started.connect(self._on_started)

    def __call__(self, request: Request, contents: Contents) -> Result:
        """From any other thread; waits for the result.

        Raises:
            EditorError: the run failed.
            Cancelled: the batch was stopped.
        """
        ticket = _Ticket(request, contents)
        relay().post(self, lambda: self._submit(ticket), ticket.cancel)
        return ticket.result()

    def close(self) -> None:
        """Cancel what is asked for; nothing is asked any more."""
        self._closed = True
        for ticket, job in tuple(self._tickets.items()):
            ticket.cancel()
            if job is not None:
                self._service.cancel(job)
        self._tickets.clear()
        self._free()

    def hold(self, on: bool) -> None:
        """What made way waits until nobody holds it any more."""
        self._held = on
        if not on:
            for ticket, job in tuple(self._tickets.items()):
                if job is None:
                    self._again(ticket)

    def _submit(self, ticket: _Ticket) -> None:
        if self._closed:
            ticket.cancel()
            return
        self._tickets[ticket] = self._service.submit(
            ticket.request,
            ticket.contents,
            priority=self._priority,
            label=self._label,
            owner=self,
            done=lambda job, result: self._end(ticket, result=result),
            failed=lambda job, error: self._end(ticket, error=error),
            stopped=lambda job: self._on_stopped(ticket),
        )

    def _on_started(self, job: Job) -> None:
        if self._cores is not None and job in self._tickets.values():
            limit_children(_ENGINE, self._cores)

    def _on_stopped(self, ticket: _Ticket) -> None:
        if self._closed:
            return
        self._free()
        self._tickets[ticket] = None
        others = (job.priority is not Priority.IDLE for job in self._service.jobs())
        made_way = self._priority is Priority.IDLE and any(others)
        if not made_way:
            self.stopped_by_user.emit()
        if self._closed:
            return
        QTimer.singleShot(_AGAIN_MS, self, lambda: self._again(ticket))

    def _again(self, ticket: _Ticket) -> None:
        if not self._held and self._tickets.get(ticket, ticket) is None:
            self._submit(ticket)

    def _end(self, ticket: _Ticket, result: Result | None = None, error: EditorError | None = None) -> None:
        self._free()
        self._tickets.pop(ticket, None)
        ticket.answer(result, error)

    def _free(self) -> None:
        if self._cores is not None:
            limit_children(_ENGINE, None)


class _Ticket:
    """A request of another thread, which waits for its answer."""

    def __init__(self, request: Request, contents: Contents) -> None:
        self.request, self.contents = request, contents
        self._answered = threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None

    def answer(self, result: Result | None, error: BaseException | None) -> None:
        self._result, self._error = result, error
        self._answered.set()

    def cancel(self) -> None:
        self.answer(None, Cancelled())

    def result(self) -> Result:
        self._answered.wait()
        if self._error is not None:
            raise self._error
        assert self._result is not None, "answered"
        return self._result


class Batches(Controller):
    """Begins, stops and goes on with a batch; makes recipes of histories and does them to pictures."""

    changed = Signal()  # what runs, how far it is
    rows_changed = Signal()  # another list of files
    row_changed = Signal(int)
    failed = Signal(object)  # EditorError: it could not begin, or stopped before its end

    def __init__(
        self, shell: Shell, catalogue: Catalogue, library: DeltaLibrary, folder: Path | None = None
    ) -> None:
        super().__init__(shell)
        self._catalogue, self._library = catalogue, library
        self._folder = folder or data_folder() / FOLDER
        self._run: BatchRun | None = None
        self._thread: threading.Thread | None = None
        self._asking: Asking | None = None
        self._order: Order | None = None
        self._rows: list[Row] = []
        self._places: dict[PurePosixPath, int] = {}
        self._preparing = False
        self._began_s = 0.0
        self._ended_here = 0
        self._applying: list[Asking] = []

    # what is

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def order(self) -> Order | None:
        """What runs or ran last."""
        return self._order

    @property
    def busy(self) -> bool:
        return self._preparing or self._thread is not None

    @property
    def paused(self) -> bool:
        return self._run is not None and self._thread is not None and self._run.paused

    @property
    def counts(self) -> tuple[int, int, int]:
        """Files that are done, that failed, and all."""
        done = sum(row.state is State.DONE for row in self._rows)
        failed = sum(row.state is State.FAILED for row in self._rows)
        return done, failed, len(self._rows)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the pace so far; None while that is not known."""
        if not self._ended_here or self._thread is None or self.paused:
            return None
        done, failed, total = self.counts
        return (time.monotonic() - self._began_s) / self._ended_here * (total - done - failed)

    def last_order(self) -> Order | None:
        """What the window was asked for last, in an earlier session as well."""
        return self._order or remembered(self._folder)

    # running

    def start(self, order: Order, *, again: Sequence[PurePosixPath] = (), overwrite: bool = False) -> None:
        """Begin or go on; what is wrong is told by `failed`, and nothing is computed then."""
        if self.busy:
            return
        self._order, self._preparing = order, True
        self._asking = Asking(
            self._shell.service,
            translate("Batches", "Batch: {name}").format(name=order.recipe.name or order.source.name),
            self,
            cores=1 if order.one_core else None,
        )
        self._asking.stopped_by_user.connect(lambda: self.pause(on=True))
        wishes = Wishes(
            again=frozenset(again),
            overwrite=overwrite,
            cores=1 if order.one_core else max(1, cores_here() - 1),
        )
        asking = self._asking

        def prepare() -> BatchRun:
            plan = make_plan(order.source, order.target, order.recipe, order.selection, pattern=order.pattern)
            recipe = with_concepts_here(order.recipe)
            needs = self._needs(recipe)
            run = BatchRun(plan, recipe, needs, asking, wishes=wishes, on_event=self._on_event)
            run.prepare()
            remember(self._folder, order)
            return run

        self._shell.background.run(prepare, self._begin, self._on_not_begun)
        self.changed.emit()

    def pause(self, *, on: bool) -> None:
        """Begin no other file for now."""
        if self._run is not None and self._thread is not None:
            self._run.pause(on)
            if self._asking is not None:
                self._asking.hold(on)
            self._began_s, self._ended_here = time.monotonic(), 0  # the pace is another one then
            self.changed.emit()

    def stop(self) -> None:
        """End soon; `start` with the same order goes on."""
        if self._run is not None:
            self._run.stop()
        if self._asking is not None:
            self._asking.close()
        self.changed.emit()

    def again(self, rows: Sequence[int]) -> None:
        """Do failed files again."""
        paths = [self._rows[row].item.path for row in rows if self._rows[row].state is State.FAILED]
        if self._order is not None and paths and not self.busy:
            self.start(self._order, again=paths)

    def close(self) -> None:
        """The program ends: what is begun is left for the next time."""
        self.stop()
        for asking in self._applying:
            asking.close()
        if self._thread is not None:
            self._thread.join(_LAST_WAIT_S)

    # what came of it

    def write_report(self, path: Path) -> None:
        """A page of HTML on what came of the batch; a message says when it is there."""
        self._write(lambda folder: write_report(folder, path), path)

    def write_sheet(self, path: Path) -> None:
        """A contact sheet of the results."""
        self._write(lambda folder: write_contact_sheet(folder, path), path)

    def _write(self, write: Callable[[Path], object], path: Path) -> None:
        if self._order is None:
            return
        target = self._order.target
        text = translate("Batches", "“{name}” is written.").format(name=path.name)
        self._shell.background.run(
            lambda: write(target),
            lambda _: self._shell.message.emit(text, "", "info"),
            self._shell.report,
            kept=True,
        )

    # recipes

    def candidates(self, document: Document) -> tuple[Candidate, ...]:
        """What was done to a picture, as steps for others."""
        history = document.undo_stack
        return candidates_of(history.steps[: history.index()])

    def save_history(self, name: str, chosen: Sequence[Candidate], path: Path) -> None:
        """Write the recipe of some candidates; its `EditorError` becomes a message."""
        try:
            recipe = recipe_of(name, chosen)
        except EditorError as error:
            self._shell.report(error)
            return
        self.save(recipe, path)

    def save(self, recipe: BatchRecipe, path: Path) -> None:
        """Write a recipe on another thread."""
        text = translate("Batches", "“{name}” is written.").format(name=path.name)
        self._shell.background.run(
            lambda: save_recipe(recipe, path),
            lambda _: self._shell.message.emit(text, "", "info"),
            self._shell.report,
            kept=True,
        )

    def read(self, path: Path, done: Callable[[BatchRecipe], None]) -> None:
        """Read a recipe on another thread; a message says why not."""
        self._shell.background.run(lambda: read_recipe(path), done, self._shell.report)

    def apply(self, recipe: BatchRecipe) -> None:
        """Do a recipe to the current picture, as one step of the history."""
        document = self.document
        if document is None:
            return
        state = document.state
        text = translate("Batches", "Recipe “{name}”").format(name=recipe.name)
        asking = Asking(self._shell.service, text, self, priority=Priority.NORMAL)
        asking.stopped_by_user.connect(asking.close)
        self._applying.append(asking)

        def work() -> DocumentState:
            whole = with_concepts_here(recipe)
            needs = self._needs(whole)
            seed = recipe.seed_of(PurePosixPath(document_name))
            try:
                return applied(state, whole, seed=seed, model_hash=needs.model_hash, carry_out=asking)
            except Cancelled:
                return state

        def done(after: DocumentState) -> None:
            finish()
            if document not in self._shell.documents or after is state:
                return
            if document.state.layers is not state.layers:
                self._shell.report(
                    EditorError("The picture was changed meanwhile.", "Apply the recipe again.")
                )
                return
            self._shell.run(lambda: ReplaceState(document, after, text))

        def failed(error: EditorError) -> None:
            finish()
            self._shell.report(error)

        def finish() -> None:
            asking.close()
            if asking in self._applying:
                self._applying.remove(asking)
            asking.deleteLater()
            self.changed.emit()

        document_name = document.path.name if document.path is not None else document.title
        self._shell.background.run(work, done, failed)

    # inside

    def _needs(self, recipe: BatchRecipe) -> Needs:
        return needs_of(recipe, self._catalogue, self._library, LoraLibrary(config_folder()))

    def _begin(self, run: BatchRun) -> None:
        self._preparing = False
        self._run = run
        self._rows = []
        for item in run.plan.items:
            state, line = run.state_of(item)
            self._rows.append(Row(item=item, state=state, line=line))
        self._places = {row.item.path: index for index, row in enumerate(self._rows)}
        self._began_s, self._ended_here = time.monotonic(), 0
        self._thread = threading.Thread(target=lambda: self._work(run), name="attune-batch", daemon=True)
        self.rows_changed.emit()
        self._thread.start()
        self.changed.emit()

    def _on_not_begun(self, error: EditorError) -> None:
        self._preparing = False
        if self._asking is not None:
            self._asking.close()
        self.changed.emit()
        self.failed.emit(error)

    def _work(self, run: BatchRun) -> None:
        """On a thread of its own."""
        try:
            summary = run.run()
        except EditorError as error:
            summary = Summary(total=len(run.plan.items), problem=error)
        except OSError as error:
            summary = Summary(
                total=len(run.plan.items),
                problem=WritingError(Message("The batch stopped: {reason}.", reason=str(error))),
            )
        relay().post(self, lambda: self._on_ended(run, summary))

    def _on_event(self, event: Event) -> None:
        """From the threads of the batch."""
        relay().post(self, lambda: self._show(event))

    def _show(self, event: Event) -> None:
        place = self._places.get(event.item.path)
        if place is None:
            return
        row = self._rows[place]
        row.state, row.line, row.error = event.state, event.line, event.error
        if event.state is not State.WORKING:
            self._ended_here += 1
        self.row_changed.emit(place)
        self.changed.emit()

    def _on_ended(self, run: BatchRun, summary: Summary) -> None:
        if run is not self._run:
            return
        self._thread = None
        if self._asking is not None:
            self._asking.close()
            self._asking.deleteLater()
            self._asking = None
        for place, row in enumerate(self._rows):
            if row.state is State.WORKING:
                row.state = State.WAITING
                self.row_changed.emit(place)
        self.changed.emit()
        if summary.problem is not None:
            self.failed.emit(summary.problem)
        elif not summary.stopped:
            self._tell(summary)

    def _tell(self, summary: Summary) -> None:
        text = translate("Batches", "The batch is done: {done} of {total} files, {failed} failed.")
        text = text.format(done=summary.done, total=summary.total, failed=summary.failed)
        self._shell.message.emit(text, "", "warning" if summary.failed else "info")


def with_concepts_here(recipe: BatchRecipe) -> BatchRecipe:
    """See `completed`; with the concepts of this machine."""
    return completed(recipe, ConceptLibrary(concepts_folder()))


def problem_of(row: Row) -> Any:
    """What went wrong with a file, as a message or a sentence; "" if nothing did."""
    if row.error is not None:
        return row.error.whole
    if row.line is not None and row.line.error is not None and row.state is State.FAILED:
        _, sentence, hint = row.line.error
        return f"{sentence} {hint}".strip()
    return ""
