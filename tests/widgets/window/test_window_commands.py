"""Closing and saving lose nothing."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from editor.application import Application
from widgets.window.main_window import MainWindow
from widgets.window.window_commands import may_replace

SAVE = QMessageBox.StandardButton.Save


def answer_with_save(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda _: SAVE)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", staticmethod(lambda *_, **__: (name, "")))


def test_a_cancelled_file_dialog_leaves_no_close_behind(
    qtbot: QtBot,
    filled: MainWindow,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    document = application.current
    assert document is not None
    application.layers.duplicate()
    answer_with_save(monkeypatch, "")
    filled.commands.close_document()
    with qtbot.waitSignal(application.saved):
        application.save(document, tmp_path / "a.ora")
    assert application.documents == (document,)


def test_saving_on_close_closes_when_it_is_written(
    qtbot: QtBot,
    filled: MainWindow,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    application.layers.duplicate()
    answer_with_save(monkeypatch, str(tmp_path / "trip.v2"))
    with qtbot.waitSignal(application.document_closed):
        filled.commands.close_document()
    assert (tmp_path / "trip.v2.ora").is_file()


def test_an_edit_while_saving_keeps_the_document_open(
    qtbot: QtBot,
    filled: MainWindow,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    application.layers.duplicate()
    answer_with_save(monkeypatch, str(tmp_path / "a.ora"))
    with qtbot.waitSignal(application.saved):
        filled.commands.close_document()
        application.layers.duplicate()
    assert application.current is not None
    assert application.current.modified


def test_a_name_that_was_completed_is_not_replaced_silently(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    path = tmp_path / "foo.ora"
    assert may_replace(parent, path)
    path.touch()
    no = QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "exec", lambda _: no)
    assert not may_replace(parent, path)
