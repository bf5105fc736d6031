import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QSpinBox
from pytestqt.qtbot import QtBot

from editor.actions.forms import FORMS
from widgets.forms.form_dialog import FormDialog
from widgets.window.main_window import MainWindow


@pytest.fixture
def dialog(filled: MainWindow, qtbot: QtBot) -> FormDialog:
    filled.commands.show_form("image-size")
    found = filled.commands.dialog("form-image-size")
    assert isinstance(found, FormDialog)
    return found


def box(dialog: FormDialog, name: str) -> QSpinBox:
    editor = dialog.fields.editors[name]
    assert isinstance(editor, QSpinBox)
    return editor


def test_it_starts_with_the_documents_size_and_keeps_its_proportions(
    dialog: FormDialog, filled: MainWindow
) -> None:
    document = filled.application.current
    assert document is not None
    assert (box(dialog, "width").value(), box(dialog, "height").value()) == (document.width, document.height)
    box(dialog, "width").setValue(document.width * 2)
    assert box(dialog, "height").value() == document.height * 2
    linked = dialog.fields.editors["linked"]
    assert isinstance(linked, QCheckBox)
    linked.setChecked(False)
    box(dialog, "width").setValue(document.width * 3)
    assert box(dialog, "height").value() == document.height * 2


def test_the_button_does_it(dialog: FormDialog, filled: MainWindow, qtbot: QtBot) -> None:
    document = filled.application.current
    assert document is not None
    width = document.width
    box(dialog, "width").setValue(width * 2)
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    qtbot.wait_until(lambda: document.width == width * 2, timeout=5000)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_can_be_shown(name: str, filled: MainWindow) -> None:
    filled.commands.show_form(name)
    found = filled.commands.dialog(f"form-{name}")
    assert isinstance(found, FormDialog)
    assert found.windowTitle()
    filled.application.close(filled.application.current)  # type: ignore[arg-type]
    assert not found.isVisible()
