"""Autosave and leftovers with a real application; one clock that the tests turn."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from editor import commands
from editor.application import Application
from editor.controllers.recovery import Recovery
from editor.document.document import Document
from editor.recovery.autosave import Autosave
from editor.recovery.instances import DAMAGED
from editor.recovery.store import MANIFEST
from editor.system.folders import recovery_folder
from inference.errors import EditorError
from tests.helpers.fake_application import generated, make_application, open_document


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def application(qtbot: QtBot, tmp_path: Path) -> Iterator[Application]:
    made = make_application(tmp_path / "config")
    yield made
    made.shutdown()
    made.deleteLater()


@pytest.fixture
def clock(application: Application) -> Clock:
    made = Clock()
    application.recovery.autosave._clock = made
    application.recovery.autosave._last_tick = made.now
    return made


def run(application: Application, clock: Clock, seconds: float) -> None:
    """Let time go by, and everything that was begun end."""
    for _ in range(round(seconds)):
        clock.now += 1
        application.recovery.autosave.tick()
        settle(application)


def settle(application: Application) -> None:
    autosave = application.recovery.autosave
    while autosave.background.busy:
        autosave.background.wait()
        process_events()


def process_events() -> None:

    QCoreApplication.processEvents()


def rename(document: Document, name: str) -> None:
    commands.push(document, commands.SetLayerProperty(document, document.layers[0].id, "name", name))


def manifests() -> list[Path]:
    return sorted(recovery_folder().glob(f"*/*/{MANIFEST}"))


def kept_name() -> str:
    (path,) = manifests()
    return json.loads(path.read_bytes())["document"]["layers"][0]["name"]


def crash(application: Application) -> None:
    """What a killed process leaves: its files, and no lock."""
    application.recovery.autosave.background.wait()
    instance = application.recovery.autosave._instance
    assert instance is not None
    instance._lock.close()
    application.recovery.autosave._instance = None
    application.recovery.autosave._watched.clear()


def next_start(tmp_path: Path, application: Application) -> Application:
    other = make_application(tmp_path / "other")
    other.recovery.leftovers.look()
    settle(other)
    return other


def test_unsaved_changes_are_kept_and_go_when_saved(
    application: Application, clock: Clock, tmp_path: Path, qtbot: QtBot
) -> None:
    document = open_document(application, generated())
    run(application, clock, 5)
    assert manifests() == []
    rename(document, "changed")
    run(application, clock, 5)
    assert kept_name() == "changed"
    with qtbot.waitSignal(application.saved):
        application.save(document, tmp_path / "a.ora")
    run(application, clock, 2)
    assert manifests() == []


def test_a_picture_that_was_never_saved_is_kept(application: Application, clock: Clock) -> None:
    document = generated()
    document.undo_stack.resetClean()
    open_document(application, document)
    run(application, clock, 5)
    assert kept_name() == "Generated"


def test_steady_work_is_kept_within_the_bound(application: Application, clock: Clock) -> None:
    document = open_document(application, generated())
    bound = application.settings.get("autosave_seconds")
    for second in range(3 * bound):
        rename(document, str(second))
        run(application, clock, 1)
        if second >= bound:
            assert second - int(kept_name()) < bound


def test_closing_without_saving_removes_it(application: Application, clock: Clock) -> None:
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 5)
    application.close(document)
    settle(application)
    assert manifests() == []


def test_undoing_everything_removes_it(application: Application, clock: Clock) -> None:
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 5)
    document.undo_stack.undo()
    run(application, clock, 2)
    assert manifests() == []
    document.undo_stack.redo()
    run(application, clock, 5)
    assert kept_name() == "changed"


def test_the_end_of_the_session_keeps_what_nobody_was_asked_about(
    application: Application, clock: Clock
) -> None:
    document = open_document(application, generated())
    rename(document, "at the last moment")
    application.recovery.finish()
    assert kept_name() == "at the last moment"


def test_a_clean_end_leaves_nothing(application: Application, clock: Clock) -> None:
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 5)
    document.undo_stack.setClean()
    application.recovery.finish()
    assert [path for path in recovery_folder().iterdir() if path.is_dir()] == []


def test_after_a_crash_it_is_offered_and_restored(
    application: Application, clock: Clock, tmp_path: Path, qtbot: QtBot
) -> None:
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 5)
    crash(application)
    other = next_start(tmp_path, application)
    (leftover,) = other.recovery.leftovers.all
    assert leftover.summary.title == "beach couple"
    assert not leftover.thumbnail.isNull()
    other.recovery.leftovers.restore(leftover)
    settle(other)
    (restored,) = other.documents
    assert restored.modified
    assert restored.title == "beach couple"
    assert restored.layers[0].name == "changed"
    assert restored.prompt == document.prompt
    assert np.array_equal(restored.composite(), document.composite())
    assert kept_name() == "changed"  # a crash right now would lose nothing
    rename(restored, "again")
    other.recovery.autosave._clock = clock
    run(other, clock, 5)
    assert kept_name() == "again"
    restored.undo_stack.setClean()
    other.shutdown()
    assert manifests() == []


def test_a_running_window_keeps_its_own(application: Application, clock: Clock, tmp_path: Path) -> None:
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 5)
    other = next_start(tmp_path, application)
    assert other.recovery.leftovers.all == ()
    other.shutdown()
    assert len(manifests()) == 1


def test_discarded_or_left_for_later(application: Application, clock: Clock, tmp_path: Path) -> None:
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 5)
    crash(application)
    first = next_start(tmp_path, application)
    first.recovery.leftovers.postpone()
    second = next_start(tmp_path, application)
    assert first.recovery.leftovers.all == ()
    (leftover,) = second.recovery.leftovers.all
    second.recovery.leftovers.discard(leftover)
    settle(second)
    assert manifests() == []
    for window in (first, second):
        window.shutdown()
    assert [path for path in recovery_folder().iterdir() if path.is_dir()] == []


def test_a_newer_file_is_never_replaced(application: Application, clock: Clock, tmp_path: Path) -> None:
    document = open_document(application, generated())
    document.set_path(tmp_path / "a.ora")
    rename(document, "changed")
    run(application, clock, 5)
    (tmp_path / "a.ora").write_bytes(b"newer")
    crash(application)
    other = next_start(tmp_path, application)
    messages: list[str] = []
    other.message.connect(lambda text, hint, level: messages.append(text))
    other.recovery.leftovers.restore(other.recovery.leftovers.all[0])
    settle(other)
    assert other.documents[0].path is None
    assert "opened as a copy" in messages[0]
    other.shutdown()


def test_broken_files_are_set_aside_with_a_message(
    application: Application, clock: Clock, tmp_path: Path
) -> None:
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 5)
    crash(application)
    manifests()[0].write_bytes(b"{")
    other = make_application(tmp_path / "other")
    messages: list[str] = []
    other.message.connect(lambda text, hint, level: messages.append(text))
    other.recovery.leftovers.look()
    settle(other)
    assert other.recovery.leftovers.all == ()
    assert "cannot be restored" in messages[0]
    assert len(list((recovery_folder() / DAMAGED).iterdir())) == 1
    other.shutdown()


def test_a_failure_is_said_once_and_tried_again(
    application: Application, clock: Clock, tmp_path: Path
) -> None:
    recovery_folder().parent.mkdir(parents=True)
    recovery_folder().write_bytes(b"in the way")
    messages: list[str] = []
    application.message.connect(lambda text, hint, level: messages.append(text))
    document = open_document(application, generated())
    rename(document, "changed")
    run(application, clock, 100)
    assert len(messages) == 1
    assert "cannot be kept" in messages[0]
    assert document.modified
    recovery_folder().unlink()
    run(application, clock, 40)
    assert kept_name() == "changed"


def test_no_more_than_allowed_is_written(application: Application, clock: Clock) -> None:
    failures: list[EditorError] = []
    made = Autosave(recovery_folder(), lambda: 30.0, lambda: 10, application, clock)
    made.failed.connect(failures.append)
    document = generated()
    document.undo_stack.resetClean()
    made.follow(document)
    for _ in range(5):
        clock.now += 1
        made.tick()
        made.background.wait()
        process_events()
    assert "more room" in failures[0].message
    assert manifests() == []
    made.finish()


def test_nothing_is_touched_before_the_start(application: Application) -> None:
    open_document(application, generated())
    assert isinstance(application.recovery, Recovery)
    assert not recovery_folder().exists()
