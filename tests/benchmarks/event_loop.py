"""How long the window's event loop is held up while a job runs in the child process.

    python -m tests.benchmarks.event_loop [--model NAME] [--built-in FOLDER] [--seconds 20] [--in-process]

A timer that should fire every 5 ms measures how late it is. Figures to reach: p99 ≤ 33 ms, worst ≤ 100 ms.
The first seconds, with nothing to do, say what other programs on the machine do to it.
`--in-process` runs the model on a thread instead, to show why it is not done so.
"""

import argparse
import functools
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QTimer

from inference.deltas import DeltaLibrary
from inference.models import Catalogue
from inference.operations import AttributeSweep, SubjectEdit
from inference.request import Request
from inference.runner import Runner
from inference.service import InferenceService, Job

INTERVAL_MS = 5
IDLE_S = 5.0


def make_runner(folder: Path, built_in: Path | None) -> Runner:
    return Runner(Catalogue(folder, built_in=built_in), DeltaLibrary.standard(folder), device="cpu")


class Meter:
    """Delays of a timer, in milliseconds, by what was going on."""

    def __init__(self) -> None:
        self.delays: dict[str, list[float]] = {"idle": [], "loading": [], "running": []}
        self.phase = "idle"
        self._last = time.perf_counter()
        self.timer = QTimer(interval=INTERVAL_MS)
        self.timer.timeout.connect(self._tick)
        self.timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.delays[self.phase].append((now - self._last) * 1e3 - INTERVAL_MS)
        self._last = now

    def report(self) -> None:
        for phase, delays in self.delays.items():
            if delays:
                ordered = sorted(delays)
                p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
                print(f"{phase}: {len(ordered)} ticks, p99 {p99:.1f} ms, worst {ordered[-1]:.1f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="mini-sdxl")
    parser.add_argument("--built-in", type=Path, default=None)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--in-process", action="store_true")
    chosen = parser.parse_args()
    app = QCoreApplication([])
    with tempfile.TemporaryDirectory() as folder:
        factory = functools.partial(make_runner, Path(folder), chosen.built_in)
        service = InferenceService(factory, in_process=chosen.in_process)
        meter = Meter()
        steps: list[int] = []
        service.job_progress.connect(lambda job, step: steps.append(step.done))
        service.job_failed.connect(lambda job, error: print(f"failed: {error}", file=sys.stderr))
        submit = functools.partial(submit_sweep, service, chosen.model)
        service.job_finished.connect(lambda job, result: submit())
        service.job_progress.connect(lambda job, step: setattr(meter, "phase", _phase(step.phase)))

        def begin() -> None:
            meter.phase = "loading"
            submit()

        QTimer.singleShot(int(IDLE_S * 1000), app, begin)
        QTimer.singleShot(int(chosen.seconds * 1000), app, app.quit)
        app.exec()
        meter.report()
        print(f"steps reported: {len(steps)}; torch in this process: {'torch' in sys.modules}")
        service.shutdown()
    return 0


def _phase(name: str) -> str:
    return "loading" if name in ("load", "") else "running"


def submit_sweep(service: InferenceService, model: str) -> Job:
    edit = SubjectEdit(start=13, end=16, attribute="age", value=0.0)
    parameters = AttributeSweep(
        prompt="a photo of a man and a woman",
        seed=time.time_ns() % 2**31,
        edits=(edit,),
        positions=(-2.0, -1.0, 0.0, 1.0, 2.0),
    )
    return service.submit(Request(operation="attribute-sweep", parameters=parameters, model=model))


if __name__ == "__main__":
    sys.exit(main())
