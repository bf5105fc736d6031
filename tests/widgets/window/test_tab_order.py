"""Tab goes through windows as they are read, and never out of sight."""

import itertools
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from editor.application import Application
from tests.helpers.fake_application import generated, open_document
from tests.widgets.conftest import _forget_changes
from tests.widgets.window.test_nothing_is_cut import DIALOGS, pages
from widgets.window.main_window import MainWindow
from widgets.window.tab_order import in_reading_order, tab_stops

_SCROLLED = {"shortcuts"}  # 160 fields above the buttons


@pytest.fixture
def window(application: Application, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(application)
    made.show()
    qtbot.waitExposed(made)
    yield made
    _forget_changes(application)
    made.close()
    made.deleteLater()


def steps_back(stops: list[QWidget]) -> Iterator[tuple[QWidget, QWidget]]:
    """Neighbours of which the second stands before the first: left of it in its row, or above it.

    What begins further right may stand higher: it is the next column.
    """
    for first, second in itertools.pairwise(stops):
        a, b = (QRect(one.mapTo(one.window(), QPoint()), one.size()) for one in (first, second))
        in_a_row = min(a.bottom(), b.bottom()) - max(a.top(), b.top()) > min(a.height(), b.height()) / 2
        if (in_a_row and b.right() <= a.left()) or (b.bottom() <= a.top() and b.left() <= a.right()):
            yield first, second


def test_dialogs_are_gone_through_as_they_are_read(window: MainWindow, application: Application) -> None:
    open_document(application, generated())
    for name in DIALOGS:
        getattr(window.commands, f"show_{name}")()
        for shown in window.commands.open_dialogs():
            dialog = window.commands.dialog(shown)
            assert dialog is not None
            for page, _ in pages(dialog):
                stops = tab_stops(dialog)
                assert stops, name
                assert name in _SCROLLED or list(steps_back(stops)) == [], (name, page)
        window.commands.close_dialogs()


def test_the_window_is_gone_through_as_it_is_read(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    open_document(application, generated())
    stops = in_reading_order(window)
    view = window.workspace.view
    assert view is not None
    parts = [window.tool_bar, view, window.panels["subjects"], window.panels["layers"], window.panels["jobs"]]
    places = [
        [i for i, stop in enumerate(stops) if part is stop or part.isAncestorOf(stop)] for part in parts
    ]
    assert all(places)
    for before, after in itertools.pairwise(places):
        assert max(before) < min(after)
    assert not any(window.panels["edits"].isAncestorOf(stop) for stop in stops), "it lies behind another"

    window.activateWindow()
    view.setFocus()
    gone = []
    for _ in stops:
        qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        focused = window.focusWidget()
        assert focused is not None
        assert not focused.visibleRegion().isEmpty()
        gone.append(focused)
    assert len(set(gone)) == len(gone)
    qtbot.keyClick(gone[-1], Qt.Key.Key_Backtab)
    assert window.focusWidget() is gone[-2]


def test_the_keyboard_stays_near_what_goes_away(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    document = open_document(application, generated())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=3000)
    jobs = window.panels["jobs"]
    button = QPushButton("Discard", jobs)
    button.show()
    button.setFocus()
    button.hide()  # its row ends
    focused = window.focusWidget()
    assert focused is window.workspace.view or (focused is not None and jobs.isAncestorOf(focused))
    assert window.workspace.view is not None
    window.workspace.view.setFocus()
    application.close(document)
    focused = window.focusWidget()
    assert focused is None or window.workspace.isAncestorOf(focused), "no field of a bar or panel"
