"""How soon a slider answers from pictures that are known: `python -m tests.benchmarks.slider_answer`.

Measures one `set_value(dragging=True)` including the composite that the canvas asks for, by picture size.
"""

import os
import statistics
import sys
import time

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QGuiApplication

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.pixels.qimages import to_qimage
from editor.sliders.session import AttributeSession
from tests.editor.samples import MAN, known_attributes, recipe
from tests.helpers.fake_service import FakeService

MOVES = 200


def answers_ms(size: int) -> list[float]:
    """Milliseconds from each of `MOVES` moves to the finished QImage of the composite."""
    rng = np.random.default_rng(0)
    service = FakeService()
    service.pictures = lambda request: (rng.integers(0, 256, (size, size, 3), np.uint8),)
    layer = Layer.of_pixels(
        name="Generated", pixels=rng.integers(0, 256, (size, size, 3), np.uint8), recipe=recipe(MAN)
    )
    session = AttributeSession(Document.from_layer(layer), layer.id, service, known_attributes)
    session.add_attribute(0, "age")
    for value in (-2.0, -1.0, 1.0, 2.0):
        session.set_value(0, "age", value, dragging=False)
        service.finish()
    measured: list[float] = []
    for value in rng.uniform(-2, 2, MOVES):
        started = time.perf_counter()
        session.set_value(0, "age", float(value), dragging=True)
        to_qimage(session.document.composite())
        measured.append((time.perf_counter() - started) * 1000)
    return measured


def main() -> int:
    application = QGuiApplication(sys.argv[:1])
    for size in (128, 512, 1024):
        found = answers_ms(size)
        median, p99 = statistics.median(found), np.percentile(found, 99)
        figures = f"median {median:.1f} ms, p99 {p99:.1f} ms, worst {max(found):.1f} ms"
        print(f"{size} × {size}: {figures}")
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
