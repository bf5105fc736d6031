"""What dragging a slider costs, on a built-in model: sweeps, restarts, cached answers, attention maps.

    python -m tests.benchmarks.sliders [--model mini-sdxl] [--built-in FOLDER] [--threads N]

Every figure is a ratio or a median of `--repeats`; run it on a quiet machine, or with
`--cpu-time --threads 1` on a busy one: then seconds are those that the processor spent on it.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

from inference.deltas import DeltaLibrary
from inference.models import Catalogue
from inference.operations import Attribute, AttributeSweep, Generate, SubjectEdit
from inference.parameters import Parameters
from inference.progress import Progress
from inference.request import Request, Result
from inference.runner import Runner

PROMPT = "a photo of a man and a woman"
CLOCK = [time.perf_counter]
POSITIONS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="mini-sdxl")
    parser.add_argument("--built-in", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cpu-time", action="store_true")
    chosen = parser.parse_args()
    if chosen.cpu_time:
        CLOCK.append(time.process_time)
    if chosen.threads:
        import torch

        torch.set_num_threads(chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Catalogue(Path(folder), built_in=chosen.built_in)
        runner = Runner(catalogue, DeltaLibrary.standard(Path(folder)), device="cpu")
        seconds_to_load = timed(lambda: runner.preload(chosen.model, Progress()))[0]
        print(f"loading: {seconds_to_load:.2f} s")
        run(runner, chosen.model, "attribute", attribute(0.5))  # warm: deltas learnt, kernels chosen
        for name, measure in (("sweep", sweep_ratio), ("drag", drag), ("maps", maps_cost)):
            runs = [measure(runner, chosen.model) for _ in range(chosen.repeats)]
            for key in runs[0]:
                print(f"{name}: {key} {statistics.median(one[key] for one in runs):.3f}", flush=True)


def sweep_ratio(runner: Runner, model: str) -> dict[str, float]:
    """A sweep of nine positions against nine separate runs, both from nothing."""
    runner.forget()
    swept, result = timed(lambda: run(runner, model, "attribute-sweep", sweep()))
    apart, evaluations = 0.0, 0
    for value in POSITIONS:
        runner.forget()
        seconds, single = timed(lambda value=value: run(runner, model, "attribute", attribute(value)))
        apart += seconds
        evaluations += single.measured.denoiser_evaluations
    return {
        "seconds": swept,
        "nine runs, seconds": apart,
        "ratio": swept / apart,
        "evaluations ratio": result.measured.denoiser_evaluations / evaluations,
    }


def drag(runner: Runner, model: str) -> dict[str, float]:
    """A slider moved on a generated picture: exact results, one seen before, and back to zero."""
    runner.forget()
    generated, _ = timed(lambda: run(runner, model, "generate", Generate(prompt=PROMPT, seed=1)))
    moved, _ = timed(lambda: run(runner, model, "attribute", attribute(0.7)))
    seen, result = timed(lambda: run(runner, model, "attribute", attribute(0.7)))
    zero, _ = timed(lambda: run(runner, model, "attribute", attribute(0.0)))
    assert result.cached
    return {
        "generate, seconds": generated,
        "restart at the delay, seconds": moved,
        "seen before, ms": seen * 1e3,
        "reset, ms": zero * 1e3,
    }


def maps_cost(runner: Runner, model: str) -> dict[str, float]:
    """How much longer a picture takes because attention is looked at."""

    def generate(looking: bool) -> float:
        runner.forget()
        patch = mock.patch("inference.methods.generate.LOOK_AT", ())
        with nullcontext() if looking else patch:
            return timed(lambda: run(runner, model, "generate", Generate(prompt=PROMPT, seed=1)))[0]

    with_maps, without = generate(True), generate(False)
    return {"with maps / without": with_maps / without}


def attribute(value: float) -> Attribute:
    return Attribute(prompt=PROMPT, seed=1, edits=(edit(value),))


def sweep() -> AttributeSweep:
    return AttributeSweep(prompt=PROMPT, seed=1, edits=(edit(0.0),), positions=POSITIONS)


def edit(value: float) -> SubjectEdit:
    return SubjectEdit(start=13, end=16, attribute="age", value=value)


def run(runner: Runner, model: str, operation: str, parameters: Parameters) -> Result:
    return runner.run(Request(operation=operation, parameters=parameters, model=model), {}, Progress())


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    started = CLOCK[-1]()
    value = action()
    return CLOCK[-1]() - started, value


if __name__ == "__main__":
    main()
