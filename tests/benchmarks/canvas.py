"""What the canvas costs: panning, zooming, a dab of the brush, a layer's opacity, and what else must wait.

    python -m tests.benchmarks.canvas [--width 6000] [--height 4000] [--layers 20] [--frames 120]

The document has full-size layers in mixed blend modes, all of different pixels; the view is 1920 × 1080.
Figures to reach: frames of pan and zoom median ≤ 16 ms, p99 ≤ 33 ms; a soft dab of 200 px to its repaint
≤ 16 ms median; a step of the opacity slider to its repaint ≤ 50 ms; the event loop never held up > 33 ms.
Each is printed beside its limit, as a share of it. On a busy machine, "processor" times say what the frames
themselves take.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import count, cycle
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from editor import commands
from editor.application import Application
from editor.document.document import Document
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from tests.helpers.fake_application import make_application, open_document
from widgets.canvas.document_view import DocumentView
from widgets.canvas.view_options import ViewOptions

VIEW = 1920, 1080
MODES = tuple(
    BlendMode[name]
    for name in ("NORMAL", "MULTIPLY", "SCREEN", "OVERLAY", "SOFT_LIGHT", "DARKEN", "LIGHTEN", "DIFFERENCE",
                 "HARD_LIGHT", "EXCLUSION")
)  # fmt: skip
DAB_PX = 200


class Loop:
    """How late a timer of 5 ms is, which is how long the event loop was held up, by what went on."""

    def __init__(self) -> None:
        self.delays: dict[str, list[float]] = {}
        self.phase = "opening"
        self._last = time.perf_counter()
        self._timer = QTimer(interval=5)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.delays.setdefault(self.phase, []).append((now - self._last) * 1e3 - 5)
        self._last = now


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=6000)
    parser.add_argument("--height", type=int, default=4000)
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--frames", type=int, default=120)
    chosen = parser.parse_args()
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        application = make_application(Path(folder))
        document = open_document(application, made(chosen.width, chosen.height, chosen.layers))
        bench = Bench(app, application, document, chosen.frames)
        bench.run()
        bench.view.close_tiles()
        application.shutdown()
    return 0


def made(width: int, height: int, layers: int) -> Document:
    """Gradients with grain, each layer with other colours and a soft edge of transparency."""
    random = np.random.default_rng(1)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None]
    nodes: list[Layer] = []
    for index, mode in zip(range(layers), cycle(MODES)):
        pixels = np.empty((height, width, 4), np.uint8)
        for channel in range(3):
            wave = np.sin(rows / (90 + 40 * index) + channel) * np.cos(columns / (120 + 30 * index) - channel)
            pixels[..., channel] = 128 + 100 * wave
        pixels[..., :3] += random.integers(0, 24, (height, width, 1), np.uint8)
        pixels[..., 3] = 255 if index == 0 else np.clip(255 * (columns / width + 0.3), 60, 230)
        mode = BlendMode.NORMAL if index == 0 else mode
        opacity = 1.0 if index == 0 else 0.5
        nodes.append(Layer.of_pixels(name=f"{index}", pixels=pixels, blend_mode=mode, opacity=opacity))
    state = DocumentState(width=width, height=height, layers=tuple(nodes), active=nodes[-1].id)
    return Document(state, title="benchmark")


class Bench:
    """One view over one document, and what is done to it."""

    def __init__(self, app: QApplication, application: Application, document: Document, frames: int) -> None:
        self.app = app
        self.document = document
        self.frames = frames
        self.application = application
        self.view = DocumentView(document, application, ViewOptions(application.settings))
        self.view.resize(*VIEW)
        self.view.show()
        self.loop = Loop()

    def run(self) -> None:
        took = self.timed(self.settle)
        print(f"opened, first sharp picture: {took[0]:.0f} ms", flush=True)
        for name, step in (("fitted", self.view.zoom_fit), ("100 %", self.view.zoom_actual)):
            step()
            self.settle()
            self.measure(f"pan, {name}", self.pan_step, 16, 33)
            self.settle()
        self.view.zoom_fit()
        self.measure("zoom", self.zoom_step, 16, 33)
        for name, step in (("fitted", self.view.zoom_fit), ("100 %", self.view.zoom_actual)):
            step()
            self.settle()
            self.measure_brush(name)
            self.measure(f"opacity slider, {name}", self.opacity_step(), 50, None, settle=True)
        for phase, delays in self.loop.delays.items():
            ordered = sorted(delays)
            p99 = ordered[int(0.99 * (len(ordered) - 1))]
            worst = ordered[-1]
            print(f"event loop, {phase}: p99 {p99:.1f} ms, worst {worst:.1f} ms ({worst / 33:.2f} of 33)")

    def measure(
        self,
        name: str,
        step: Callable[[int], None],
        median: float,
        p99: float | None,
        *,
        settle: bool = False,
    ) -> None:
        """Do `step` for each frame; with `settle`, until what it changed is painted."""
        self.loop.phase = name
        walls: list[float] = []
        works: list[float] = []
        for index in range(self.frames):
            wall, work = self.timed(lambda index=index: self._frame(step, index, settle=settle))
            walls.append(wall)
            works.append(work)
            self.spin(0.004)
        self.loop.phase = "between"
        report(name, walls, works, median, p99)

    def _frame(self, step: Callable[[int], None], index: int, *, settle: bool) -> None:
        step(index)
        if settle:
            self.settle()
        else:
            self.view.repaint()

    def measure_brush(self, name: str) -> None:
        """Dabs of one stroke, from the pointer's event to the repaint that shows them."""
        tools = self.application.tools
        tools.use("brush")
        tools.configure("brush", size=DAB_PX, hardness=0)
        self.view.set_tool("brush")
        ratio, place = self.view.ratio, QPointF(*VIEW) / 4
        places = (place + QPointF(3 * step % 900, 40 * np.sin(step / 9)) for step in count())
        QTest.mousePress(self.view, Qt.MouseButton.LeftButton, pos=(place / ratio).toPoint())
        self.settle()

        def dab(_: int) -> None:
            QTest.mouseMove(self.view, next(places).toPoint())

        self.measure(f"dab of {DAB_PX} px, {name}", dab, 16, None, settle=True)
        QTest.mouseRelease(self.view, Qt.MouseButton.LeftButton, pos=place.toPoint())
        self.settle()

    def pan_step(self, index: int) -> None:
        way = 1 if index // 40 % 2 == 0 else -1
        self.view.viewport.pan(-23 * way, -13 * way)
        self.view.on_view_moved()

    def zoom_step(self, index: int) -> None:
        turn = 120 if index // 12 % 2 == 0 else -120
        point = QPointF(700, 400)
        event = QWheelEvent(
            point, point, QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self.view, event)

    def opacity_step(self) -> Callable[[int], None]:
        layer = self.document.layers[len(self.document.layers) // 2].id

        def step(index: int) -> None:
            value = 0.3 + 0.6 * (index % 50) / 50
            command = commands.SetLayerProperty(self.document, layer, "opacity", value, merge_key="drag")
            commands.push(self.document, command)

        return step

    def settle(self) -> None:
        """Until everything in and around the view is composed, if only as a draft, and painted."""
        self.app.processEvents()
        while not self.view.tiles.is_shown():
            time.sleep(0.0005)
            self.app.processEvents()
        self.app.processEvents()

    def spin(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.app.processEvents()
            time.sleep(0.0005)

    def timed(self, action: Callable[[], None]) -> tuple[float, float]:
        """Milliseconds on the clock, and of this thread's processor."""
        wall, work = time.perf_counter(), time.thread_time()
        action()
        return (time.perf_counter() - wall) * 1e3, (time.thread_time() - work) * 1e3


def report(name: str, walls: list[float], works: list[float], median: float, p99: float | None) -> None:
    middle, far = statistics.median(walls), sorted(walls)[int(0.99 * (len(walls) - 1))]
    text = f"{name}: median {middle:.1f} ms ({middle / median:.2f} of {median}), p99 {far:.1f} ms"
    if p99 is not None:
        text += f" ({far / p99:.2f} of {p99})"
    print(f"{text}; processor median {statistics.median(works):.1f} ms", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
