"""The Variations panel."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from editor.application import Application
from inference.errors import EditorError
from tests.helpers.fake_service import FakeService
from widgets.generate.filmstrip import Filmstrip
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow


@pytest.fixture
def strip(filled: MainWindow) -> Filmstrip:
    made = filled.panel("variations")
    assert isinstance(made, Filmstrip)
    return made


def test_without_a_picture_it_says_what_it_is_for(window: MainWindow) -> None:
    strip = window.panel("variations")
    assert isinstance(strip, Filmstrip)
    assert not strip.make.isVisible()
    assert strip.hint.isVisible()


def test_a_click_takes_a_variation_in_one_undo_step(
    strip: Filmstrip, application: Application, qtbot: QtBot
) -> None:
    document = application.current
    assert document is not None
    strip.make.click()
    qtbot.waitUntil(lambda: len(strip.cards) == 5 and all(card.isEnabled() for card in strip.cards))
    before = document.composite().copy()
    qtbot.mouseClick(strip.cards[2], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: strip.cards[2].isChecked())
    assert (document.composite() != before).any()
    application.undo()
    assert (document.composite() == before).all()
    assert strip.cards[0].isChecked()


def test_arrow_keys_walk_and_space_takes(strip: Filmstrip, application: Application, qtbot: QtBot) -> None:
    strip.make.click()
    qtbot.waitUntil(lambda: len(strip.cards) == 5 and all(card.isEnabled() for card in strip.cards))
    qtbot.mouseMove(strip.cards[1])  # over the picture, Space would hold the hand
    strip.cards[0].setFocus()
    qtbot.keyClick(strip.cards[0], Qt.Key.Key_Right)
    assert strip.cards[1].hasFocus()
    qtbot.keyClick(strip.cards[1], Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: strip.cards[1].isChecked())


def test_a_failed_variation_says_why(
    strip: Filmstrip, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    service.fail_next = EditorError("No memory left.")
    strip.make.click()
    qtbot.waitUntil(lambda: any("No memory left." in card.toolTip() for card in strip.cards))


def test_a_click_shows_the_variations_seed_in_its_field(
    strip: Filmstrip, filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    subjects = filled.panel("subjects")
    assert isinstance(subjects, SubjectPanel)
    strip.make.click()
    qtbot.waitUntil(lambda: len(strip.cards) == 5 and all(card.isEnabled() for card in strip.cards))
    qtbot.mouseClick(strip.cards[2], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: strip.cards[2].isChecked())
    assert subjects.prompt.seed.seed == 9
    assert not subjects.prompt.generate.property("primary")
    application.undo()
    assert subjects.prompt.seed.seed == 7
