"""New picture, export, models, settings, shortcuts, information."""

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from pytestqt.qtbot import QtBot

from editor.application import Application
from inference.operations import Generate
from tests.helpers.fake_application import FakeCatalogue
from tests.helpers.fake_service import FakeService
from widgets.export_dialog import ExportDialog
from widgets.information import Information
from widgets.main_window import MainWindow
from widgets.model_dialog import ModelDialog
from widgets.new_picture import NewPicture
from widgets.settings_dialog import SettingsDialog
from widgets.shortcuts import Shortcuts


@pytest.fixture
def export(filled: MainWindow) -> ExportDialog:
    filled.commands.show_export()
    dialog = filled.commands.dialog("export")
    assert isinstance(dialog, ExportDialog)
    return dialog


def test_export_tells_the_size_of_the_file(export: ExportDialog, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "kB" in export.size_label.text(), timeout=5000)
    assert export.size_label.text().startswith("64 × 64 px · ")


def test_quality_is_for_lossy_formats(export: ExportDialog) -> None:
    export.format.setCurrentIndex(export.format.findData("png"))
    assert not export.quality.isEnabled()
    export.format.setCurrentIndex(export.format.findData("jpeg"))
    assert export.quality.isEnabled()
    export.format.setCurrentIndex(export.format.findData("webp"))
    export.lossless.setChecked(True)
    assert not export.quality.isEnabled()
    assert export.options.lossless


