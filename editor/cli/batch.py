"""`attune batch`: a folder edited by a recipe, without a window. Free of Qt."""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import replace
from typing import Any

from editor.batch.manifest import NAME
from editor.batch.needs import Needs, completed, needs_of
from editor.batch.on_ray import run_on_ray
from editor.batch.plan import Plan, Selection, make_plan
from editor.batch.recipe import BatchRecipe, read_recipe
from editor.batch.report import sheet_kind, write_contact_sheet, write_report
from editor.batch.running import BatchRun, Event, OneThread, State, Summary, Wishes, use_cores
from editor.cli.operations import check_folder, runner_of
from editor.cli.output import ProgressPrinter, complain, print_json, say
from editor.system.errors import DONE, FAILED, INTERRUPTED
from editor.system.folders import concepts_folder, config_folder, deltas_folder
from inference.concepts.library import ConceptLibrary
from inference.content import Contents
from inference.deltas import DeltaLibrary
from inference.errors import EditorError
from inference.loras.library import LoraLibrary
from inference.messages import Message
from inference.models import Catalogue
from inference.progress import Progress, Step
from inference.request import Request, Result


def batch(arguments: argparse.Namespace) -> int:
    """`attune batch IN --recipe R --out OUT`: 0 when every file is done, 1 when one failed or it stopped.

    Raises:
        EditorError: the recipe, the folders or the names cannot be used; nothing was computed.
    """
    if arguments.cores is not None:
        if arguments.cores < 1:
            raise EditorError("{count} cores are none.", "Give 1 or more.", count=arguments.cores)
        use_cores(arguments.cores)
    recipe = completed(read_recipe(arguments.recipe), ConceptLibrary(concepts_folder()))
    if arguments.format:
        recipe = replace(recipe, export=replace(recipe.export, format=arguments.format))
    selection = Selection(
        recursive=arguments.recursive, only=tuple(arguments.only), without=tuple(arguments.without)
    )
    plan = make_plan(arguments.input, arguments.out, recipe, selection, pattern=arguments.names)
    for path in (arguments.report, arguments.sheet):
        if path is not None:
            check_folder(path)
    if arguments.sheet is not None:
        sheet_kind(arguments.sheet)
    needs = needs_of(
        recipe,
        Catalogue(config_folder()),
        DeltaLibrary.standard(deltas_folder()),
        LoraLibrary(config_folder()),
    )
    return _Command(arguments, plan, recipe, needs).run()


