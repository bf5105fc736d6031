"""An SVG opens at its own size, and the window offers any other."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor import commands
from editor.application import Application
from widgets.dialogs.drawing_size import DrawingSize
from widgets.window.main_window import MainWindow


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    path = tmp_path / "a.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
        '<path d="M0 0L40 20" stroke="red"/></svg>'
    )
    return path


def shown(window: MainWindow, application: Application, drawing: Path, qtbot: QtBot) -> DrawingSize:
    application.open_file(drawing)
    qtbot.waitUntil(lambda: window.commands.dialog("drawing size") is not None)
    dialog = window.commands.dialog("drawing size")
    assert isinstance(dialog, DrawingSize)
    return dialog


def sizes(application: Application) -> list[tuple[int, int]]:
    return [(document.width, document.height) for document in application.documents]


def test_another_size_takes_the_place_of_the_first(
    window: MainWindow, application: Application, drawing: Path, qtbot: QtBot
) -> None:
    dialog = shown(window, application, drawing, qtbot)
    assert sizes(application) == [(40, 20)]
    dialog.size_box.width_box.setValue(400)
    dialog.draw.click()
    qtbot.waitUntil(lambda: sizes(application) == [(400, 200)])
    assert window.commands.dialog("drawing size") is None


def test_what_was_changed_meanwhile_stays(
    window: MainWindow, application: Application, drawing: Path, qtbot: QtBot
) -> None:
    dialog = shown(window, application, drawing, qtbot)
    (document,) = application.documents
    commands.push(document, commands.SetLayerProperty(document, document.layers[0].id, "name", "mine"))
    dialog.size_box.percent.setValue(50)
    dialog.draw.click()
    qtbot.waitUntil(lambda: sizes(application) == [(40, 20), (20, 10)])
    document.undo_stack.setClean()


def test_it_closes_with_the_document_and_the_same_size_is_not_drawn_again(
    window: MainWindow, application: Application, drawing: Path, qtbot: QtBot
) -> None:
    dialog = shown(window, application, drawing, qtbot)
    dialog.draw.click()
    qtbot.waitUntil(lambda: window.commands.dialog("drawing size") is None)
    assert sizes(application) == [(40, 20)]
    application.close(application.documents[0])
    shown(window, application, drawing, qtbot)
    application.close(application.documents[0])
    qtbot.waitUntil(lambda: window.commands.dialog("drawing size") is None)
