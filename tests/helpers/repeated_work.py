"""What people do again and again in a window, and how much memory each time leaves behind.

Everything goes through the real event loop of a shown window, over the fake service.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent

from editor.application import Application
from editor.edits import painting
from editor.system.process_memory import resident_bytes
from tests.helpers.fake_application import generated, make_application, open_document
from widgets.window.main_window import MainWindow

PATIENCE_S = 30.0


class Desk:
    """A shown window, and what is done in it."""

    def __init__(self, folder: Path, *, side_px: int = 400, undo_mib: int = 64) -> None:
        self.application: Application = make_application(folder)
        self.application.settings.set("undo_memory_mib", undo_mib)
        self.window = MainWindow(self.application)
        self.window.resize(1200, 800)
        self.window.show()
        self._side_px = side_px
        self._picture = folder / "picture.png"
        values = np.random.default_rng(1).integers(0, 256, (side_px, side_px, 3), np.uint8)
        Image.fromarray(values).save(self._picture)
        self._turn = 0

    def close(self) -> None:
        for document in self.application.documents:
            document.undo_stack.setClean()
        self.window.close()
        self.window.deleteLater()
        self.application.deleteLater()
        turn_over()

    # one time each

    def open_and_close_a_document(self) -> None:
        before = len(self.application.documents)
        self.application.open_file(self._picture)
        wait_until(lambda: len(self.application.documents) > before)
        self.settle()
        current = self.application.current
        assert current is not None, "it was just opened"
        self.application.close(current)
        self.settle()

    def edit(self) -> None:
        """Fill the layer with another colour; the old pixels go into the history."""
        document = self.application.current
        assert document is not None, "the caller opened one"
        self._turn += 1
        colour = (self._turn % 256, self._turn // 256 % 256, 77, 255)
        node_id = document.state.active
        before = document.state
        self.application.edits.run(document, lambda state: painting.filled(state, node_id, colour), "Fill")
        wait_until(lambda: not self.application.edits.busy)
        assert document.state is not before, "the edit changed nothing"
        self.settle()

    def open_and_close_the_export_dialog(self) -> None:
        self.window.commands.show_export()
        dialog = self.window.commands.dialog("export")
        assert dialog is not None, "it was just asked for"
        self.settle()
        dialog.close()
        self.settle()

    def drag_a_slider(self) -> None:
        """A gesture of five positions, let go of at one of twenty places."""
        session = self.application.session
        assert session is not None, "the caller opened a generated picture"
        self._turn += 1
        end = (self._turn * 7 % 20 - 10) / 10
        for share in (0.2, 0.4, 0.6, 0.8):
            session.set_value(0, "age", round(end * share, 2), dragging=True)
            turn_over()
        session.set_value(0, "age", end, dragging=False)
        wait_until(lambda: not session.busy)
        self.settle()

    # around them

    def open_a_picture(self) -> None:
        self.application.open_file(self._picture)
        wait_until(lambda: self.application.current is not None)
        self.settle()

    def open_a_generated_picture(self) -> None:
        open_document(self.application, generated())
        session = self.application.session
        assert session is not None, "it has a recipe"
        session.add_attribute(0, "age")
        self.settle()

    def settle(self) -> None:
        wait_until(lambda: not self.application.background.busy and not self.application.edits.busy)
        turn_over()


@contextmanager
def desk(folder: Path, *, undo_mib: int = 64) -> Iterator[Desk]:
    made = Desk(folder, undo_mib=undo_mib)
    try:
        yield made
    finally:
        made.close()


def turn_over() -> None:
    """A few turns of the event loop, with what is deleted later deleted."""
    for _ in range(3):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it took too long"
        QCoreApplication.processEvents()
        time.sleep(0.0005)  # the other threads need the interpreter, too


def held_bytes() -> int:
    """What the process holds when all that can be given back is given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    held = resident_bytes()
    assert held is not None, "the system does not tell"
    return held


def traced_bytes() -> int:
    """What Python and numpy hold, to the byte; needs `tracemalloc` to trace."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def growth(
    action: Callable[[], None],
    times: int,
    *,
    warm_up: int,
    samples: int = 10,
    held: Callable[[], int] = held_bytes,
) -> tuple[float, list[int]]:
    """Bytes that each time adds, by the line through `samples` measurements, and the measurements.

    The first `warm_up` times fill caches that are bounded, and are not counted. The line is that of Theil and
    Sen, the median over all pairs of measurements: one that met a thumbnail in the making does not tilt it.
    """
    for _ in range(warm_up):
        action()
    measured = [_at_rest(held)]
    places = [0]
    for index in range(1, times + 1):
        action()
        if index * samples // times != (index - 1) * samples // times:
            measured.append(_at_rest(held))
            places.append(index)
    points = list(zip(places, measured, strict=True))
    slopes = [(high - low) / (later - sooner) for (sooner, low), (later, high) in combinations(points, 2)]
    return float(np.median(slopes)), measured


def _at_rest(held: Callable[[], int]) -> int:
    """The least of a few measurements: what is shown and kept for recovery holds more while it is made."""
    least = held()
    for _ in range(4):
        until = time.monotonic() + 0.05
        while time.monotonic() < until:
            turn_over()
            time.sleep(0.002)
        least = min(least, held())
    return least
