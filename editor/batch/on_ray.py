"""A batch on a cluster of Ray: the same files, leases and manifest, handed out by Ray Data to a pool of
actors.

Ray is an extra, `attune[ray]`; nothing else needs it. The folders of pictures and results have to be at the
same place on every machine. The manifest stays the truth: an actor that is killed leaves a lease, which the
actor in its place takes over, and what Ray does twice is done once.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any, cast

from editor.batch.needs import Needs
from editor.batch.plan import Plan
from editor.batch.recipe import BatchRecipe
from editor.batch.running import BatchRun, State, Wishes
from editor.system.folders import config_folder, deltas_folder
from inference.content import Contents
from inference.errors import EditorError, WritingError
from inference.progress import Progress
from inference.request import Request, Result

_ENDING_S = 20.0
_TRIES = -1  # of a file whose actor died: as often as it takes, for the manifest ends it


def run_on_ray(
    arguments: argparse.Namespace,
    run: BatchRun,
    needs: Needs,
    on_done: Callable[[str, State], None] = lambda path, state: None,
) -> None:
    """Have a cluster do what a prepared batch still lacks. Files that fail are lines of the manifest.

    Args:
        on_done: called with the path of each file that is done or failed, as it is shown.

    Raises:
        EditorError: Ray is not installed, or there is no cluster at the address.
        WritingError: it stopped, or one of its machines does not see the folders or cannot write to them.
    """
    ray = _ray()
    # standard output is for what was asked for, and Ray writes there whatever it thinks
    with redirect_stdout(sys.stderr):
        _connect(ray, arguments.on)
        try:
            _hand_out(ray, arguments, run, needs, on_done)
        except ray.exceptions.RayError as error:
            raise WritingError(
                "The cluster stopped: {reason}.",
                "The same command goes on where it is, with or without --on.",
                reason=_first_line(error),
            ) from error
        finally:
            ray.shutdown()
    # actors are killed, and do not tidy up: who goes on here does, as soon as they are gone
    run.wait_for_others(_ENDING_S)


def _connect(ray: Any, address: str) -> None:
    try:
        ray.init(
            address=None if address in ("ray://", "ray://local") else address,
            log_to_driver=False,
            logging_level="error",
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EditorError(
            "There is no cluster of Ray at “{address}”: {reason}.",
            "Start one, or leave --on out.",
            address=address,
            reason=_first_line(error),
        ) from error


def _hand_out(
    ray: Any,
    arguments: argparse.Namespace,
    run: BatchRun,
    needs: Needs,
    on_done: Callable[[str, State], None],
) -> None:
    """One block a file, taken by whichever actor is free.

    Raises:
        WritingError: an actor cannot do its work.
    """
    paths = [index for index, item in enumerate(run.plan.items) if run.is_waiting(item)]
    resources = ray.cluster_resources()
    gpus = 1 if needs.model and resources.get("GPU", 0) else 0
    most = int(resources.get("GPU" if gpus else "CPU", 1))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    dataset = ray.data.from_items([{"index": index} for index in paths], override_num_blocks=len(paths))
    done = dataset.map_batches(
        Actor,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, min(most, len(paths)))),
        num_cpus=0 if gpus else 1,
        num_gpus=gpus,
        fn_constructor_kwargs={
            "plan": run.plan,
            "recipe": run.recipe,
            "needs": needs,
            "overwrite": bool(arguments.overwrite),
            "again": bool(arguments.retry_failed),
            "device": arguments.device,
            "dtype": arguments.dtype,
        },
        max_restarts=_TRIES,
        max_task_retries=_TRIES,
    )
    for row in done.iter_rows():
        if row["problem"]:
            raise WritingError("{detail}", detail=str(row["problem"]))
        on_done(run.plan.items[int(row["index"])].shown, State(row["state"]))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class Actor:
    """A process of the cluster: one model, one file after the other."""

    def __init__(
        self,
        plan: Plan,
        recipe: BatchRecipe,
        needs: Needs,
        *,
        overwrite: bool,
        again: bool,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self._runner: Any = None
        self._device, self._dtype = device, dtype
        wishes = Wishes(overwrite=overwrite, retry_failed=again, cores=1)
        self._run = BatchRun(plan, recipe, needs, self._carried_out, wishes=wishes)
        self._problem = ""
        try:
            self._run.prepare()
            self._run.join()
        except EditorError as error:  # told by each file: what a constructor raises, Ray tries for ever
            self._problem = str(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do the files of these indices in the plan; nothing is raised.

        Returns:
            `state` of each, or `problem`: why this machine cannot go on, which is no file's fault.
        """
        indices = [int(index) for index in cast("list[int]", batch["index"])]
        states, problems = zip(*(self._done(index) for index in indices))
        return {"index": indices, "state": list(states), "problem": list(problems)}

    def _done(self, index: int) -> tuple[str, str]:
        if not self._problem:
            try:
                return self._run.do(self._run.plan.items[index].path).value, ""
            except EditorError as error:
                self._problem = str(error)
        return State.WAITING.value, self._problem

    def close(self) -> None:
        """Give back what is held."""
        self._run.leave()

    def _carried_out(self, request: Request, contents: Contents) -> Result:
        if self._runner is None:
            from inference.runner import make_runner

            self._runner = make_runner(
                config_folder(), deltas_folder(), device=self._device, dtype=self._dtype
            )
        return self._runner.run(request, contents, Progress())


def _ray() -> Any:
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.data")
    except ImportError as error:
        raise EditorError(
            "Ray is not installed, which --on needs.", "Install it with pip install “attune[ray]”."
        ) from error
    return ray
