"""A picture without a prompt gets sliders as soon as somebody says what it shows."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.layers.layer import Layer
from inference.content import content_hash
from inference.operations import Edit
from tests.helpers.fake_service import FakeService
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow


@pytest.fixture
def panel(
    window: MainWindow, application: Application, service: FakeService, tmp_path: Path, qtbot: QtBot
) -> SubjectPanel:
    pixels = np.random.default_rng(2).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "照片.png")
    application.open_file(tmp_path / "照片.png")
    qtbot.waitUntil(lambda: application.current is not None)
    service.pictures = lambda request: (pixels,)
    found = window.panel("subjects")
    assert isinstance(found, SubjectPanel)
    return found


def test_it_asks_what_the_picture_shows(panel: SubjectPanel, qtbot: QtBot) -> None:
    assert not panel.description.isHidden()
    assert not panel.description.start.isEnabled()
    panel.description.field.setPlainText("  \n ")
    assert not panel.description.start.isEnabled()


def test_the_answer_makes_a_layer_with_sliders(
    panel: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    document = application.current
    assert document is not None
    qtbot.keyClicks(panel.description.field, "a man")
    qtbot.keyClick(panel.description.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: application.session is not None)
    photo, layer = document.layers
    assert isinstance(layer, Layer)
    assert isinstance(photo, Layer)
    assert layer.recipe is not None
    parameters = layer.recipe.request.parameters
    assert isinstance(parameters, Edit)
    assert parameters.prompt == "a man"
    kept = layer.recipe.contents[parameters.image.hash]
    assert content_hash(kept) == parameters.image.hash
    assert np.array_equal(kept, photo.pixels[..., :3])
    session = application.session
    assert session is not None
    session.toggle_subject(2, 5)
    session.add_attribute(0, "age")
    qtbot.waitUntil(lambda: not session.busy)
    assert panel.sections[0].rows.keys() == {"age"}