@pytest.mark.parametrize(("key", "name"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_export_writes_the_picture_and_keeps_the_choices(
    export: ExportDialog, application: Application, qtbot: QtBot, tmp_path: Path, key: str, name: str
) -> None:
    export.format.setCurrentIndex(export.format.findData(key))
    export.quality.setValue(77)
    export.metadata.setChecked(False)
    path = tmp_path / f"out.{key}"
    with qtbot.waitSignal(application.exported, timeout=5000):
        export.write(path)
    with Image.open(path) as written:
        assert written.format == name
        assert written.size == (64, 64)
    assert application.settings.get("export_format") == key
    assert application.settings.get("export_quality") == 77
    assert not application.settings.get("export_metadata")


def test_export_that_cannot_be_written_says_so(
    filled: MainWindow, export: ExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    export.write(tmp_path / "missing" / "out.png")
    qtbot.waitUntil(filled.workspace.messages.isVisible, timeout=5000)
    assert filled.workspace.messages.property("level") == "error"


def test_new_picture_asks_the_service(
    window: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    window.commands.show_new_picture()
    dialog = window.commands.dialog("new")
    assert isinstance(dialog, NewPicture)
    assert not dialog.isModal()
    assert not dialog.generate.isEnabled()
    dialog.prompt.setPlainText("海滩上的男人 a man")
    dialog.seed.set_seed(42)
    dialog.steps.setValue(12)
    qtbot.keyClick(dialog.prompt, Qt.Key.Key_Return)
    job = service.submitted[-1]
    parameters = job.request.parameters
    assert isinstance(parameters, Generate)
    assert (parameters.prompt, parameters.seed, parameters.steps) == ("海滩上的男人 a man", 42, 12)
    assert (parameters.width, job.request.model) == (None, "mini-sdxl")
    qtbot.waitUntil(lambda: application.current is not None)


def test_new_picture_with_an_impossible_size_says_what_is_allowed(window: MainWindow) -> None:
    window.commands.show_new_picture()
    dialog = window.commands.dialog("new")
    assert isinstance(dialog, NewPicture)
    dialog.prompt.setPlainText("a man")
    dialog.width_box.setMaximum(10000)
    dialog.width_box.setValue(9000)
    dialog.generate.click()
    assert not dialog.problem.isHidden()
    assert "4096" in dialog.problem.text()


def test_settings_are_made_from_their_declarations_and_saved(
    window: MainWindow, application: Application
) -> None:
    window.commands.show_settings()
    dialog = window.commands.dialog("settings")
    assert isinstance(dialog, SettingsDialog)
    assert set(dialog.form.editors) == {item.name for item in application.settings.declared()}
    box = dialog.form.editors["variations"]
    box.setValue(9)  # type: ignore[attr-defined]
    assert application.settings.get("variations") == 9
    steps = dialog.form.editors["steps"]
    assert dialog.form.value("steps") is None
    steps.setValue(20)  # type: ignore[attr-defined]
    assert application.settings.get("steps") == 20
    application.settings.reset()
    assert dialog.form.value("steps") is None
    assert dialog.form.value("variations") == 4


@pytest.fixture
def models(window: MainWindow) -> ModelDialog:
    window.commands.show_models()
    dialog = window.commands.dialog("models")
    assert isinstance(dialog, ModelDialog)
    return dialog


def test_a_model_can_be_added_used_and_removed(
    models: ModelDialog, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    models.address.setText("/models/photo.safetensors")
    models.add.click()
    qtbot.waitUntil(lambda: models.selected == "photo", timeout=5000)
    models.use.click()
    assert application.settings.get("model") == "photo"
    assert service.preloaded[-1] == "photo"
    assert not models.use.isEnabled()
    models.remove.click()
    assert models.list.count() == 3


def test_a_sandbox_model_cannot_be_removed(models: ModelDialog) -> None:
    assert not models.remove.isEnabled()


def test_an_address_that_is_no_model_says_what_would_be_one(models: ModelDialog, qtbot: QtBot) -> None:
    models.address.setText("/tmp/notes.txt")
    models.address.returnPressed.emit()
    qtbot.waitUntil(lambda: "is no model" in models.answer.text(), timeout=5000)
    assert "Choose a folder" in models.answer.text()
    assert models.address.text() == "/tmp/notes.txt"


@pytest.mark.parametrize("problems", [[], ["unet/model.safetensors is missing."]])
def test_checking_a_model(
    models: ModelDialog, application: Application, qtbot: QtBot, problems: list[str]
) -> None:
    assert isinstance(application.catalogue, FakeCatalogue)
    application.catalogue.problems = problems
    models.check.click()
    wanted = problems[0] if problems else "mini-sdxl is complete."
    qtbot.waitUntil(lambda: models.answer.text() == wanted, timeout=5000)


def test_a_shortcut_that_is_taken_is_refused(window: MainWindow, application: Application) -> None:
    window.commands.show_shortcuts()
    dialog = window.commands.dialog("shortcuts")
    assert isinstance(dialog, Shortcuts)
    field = dialog.rows["file.export"][1]
    field.setKeySequence(QKeySequence("Ctrl+O"))
    field.editingFinished.emit()
    assert "Open" in dialog.conflict.text()
    assert application.settings.shortcut("file.export") is None
    assert field.keySequence().toString() == "Ctrl+E"
    field.setKeySequence(QKeySequence("Ctrl+Shift+E"))
    field.editingFinished.emit()
    assert application.settings.shortcut("file.export") == "Ctrl+Shift+E"
    assert dialog.conflict.isHidden()


def test_searching_shortcuts(window: MainWindow) -> None:
    window.commands.show_shortcuts()
    dialog = window.commands.dialog("shortcuts")
    assert isinstance(dialog, Shortcuts)
    dialog.search.setText("undo")
    shown = [key for key, (label, _) in dialog.rows.items() if not label.isHidden()]
    assert shown == ["edit.undo"]


def test_information_tells_how_the_picture_was_made(filled: MainWindow) -> None:
    filled.commands.show_information()
    dialog = filled.commands.dialog("information")
    assert isinstance(dialog, Information)
    text = dialog.as_text()
    assert "Prompt: a photo of a man and a woman on the beach" in text
    assert "Seed: 7" in text
    assert "Model: mini-sdxl" in text


def test_about_opens_and_closes(window: MainWindow, qtbot: QtBot) -> None:
    window.commands.show_about()
    dialog = window.commands.dialog("about")
    assert dialog is not None
    dialog.close()
    qtbot.waitUntil(lambda: window.commands.dialog("about") is None)