class _Command:
    """One run, told to the terminal."""

    def __init__(self, arguments: argparse.Namespace, plan: Plan, recipe: BatchRecipe, needs: Needs) -> None:
        self._arguments = arguments
        self._plan = plan
        self._needs = needs
        self._runner: Any = None
        self._printer = ProgressPrinter(quiet=arguments.json)
        self._telling = threading.Lock()
        self._ended = 0
        self._model_thread = OneThread(self._carried_out)
        self._run = BatchRun(
            plan,
            recipe,
            needs,
            self._model_thread,
            wishes=Wishes(
                retry_failed=arguments.retry_failed, overwrite=arguments.overwrite, cores=arguments.cores
            ),
            on_event=self._on_event,
        )

    def run(self) -> int:
        self._run.prepare()
        before = self._run.summary()
        self._ended = before.done + before.failed
        if self._run.manifest.dropped:
            complain(
                str(
                    Message(
                        "{count} lines of “{path}” cannot be read; their files are done again.",
                        count=self._run.manifest.dropped,
                        path=self._run.manifest.path,
                    )
                )
            )
        found: list[Summary] = []
        thread = threading.Thread(target=lambda: found.append(self._run.run()), daemon=True)
        interrupted = False
        started = time.perf_counter()
        if before.left and self._needs.model and not self._arguments.on:
            self._runner = runner_of(self._arguments)
            # what is wrong with the model is said once, and before a file is touched
            self._runner.preload(self._needs.model, Progress(self._printer))
        if self._arguments.on and before.left:
            # what it leaves is done here
            run_on_ray(self._arguments, self._run, self._needs, self._on_done_elsewhere)
        thread.start()
        try:
            self._model_thread.serve(lambda: not thread.is_alive())
        except KeyboardInterrupt:
            interrupted = True
            self._run.stop()
            self._model_thread.close()
            thread.join()
        finally:
            self._printer.close()
        summary = found[0] if found else self._run.summary()
        summary.seconds = time.perf_counter() - started
        if self._arguments.report is not None:
            write_report(self._plan.target, self._arguments.report)
        if self._arguments.sheet is not None and summary.done:
            write_contact_sheet(self._plan.target, self._arguments.sheet)
        return self._told(summary, interrupted=interrupted)

    def _carried_out(self, request: Request, contents: Contents) -> Result:
        if self._runner is None:
            self._runner = runner_of(self._arguments)
        progress = Progress(cancel_requested=lambda: self._run.stopping)
        return self._runner.run(request, contents, progress)

    def _on_event(self, event: Event) -> None:
        if event.state is State.WORKING:
            return
        with self._telling:
            self._ended += 1
            if event.error is not None:
                self._printer.close()
                complain(f"{event.item.shown}: {event.error}")
            elif self._arguments.verbose and event.line is not None:
                for note in event.line.notes:
                    complain(f"{event.item.shown}: {note}")
            self._printer(Step(phase="batch", done=self._ended, total=len(self._plan.items)))

    def _on_done_elsewhere(self, shown: str, state: State) -> None:
        self._ended += 1
        if state is State.FAILED:
            self._printer.close()
            complain(str(Message("{name} failed; the manifest says why.", name=shown)))
        self._printer(Step(phase="batch", done=self._ended, total=len(self._plan.items)))

    def _told(self, summary: Summary, *, interrupted: bool) -> int:
        status = INTERRUPTED if interrupted else DONE if summary.is_complete else FAILED
        if summary.problem is not None:
            complain(str(summary.problem))
            complain(str(Message("When that is mended, the same command goes on.")))
        elif interrupted:
            complain(
                str(
                    Message(
                        "stopped at {done} of {total}. The same command goes on.",
                        done=summary.done + summary.failed,
                        total=summary.total,
                    )
                )
            )
        if self._arguments.json:
            print_json(self._report(summary, status))
            return status
        line = Message(
            "{done} of {total} done, {failed} failed, {made} of them now ({seconds} s).",
            done=summary.done,
            total=summary.total,
            failed=summary.failed,
            made=summary.made_here,
            seconds=f"{summary.seconds:.1f}",
        )
        say(str(line))
        if summary.failed and not interrupted:
            complain(
                str(
                    Message(
                        "what failed is in “{path}”; --retry-failed tries it again.",
                        path=self._run.manifest.path,
                    )
                )
            )
        return status

    def _report(self, summary: Summary, status: int) -> dict[str, Any]:
        """What --json prints."""
        return {
            "recipe": self._run.recipe.name,
            "parameters": self._run.recipe.to_json(),
            "model": self._needs.model,
            "model_hash": self._needs.model_hash,
            "total": summary.total,
            "done": summary.done,
            "failed": summary.failed,
            "left": summary.left,
            "done_now": summary.made_here,
            "failed_now": summary.failed_here,
            "denoiser_evaluations": summary.evaluations,
            "seconds": {"total": round(summary.seconds, 4)},
            "manifest": str((self._plan.target / NAME).absolute()),
            "failures": [
                {
                    "path": str(line.path),
                    "class": line.error[0],
                    "message": line.error[1],
                    "hint": line.error[2],
                }
                for line in summary.failures
                if line.error is not None
            ],
            "problem": None if summary.problem is None else str(summary.problem),
            "status": status,
        }
