"""Random cancel moments: does every job end within one step, and is the network byte for byte as before?

    python -m tests.benchmarks.cancelling [--count 1000]

All operations × families take turns. Prints one line a case and a summary; exit status 1 on any fault.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.errors import Cancelled
from inference.models import Catalogue, ModelEntry
from inference.operations import OPERATIONS
from inference.progress import Progress, Step
from inference.request import Request
from inference.runner import Runner
from inference.weights.loading import load_backbone
from tests.helpers.tiny_models import save_tiny_models
from tests.inference.methods.test_contracts import EFFECTIVE, TINY, parameters, state


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check-every", type=int, default=25, help="hash the weights after so many")
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        backbones = load_all(Path(folder))
        runner = runner_over(Path(folder), backbones)
        return cancel_often(runner, backbones, rng, chosen.count, chosen.check_every)


def load_all(folder: Path) -> dict[str, Any]:
    save_tiny_models(folder)
    catalogue = Catalogue(folder / "settings", built_in=folder)
    return {name: load_backbone(catalogue.find(name), device="cpu") for name in TINY.values()}


def runner_over(folder: Path, backbones: dict[str, Any]) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return backbones[entry.name]

    library = DeltaLibrary((), shipped_folder() / "definitions")
    return Runner(Catalogue(folder / "settings", built_in=folder), library, device="cpu", load=load)


def cancel_often(
    runner: Runner, backbones: dict[str, Any], rng: random.Random, count: int, check_every: int
) -> int:
    cases = [(name, family) for name, operation in OPERATIONS.items() for family in operation.families]
    reports = {case: reports_of(runner, *case) for case in cases}
    before = {name: state(backbone) for name, backbone in backbones.items()}
    late: Counter[int] = Counter()
    latencies: list[float] = []
    faults = 0
    for number in range(count):
        case = cases[number % len(cases)]
        moment = rng.randrange(reports[case])
        extra, seconds = cancelled(runner, case, moment)
        late[extra] += 1
        latencies.append(seconds)
        if (number + 1) % check_every == 0 or number + 1 == count:
            changed = [name for name, backbone in backbones.items() if state(backbone) != before[name]]
            faults += len(changed)
            print(f"{number + 1}/{count}: networks unchanged: {not changed}", flush=True)
    latencies.sort()
    print(f"steps reported after the cancellation: {dict(late)}")
    middle, worst = latencies[len(latencies) // 2], latencies[-1]
    print(f"cancellation to end: median {middle * 1e3:.1f} ms, worst {worst * 1e3:.1f} ms")
    return int(faults > 0 or any(extra > 0 for extra in late))


def reports_of(runner: Runner, name: str, family: Any) -> int:
    seen: list[Step] = []
    for _ in range(2):  # the first run learns the deltas as well
        seen.clear()
        runner.forget()
        request = Request(operation=name, parameters=parameters(name, EFFECTIVE[name]), model=TINY[family])
        runner.run(request, {}, Progress(seen.append))
    return len(seen)


def cancelled(runner: Runner, case: tuple[str, Any], moment: int) -> tuple[int, float]:
    """(steps reported after the cancellation, seconds from it to the end)."""
    name, family = case
    runner.forget()
    seen = 0
    at = 0.0

    def on_step(step: Step) -> None:
        nonlocal seen, at
        seen += 1
        if seen == moment + 1:
            at = time.perf_counter()
            progress.cancel()

    progress = Progress(on_step)
    request = Request(operation=name, parameters=parameters(name, EFFECTIVE[name]), model=TINY[family])
    try:
        runner.run(request, {}, progress)
    except Cancelled:
        return seen - moment - 1, time.perf_counter() - at
    raise AssertionError(f"{case} finished although it was cancelled")


if __name__ == "__main__":
    sys.exit(main())
