"""How soon the screen's tiles are there after a change, in a window of 1920 × 1080 over many large layers.

    python -m tests.benchmarks.tiles [--width 6000] [--height 4000] [--layers 20] [--repeats 20]

A dab is a change of 200 × 200 pixels at 100 %, along a path; the opacity slider is dragged with the whole
picture in view. Both on the lowest layer, the middle one and the topmost. Times run from the new state to the
last tile that shows it, if only as a draft. Figures to reach (medians): dab ≤ 16 ms, opacity ≤ 50 ms.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtGui import QGuiApplication

from editor.layers.state import DocumentState
from editor.pixels.raster import TILE_PX, Area
from editor.rendering.tiles import TileCompositor, grid
from tests.benchmarks.layers import document

WINDOW = (1920, 1080)
DAB_PX = 200


class Screen:
    """A view over tiles that waits for them."""

    def __init__(self, application: QGuiApplication, state: DocumentState) -> None:
        self._application = application
        self.state = state
        self.tiles = TileCompositor()
        self.tiles.set_state(state)

    def show(self, level: int, tiles: list[tuple[int, int]]) -> None:
        self.tiles.request(level, tiles)
        while not self.tiles.is_idle():
            time.sleep(0.01)

    def change(self, state: DocumentState, dirty: Area) -> tuple[float, float]:
        """Milliseconds on the wall and of processor time until all that is in view shows `state`."""
        wall, busy = time.perf_counter(), time.process_time()
        self.tiles.set_state(state, dirty)
        self._wait()
        self.state = state
        return (time.perf_counter() - wall) * 1e3, (time.process_time() - busy) * 1e3

    def _wait(self) -> None:
        while not self.tiles.is_shown():
            self._application.processEvents()
            time.sleep(0.001)


def dabbed(state: DocumentState, layer_id: str, step: int) -> tuple[DocumentState, Area]:
    layer = state.layer(layer_id)
    area = Area(1100 + 20 * step, 900 + 7 * step, DAB_PX, DAB_PX)
    distance = np.hypot(*np.mgrid[-1 : 1 : DAB_PX * 1j, -1 : 1 : DAB_PX * 1j])
    share = np.clip(1 - distance, 0, 1)[..., None].astype(np.float32)
    old = layer.raster.read(area)
    new = old + (np.array([200, 30, 30, 255], np.float32) - old) * share
    raster = layer.raster.written(area.x, area.y, new.astype(np.uint8))
    return state.with_node(layer.changed(raster=raster)), area


def faded(state: DocumentState, layer_id: str, step: int) -> tuple[DocumentState, Area]:
    return state.with_node(state.node(layer_id).changed(opacity=0.9 - 0.02 * step)), state.area


def fitting(state: DocumentState) -> int:
    """The level that is nearest to the whole picture's zoom in the window."""
    zoom = min(WINDOW[0] / state.width, WINDOW[1] / state.height)
    return max(0, round(-np.log2(zoom)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=6000)
    parser.add_argument("--height", type=int, default=4000)
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    application = QGuiApplication([])
    print(f"{given.layers} layers of {given.width} × {given.height}; medians in ms (of processor time)")
    for mixed in (False, True):
        state = document(given.width, given.height, given.layers, mixed=mixed)
        print("mixed modes" if mixed else "normal modes")
        measure(application, state, given.repeats)


def measure(application: QGuiApplication, state: DocumentState, repeats: int) -> None:
    screen = Screen(application, state)
    columns, rows = (-(-side // TILE_PX) + 1 for side in WINDOW)
    near = [(3 + column, 2 + row) for row in range(rows) for column in range(columns)]
    level = fitting(state)
    across, down = grid(state.width, state.height, level)
    whole = list(itertools.product(range(across), range(down)))
    for name, change, view in (
        ("dab", dabbed, (0, near)),
        (f"opacity, level {level}", faded, (level, whole)),
    ):
        screen.show(*view)
        for index in (0, len(state.layers) // 2, len(state.layers) - 1):
            layer_id = state.layers[index].id
            taken = [screen.change(*change(screen.state, layer_id, step)) for step in range(repeats + 2)][2:]
            wall, busy = (statistics.median(times) for times in zip(*taken, strict=True))
            best = min(time for time, _ in taken)
            print(f"  {name}, layer {index}: {wall:.1f} ({busy:.1f}), at best {best:.1f}")
    screen.tiles.close()


if __name__ == "__main__":
    main()
