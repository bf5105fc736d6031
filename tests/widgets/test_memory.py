"""What is done again and again leaves nothing behind; `tests.benchmarks.memory` does it far more often."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.repeated_work import Desk, desk, growth, traced_bytes

LIMIT_BYTES = 20 * 1024
UNDO_MIB = 16  # 25 edits of a picture of 400 × 400


@pytest.fixture
def place(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path, undo_mib=UNDO_MIB) as made:
        yield made


@pytest.fixture
def traced() -> Iterator[None]:
    """Memory that is taken from now on; what other tests left is not looked through again at each count."""
    gc.collect()
    gc.freeze()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.unfreeze()


def _open_a_generated_picture(place: Desk) -> None:
    """Without pictures in advance: they fill a bounded cache for as long as anybody waits."""
    place.open_a_generated_picture()
    session = place.application.session
    assert session is not None
    session.set_precompute(False)


@pytest.mark.parametrize(
    ("first", "action", "times", "warm_up"),
    [
        (lambda _: None, Desk.open_and_close_a_document, 10, 4),
        (Desk.open_a_picture, Desk.edit, 30, 30),
        (Desk.open_a_picture, Desk.open_and_close_the_export_dialog, 10, 4),
        (_open_a_generated_picture, Desk.drag_a_slider, 20, 22),
    ],
    ids=["documents", "edits", "dialogs", "gestures"],
)
def test_each_time_leaves_nothing_behind(
    place: Desk,
    traced: None,
    first: Callable[[Desk], None],
    action: Callable[[Desk], None],
    times: int,
    warm_up: int,
) -> None:
    first(place)
    action(place)
    gc.collect()
    widgets = len(QApplication.allWidgets())
    slope, held = growth(lambda: action(place), times, warm_up=warm_up, samples=5, held=traced_bytes)
    assert slope < LIMIT_BYTES, held
    assert len(QApplication.allWidgets()) == widgets
