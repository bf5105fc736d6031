"""How soon a slider answers on a 24-megapixel photo: `python -m tests.benchmarks.photo_slider`.

The window's part of it, with a stand-in for the model: what the GUI thread spends on a move between known
positions and on the end of a gesture, and how long the whole exact picture takes to be in the document. The
rival of the same run is what was done before: mixing two whole pictures and looking for what changed.
"""

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QImage

from editor.document.document import Document
from editor.generating.heatmaps import subject_box
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.pixels.arithmetic import crossfade, to_rgba
from editor.pixels.raster import Area, Raster
from editor.rendering.tiles import TileCompositor, grid
from editor.sliders.keyframes import Shown
from editor.sliders.session import AttributeSession
from inference.content import Picture, content_hash
from inference.operations import Edit
from inference.request import Pixels, Request
from tests.editor.samples import MAN, known_attributes
from tests.helpers.fake_service import FakeService
from widgets.look.pictures import cropped, faded

WIDTH, HEIGHT = 6000, 4000
MOVES = 60
CELL = QSize(36, 46)


def photo(depth: int) -> Layer:
    """Noise on a ramp: no two tiles are alike."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(40, 200, WIDTH, dtype=np.float32)[None, :, None]
    samples = np.clip(ramp + rng.normal(0, 12, (HEIGHT, WIDTH, 3)).astype(np.float32), 0, 255).astype(
        np.uint8
    )
    if depth == 8:
        return Layer.of_pixels(name="photo", pixels=samples)
    wide = to_rgba(samples).astype(np.uint16) * 257
    return Layer.of_pixels(name="photo", pixels=wide)


class Bench:
    """A photo, a layer made from it, and a session whose model brightens the subject."""

    def __init__(self, depth: int, subject: tuple[int, int, int, int]) -> None:
        below = photo(depth)
        self.picture = np.ascontiguousarray(below.pixels[..., :3])
        self.subject = subject
        name = content_hash(self.picture)
        request = Request(
            operation="edit", parameters=Edit(image=Picture(name), prompt="a photo of a man"), model="m"
        )
        recipe = Recipe(request=request, subjects=(MAN,), contents={name: self.picture}, from_below=True)
        layer = Layer(name="edit", raster=below.raster, made=recipe)
        state = replace(DocumentState.of_layer(below).inserted([layer]), active=layer.id)
        self.document = Document(state)
        self.service = FakeService()
        self.service.pictures = self.results
        left, top, right, bottom = subject
        heat = np.zeros((32, 48), np.float32)
        heat[top * 32 // HEIGHT : bottom * 32 // HEIGHT, left * 48 // WIDTH : right * 48 // WIDTH] = 1
        self.service.maps = {"mask/13-16": heat, "attention/13-16": heat}
        self.heat = heat
        self.session = AttributeSession(self.document, layer.id, self.service, known_attributes)
        self.session.add_attribute(0, "age")

    def results(self, request: Request) -> tuple[Pixels, ...]:
        value = sum(edit.value for edit in request.parameters.edits)
        left, top, right, bottom = self.subject
        made = self.picture.copy()
        made[top:bottom, left:right] = np.clip(made[top:bottom, left:right] + 10.0 * value, 0, 255)
        return (made,)

    def settle(self, value: float) -> tuple[float, float]:
        """Seconds until a position is in the document, and the longest time the GUI thread was held."""
        self.session.set_value(0, "age", value, dragging=True)
        started = time.perf_counter()
        self.session.set_value(0, "age", value, dragging=False)
        job = self.service.running
        result = self.service.result(job.request)
        started, longest = time.perf_counter(), 0.0
        held = time.perf_counter()
        self.service.finish(result.images)
        longest = time.perf_counter() - held
        while self.session.busy:
            held = time.perf_counter()
            QGuiApplication.processEvents()
            longest = max(longest, time.perf_counter() - held)
            time.sleep(0.001)
        return time.perf_counter() - started, longest


def moves_ms(bench: Bench) -> tuple[list[float], list[float]]:
    """Milliseconds of the GUI thread, and until the screen shows it, for moves between known positions."""
    compositor = TileCompositor()
    level = 2  # the whole photo in a window of 1500 × 1000
    document, session = bench.document, bench.session
    compositor.set_state(document.shown_state())
    columns, rows = grid(WIDTH, HEIGHT, level)
    tiles = [(column, row) for row in range(rows) for column in range(columns)]
    compositor.request(level, tiles)
    document.pixels_changed.connect(
        lambda rect: compositor.set_state(
            document.shown_state(), Area(rect.x(), rect.y(), rect.width(), rect.height())
        )
    )
    handle: list[QImage] = []
    box = subject_box(bench.heat)

    small: dict[int, QImage] = {}  # the panel keeps them, too: the session holds the rasters

    def part(raster: Raster) -> QImage:
        if id(raster) not in small:
            small[id(raster)] = cropped(raster, box, CELL, 1.0)
        return small[id(raster)]

    def show(shown: Shown) -> None:
        first = part(shown.first)
        handle[:] = [first if shown.second is None else faded(first, part(shown.second), shown.share)]

    session.display_changed.connect(show)
    wait(compositor)
    held, shown = [], []
    for value in np.random.default_rng(1).uniform(-1.9, 1.9, MOVES):
        started = time.perf_counter()
        session.set_value(0, "age", float(value), dragging=True)
        held.append((time.perf_counter() - started) * 1000)
        wait(compositor)
        shown.append((time.perf_counter() - started) * 1000)
    compositor.close()
    return held, shown


def wait(compositor: TileCompositor) -> None:
    until = time.monotonic() + 30
    while not compositor.is_shown() and time.monotonic() < until:
        QGuiApplication.processEvents()
        time.sleep(0.0005)


def rival_ms(bench: Bench) -> list[float]:
    """Two whole pictures mixed for each move, as it was done before."""
    first, second = to_rgba(bench.picture), to_rgba(255 - bench.picture)
    found = []
    for share in (0.2, 0.5, 0.8):
        started = time.perf_counter()
        crossfade(first, second, share)
        found.append((time.perf_counter() - started) * 1000)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=8, choices=(8, 16))
    chosen = parser.parse_args()
    application = QGuiApplication(sys.argv[:1])
    for name, subject in (("face", (2400, 800, 3600, 2200)), ("half", (1500, 0, 4500, 4000))):
        bench = Bench(chosen.depth, subject)
        ends = [bench.settle(value) for value in (-2.0, -1.0, 1.0, 2.0)]
        held, shown = moves_ms(bench)
        rival = rival_ms(bench)
        median = statistics.median
        print(f"{name}: a move holds the GUI thread {median(held):.1f} ms (worst {max(held):.1f})")
        print(
            f"{name}: it is on the screen after {median(shown):.1f} ms (p90 {np.percentile(shown, 90):.1f})"
        )
        print(
            f"{name}: mixing whole pictures {median(rival):.1f} ms, ratio {median(held) / median(rival):.3f}"
        )
        print(f"{name}: a result is in the document after {median(e[0] for e in ends):.2f} s")
        print(f"{name}: and holds the GUI thread {max(e[1] for e in ends) * 1000:.0f} ms at most")
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
