"""How long the window's event loop is held up while pictures are opened, painted on, saved and exported.

    python -m tests.benchmarks.event_loop_editing [--width 6000] [--height 4000] [--layers 4] [--blame FILE]

A timer that should fire every 5 ms measures how late it is, in a window that shows the document. Figures to
reach: worst ≤ 33 ms in each phase. The phase "idle" says what other programs on the machine do to it; a
process that does nothing but wait and tick, beside it in the same phases, is the rival (its delays are the
machine's own). `--blame` writes what every thread was in when the GUI thread was late.
"""

import argparse
import collections
import faulthandler
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from editor import commands
from editor.application import Application, ExportOptions
from editor.document.document import Document
from editor.layers.layer import BlendMode
from tests.helpers.fake_application import make_application
from widgets.window.main_window import MainWindow

INTERVAL_MS = 5
LIMIT_MS = 33.0
MODES = (BlendMode.NORMAL, BlendMode.MULTIPLY, BlendMode.SCREEN, BlendMode.OVERLAY)


class Meter(QObject):
    """Delays of a timer on the GUI thread, in milliseconds, by phase."""

    def __init__(self) -> None:
        super().__init__()
        self.phase = "idle"
        self.delays: dict[str, list[float]] = collections.defaultdict(list)
        self.spans: list[tuple[str, float, float]] = []
        self.last = time.perf_counter()
        self.blame: TextIO | None = None
        self.timer = QTimer(self, interval=INTERVAL_MS)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._tick)
        self.timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.delays[self.phase].append((now - self.last) * 1e3 - INTERVAL_MS)
        self.last = now
        if self.blame is not None:  # written by a thread that needs no interpreter
            faulthandler.dump_traceback_later(LIMIT_MS * 2e-3, file=self.blame)

    def during(self, phase: str, work: Callable[[], Any], done: Callable[[], bool]) -> None:
        """Begin `work` and turn the event loop until `done`."""
        self.phase, begun = phase, time.monotonic()
        self.last = time.perf_counter()
        work()
        while not done():
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)
        self.spans.append((phase, begun, time.monotonic()))
        self.phase = "between"


def rival(pipe: Any) -> None:
    """Ticks in a process of its own until told to stop; sends (moment, delay in ms) of each."""
    ticks: list[tuple[float, float]] = []
    last = time.monotonic()
    while not pipe.poll():
        time.sleep(INTERVAL_MS / 1e3)
        now = time.monotonic()
        ticks.append((now, (now - last) * 1e3 - INTERVAL_MS))
        last = now
    pipe.send(ticks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--width", type=int, default=6000)
    parser.add_argument("--height", type=int, default=4000)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--blame", type=Path, metavar="FILE", help="stacks of all threads when it is late")
    chosen = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    waiting = multiprocessing.get_context("spawn").Process(target=rival, args=(theirs,), daemon=True)
    waiting.start()
    qt = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[name] = folder
        jpeg = make_jpeg(Path(folder), chosen.width, chosen.height)
        meter = Meter()
        if chosen.blame is not None:
            meter.blame = chosen.blame.open("w")
        edit(meter, Path(folder), jpeg, chosen.layers)
    ours.send(None)
    worst = report(meter, ours.recv())
    waiting.join()
    del qt
    return int(worst > LIMIT_MS)


def make_jpeg(folder: Path, width: int, height: int) -> Path:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [np.sin(columns / 90 + index) * np.cos(rows / 70) * 100 + 128 for index in range(3)]
    noise = np.random.default_rng(1).normal(0, 8, (height, width, 1))
    pixels = np.clip(np.stack(waves, axis=2) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "photo.jpg", quality=90)
    return folder / "photo.jpg"


def edit(meter: Meter, folder: Path, jpeg: Path, layers: int) -> None:
    application = make_application(folder / "config")
    window = MainWindow(application)
    window.resize(1920, 1080)
    window.show()
    wait(meter, "idle", 4)
    meter.during("open JPEG", lambda: application.open_file(jpeg), lambda: bool(settled(application)))
    wait(meter, "show it", 2)
    document = application.documents[0]
    meter.during("add layers", lambda: add_layers(document, layers), lambda: True)
    wait(meter, "composite", 4)
    autosave = application.recovery.autosave
    autosave.start()
    meter.during("autosave all", lambda: None, lambda: kept(folder, document, application))
    for number in range(3):
        stroke(document, number)
        meter.during("autosave a stroke", lambda: None, lambda: kept(folder, document, application))
    project = folder / "photo.ora"
    meter.during("save", lambda: application.save(document, project), lambda: not application.background.busy)
    picture = folder / "export.png"
    meter.during(
        "export PNG",
        lambda: application.export(document, picture, ExportOptions()),
        lambda: not application.background.busy,
    )
    meter.during("close", lambda: application.close(document), lambda: True)
    meter.during("open project", lambda: application.open_file(project), lambda: bool(settled(application)))
    wait(meter, "show the project", 3)
    for document in application.documents:
        document.undo_stack.setClean()
    window.close()


def settled(application: Application) -> tuple[Document, ...]:
    return application.documents if not application.background.busy else ()


def kept(folder: Path, document: Document, application: Application) -> bool:
    """Whether recovery has the document's present state."""
    watched = application.recovery.autosave._watched[document]
    return watched.written is document.state


def wait(meter: Meter, phase: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    meter.during(phase, lambda: None, lambda: time.monotonic() > end)


def add_layers(document: Document, count: int) -> None:
    for index in range(count):
        commands.push(document, commands.DuplicateLayer(document, document.layers[-1].id))
        top = document.layers[-1].id
        mode = MODES[index % len(MODES)]
        commands.push(document, commands.SetLayerProperty(document, top, "blend_mode", mode))


def stroke(document: Document, number: int) -> None:
    layer = document.layer(document.layers[-1].id)
    patch = np.full((200, 900, 4), 255, np.uint8)
    raster = layer.raster.written(300 * number, 400 * number, patch)
    commands.push(document, commands.ReplaceNode(document, layer.changed(raster=raster), "Stroke"))


def report(meter: Meter, ticks: list[tuple[float, float]]) -> float:
    """Prints each phase; gives the worst delay of ours outside "idle" and "between"."""
    print(f"{'phase':20} {'seconds':>8} {'p99':>8} {'worst':>8}   machine alone: p99, worst (ms)")
    worst = 0.0
    for phase in dict.fromkeys(name for name, _, _ in meter.spans):
        spans = [(begun, ended) for name, begun, ended in meter.spans if name == phase]
        alone = [delay for now, delay in ticks if any(begun <= now <= ended for begun, ended in spans)]
        mine = meter.delays[phase] or [0.0]
        seconds = sum(ended - begun for begun, ended in spans)
        figures = [seconds, percentile(mine, 0.99), max(mine)]
        figures += [percentile(alone, 0.99), max(alone, default=0.0)]
        print(f"{phase:20} " + " ".join(f"{figure:8.1f}" for figure in figures))
        if phase != "idle":
            worst = max(worst, max(mine))
    return worst


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


if __name__ == "__main__":
    sys.exit(main())
