"""The status bar and its zoom box."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.commands import SetSelection, push
from editor.layers.layer import Mask
from editor.pixels.raster import Raster
from widgets.forms.zoom_box import FIT, zoom_of
from widgets.window.main_window import MainWindow


@pytest.mark.parametrize(
    ("text", "zoom"),
    [
        ("150", 1.5),
        ("66,7 %", 0.667),
        (" 50% ", 0.5),
        ("0.5", 0.005),
        ("abc", None),
        ("", None),
        ("900000", None),
    ],
)
def test_what_a_typed_zoom_means(text: str, zoom: float | None) -> None:
    found = zoom_of(text)
    assert found == (None if zoom is None else pytest.approx(zoom))


def test_a_typed_zoom_is_shown_on_the_canvas(filled: MainWindow, qtbot: QtBot) -> None:
    box, view = filled.status.zoom, filled.workspace.view
    assert view is not None
    box.setEditText("300")
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)
    assert view.viewport.zoom == pytest.approx(3)
    assert box.text() == "300 %"
    filled.status.zoom_chosen.emit(FIT)
    assert view.viewport.fitted


def test_nonsense_goes_back_to_the_zoom_that_is_shown(filled: MainWindow, qtbot: QtBot) -> None:
    box = filled.status.zoom
    box.show_zoom(2.0)
    box.setEditText("wide")
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)
    assert box.text() == "200 %"


def test_the_colour_under_the_pointer(filled: MainWindow, application: Application, qtbot: QtBot) -> None:
    document = application.current
    assert document is not None
    red, green, blue, _ = document.composite()[3, 5]
    filled.status.set_cursor(QPoint(5, 3))
    expected = f"#{red:02x}{green:02x}{blue:02x}"
    qtbot.waitUntil(lambda: filled.status.patch.text() == expected)
    filled.status.set_cursor(None)
    assert filled.status.patch.isHidden()


def test_the_selections_size(filled: MainWindow, application: Application, qtbot: QtBot) -> None:
    document = application.current
    assert document is not None
    values = np.zeros((64, 64, 1), np.uint8)
    values[4:14, 4:24] = 255
    push(document, SetSelection(document, Mask(raster=Raster.of(values)), "Select"))
    qtbot.waitUntil(lambda: filled.status.selection_label.text() == "Selection 20 × 10")
    application.undo()
    assert filled.status.selection_label.isHidden()


def test_the_device_is_the_engines(filled: MainWindow, application: Application) -> None:
    assert filled.status.device.isHidden()
    application.service._set_device("cuda")
    assert filled.status.device.text() == "CUDA"
