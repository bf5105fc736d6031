"""Tests that fail while much is alive that they would have ended; `tests/test_failing.py` runs them apart."""

import functools
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QMimeData, QObject
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.rendering.tiles import TileCompositor
from editor.system.background import Background
from inference.service import InferenceService
from tests.helpers.fake_application import make_application
from tests.helpers.scripted_runner import ScriptedRunner

SHORT_S, LONG_S = 0.05, 30.0


def _work(seconds: float) -> np.ndarray:
    time.sleep(seconds)
    return np.zeros(9)


def _ask(background: Background, seconds: float) -> None:
    for _ in range(6):
        background.run(functools.partial(_work, seconds), lambda _: None, lambda _: None)


def test_something_is_in_the_clipboard(qtbot: QtBot) -> None:
    mime = QMimeData()
    mime.setData("image/png", QByteArray(b"picture"))
    QGuiApplication.clipboard().setMimeData(mime)
    pytest.fail("on purpose")


@pytest.mark.parametrize("seconds", [0.0, SHORT_S, LONG_S])
@pytest.mark.parametrize("owner", ["none", "deleted", "parent deleted"])
def test_work_goes_on_without_its_owner(qtbot: QtBot, seconds: float, owner: str) -> None:
    parent = QObject()
    background = Background(parent if owner == "parent deleted" else None)
    _ask(background, seconds)
    if owner == "deleted":
        background.deleteLater()
    elif owner == "parent deleted":
        parent.deleteLater()
    qtbot.wait(1)
    pytest.fail("on purpose")


def test_an_application_is_not_shut_down(qtbot: QtBot, tmp_path: Path) -> None:
    application = make_application(tmp_path)
    _ask(application.background, SHORT_S)
    pytest.fail("on purpose")


def test_an_engine_is_not_stopped(qtbot: QtBot) -> None:
    service = InferenceService(ScriptedRunner)
    service.preload("any")
    qtbot.wait(300)
    pytest.fail("on purpose")


def test_tiles_are_still_composed(qtbot: QtBot) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (1500, 1500, 4), np.uint8)
    layers = tuple(Layer.of_pixels(name=str(index), pixels=pixels) for index in range(4))
    tiles = TileCompositor()
    tiles.set_state(DocumentState(width=1500, height=1500, layers=layers))
    tiles.request(0, [(column, row) for row in range(6) for column in range(6)])
    pytest.fail("on purpose")
