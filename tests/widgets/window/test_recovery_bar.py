from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.layers.state import SourceMetadata
from editor.recovery.instances import Instance
from editor.recovery.store import Snapshot, Store
from editor.system.folders import recovery_folder
from tests.helpers.fake_application import generated
from widgets.window.main_window import MainWindow
from widgets.window.recovery_bar import RecoveryBar


def leave(*titles: str) -> None:
    """What a session leaves that crashed with these documents."""
    instance = Instance.begin(recovery_folder())
    for title in titles:
        state = generated().state
        snapshot = Snapshot(state=state, source=SourceMetadata(), title=title, path=None)
        Store(instance.new_document()).save(snapshot, 2**30)
    instance.end()


@pytest.fixture
def bar(window: MainWindow, application: Application, qtbot: QtBot) -> RecoveryBar:
    leave("first", "second")
    application.recovery.leftovers.look()
    qtbot.waitUntil(lambda: window.workspace.recovery.isVisible())
    return window.workspace.recovery


def test_nothing_is_shown_without_leftovers(window: MainWindow) -> None:
    assert not window.workspace.recovery.isVisible()


def test_each_document_has_its_row(bar: RecoveryBar) -> None:
    assert {row.leftover.summary.title for row in bar.rows} == {"first", "second"}
    assert bar.restore_all.isVisible()


def test_restored(bar: RecoveryBar, application: Application, qtbot: QtBot) -> None:
    title = bar.rows[0].leftover.summary.title
    bar.rows[0].restore.click()
    qtbot.waitUntil(lambda: len(application.documents) == 1)
    assert application.documents[0].title == title
    assert application.documents[0].modified
    assert len(bar.rows) == 1
    assert not bar.restore_all.isVisible()


def test_all_restored(bar: RecoveryBar, application: Application, qtbot: QtBot) -> None:
    bar.restore_all.click()
    qtbot.waitUntil(lambda: len(application.documents) == 2)
    assert not bar.isVisible()


def test_discarding_takes_two_clicks(bar: RecoveryBar, application: Application) -> None:
    bar.rows[0].discarded.click()
    assert len(bar.rows) == 2
    bar.rows[0].discarded.click()
    assert len(bar.rows) == 1
    application.recovery.autosave.background.wait()
    assert len(list(recovery_folder().glob("*/*/manifest.json"))) == 1


def test_later_keeps_everything(bar: RecoveryBar, application: Application, tmp_path: Path) -> None:
    bar.later.click()
    assert not bar.isVisible()
    assert len(list(recovery_folder().glob("*/*/manifest.json"))) == 2


def test_all_can_be_discarded_with_two_clicks(bar: RecoveryBar, qtbot: QtBot) -> None:
    bar.discard_all.click()
    assert bar.discard_all.text() == "Discard all for good?"
    assert len(bar.rows) == 2
    bar.discard_all.click()
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert bar.rows == ()
