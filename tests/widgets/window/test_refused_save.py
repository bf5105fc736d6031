"""The question about a file that somebody else has changed."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from editor import commands
from editor.application import Application
from editor.document.document import Document
from editor.formats import files
from tests.editor.edits.trees import tree
from widgets.window.main_window import MainWindow

THEIRS = "theirs"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "<b>project</b> & more.ora".replace("/", "-")
    files.save_project(tree(), Document(tree()).source, path)
    return path


@pytest.fixture
def document(window: MainWindow, application: Application, project: Path, qtbot: QtBot) -> Document:
    """A changed one, whose file another program has changed as well."""
    application.open_file(project)
    qtbot.wait_until(lambda: application.current is not None)
    made = application.current
    assert made is not None
    rename(made, "ours")
    other = tree()
    theirs = other.with_node(other.node("top").changed(name=THEIRS))
    files.save_project(theirs, made.source, project)
    return made


def rename(document: Document, name: str) -> None:
    commands.push(document, commands.SetLayerProperty(document, "top", "name", name))


def name_in(path: Path) -> str:
    return files.open_file(path).state.node("top").name


def asked(window: MainWindow, qtbot: QtBot) -> QMessageBox:
    qtbot.wait_until(lambda: window.commands.dialog("refused save") is not None)
    box = window.commands.dialog("refused save")
    assert isinstance(box, QMessageBox)
    return box


def click(box: QMessageBox, text: str, qtbot: QtBot) -> None:
    (button,) = [button for button in box.buttons() if button.text().replace("&", "") == text]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_names_the_file_and_offers_every_way(window: MainWindow, document: Document, qtbot: QtBot) -> None:
    window.commands.save()
    box = asked(window, qtbot)
    assert document.path is not None
    assert document.path.name in box.text()
    assert box.textFormat() is Qt.TextFormat.PlainText
    texts = {button.text().replace("&", "") for button in box.buttons()}
    assert texts == {"Save as…", "Reload", "Overwrite", "Cancel"}
    click(box, "Cancel", qtbot)
    assert document.modified
    assert name_in(document.path) == THEIRS


def test_overwrite(window: MainWindow, document: Document, project: Path, qtbot: QtBot) -> None:
    window.commands.save()
    click(asked(window, qtbot), "Overwrite", qtbot)
    qtbot.wait_until(lambda: not document.modified)
    assert name_in(project) == "ours"
    qtbot.wait_until(lambda: window.commands.dialog("refused save") is None)


def test_reload(
    window: MainWindow, application: Application, document: Document, project: Path, qtbot: QtBot
) -> None:
    window.commands.save()
    click(asked(window, qtbot), "Reload", qtbot)
    qtbot.wait_until(lambda: document not in application.documents and application.current is not None)
    assert application.current is not None
    assert application.current.state.node("top").name == THEIRS
    assert application.current.path == project


def test_save_as(
    window: MainWindow, document: Document, project: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = project.with_name("elsewhere.ora")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(elsewhere), ""))
    window.commands.save()
    click(asked(window, qtbot), "Save as…", qtbot)
    qtbot.wait_until(lambda: not document.modified)
    assert document.path == elsewhere
    assert (name_in(elsewhere), name_in(project)) == ("ours", THEIRS)


def test_closing_with_save_goes_on_after_the_answer(
    window: MainWindow,
    application: Application,
    document: Document,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda _: QMessageBox.StandardButton.Save)
    assert not window.commands.close_one(document)
    box = asked(window, qtbot)
    assert document in application.documents
    click(box, "Overwrite", qtbot)
    qtbot.wait_until(lambda: document not in application.documents)


def test_a_read_only_file_offers_no_reload(
    window: MainWindow, application: Application, project: Path, qtbot: QtBot
) -> None:
    application.open_file(project)
    qtbot.wait_until(lambda: application.current is not None)
    made = application.current
    assert made is not None
    rename(made, "ours")
    project.chmod(0o444)
    window.commands.save()
    box = asked(window, qtbot)
    assert "read-only" in box.text()
    assert "Reload" not in {button.text().replace("&", "") for button in box.buttons()}
    click(box, "Cancel", qtbot)
    made.undo_stack.setClean()
