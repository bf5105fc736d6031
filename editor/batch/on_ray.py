"""A batch on a cluster of Ray: the same files, leases and manifest, handed out by Ray Data to a pool of
actors.

Ray is an extra, `attune[ray]`; nothing else needs it. The folders of pictures and results have to be at the
same place on every machine. The manifest stays the truth: an actor that is killed leaves a lease, which the
actor in its place takes over, and what Ray does twice is done once.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any, cast

from editor.batch.needs import Needs
from editor.batch.plan import Plan
from editor.batch.recipe import BatchRecipe
from editor.batch.running import BatchRun, Wishes
from editor.system.folders import config_folder, deltas_folder
from inference.content import Contents
from inference.errors import EditorError
from inference.progress import Progress
from inference.request import Request, Result

_TRIES = -1  # of a file whose actor died: as often as it takes, for the manifest ends it


def run_on_ray(arguments: argparse.Namespace, run: BatchRun, needs: Needs) -> None:
    """Have a cluster do what a prepared batch still lacks. Files that fail are lines of the manifest.

    Raises:
        EditorError: Ray is not installed, or there is no cluster at the address.
    """
    ray = _ray()
    address = arguments.on
    try:
        ray.init(address=None if address in ("ray://", "ray://local") else address, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EditorError(
            "There is no cluster of Ray at “{address}”: {reason}.",
            "Start one, or leave --on out.",
            address=address,
            reason=str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__,
        ) from error
    try:
        paths = [index for index, item in enumerate(run.plan.items) if run.is_waiting(item)]
        gpus = 1 if needs.model and ray.cluster_resources().get("GPU", 0) else 0
        most = int(ray.cluster_resources().get("GPU" if gpus else "CPU", 1))
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
        for _ in done.iter_rows():
            pass
    finally:
        ray.shutdown()


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
        self._run.prepare()
        self._run.join()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do the files of these indices in the plan; nothing that a file does wrong is raised."""
        items = self._run.plan.items
        states = [self._run.do(items[int(index)].path).value for index in cast("list[int]", batch["index"])]
        return {"index": batch["index"], "state": states}

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
