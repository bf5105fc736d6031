"""New picture, export, models, settings, shortcuts, information."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDoubleSpinBox, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from editor.actions.forms import FORMS
from editor.application import Application
from editor.colour.conversion import built_in_profile, to_srgb
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, JpegEncoding, SourceMetadata
from inference.downloads.curated import RECOMMENDED
from inference.operations import Generate
from tests.helpers.fake_application import FakeCatalogue
from tests.helpers.fake_service import FakeService
from widgets.actions.shortcuts import Shortcuts
from widgets.dialogs.export_dialog import ExportDialog
from widgets.dialogs.information import Information
from widgets.dialogs.model_dialog import ModelDialog
from widgets.dialogs.new_picture import NewPicture
from widgets.dialogs.settings_dialog import SettingsDialog
from widgets.window.main_window import MainWindow


@pytest.fixture
def export(filled: MainWindow) -> ExportDialog:
    filled.commands.show_export()
    dialog = filled.commands.dialog("export")
    assert isinstance(dialog, ExportDialog)
    return dialog


def test_export_tells_the_size_of_the_file(export: ExportDialog, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "kB" in export.size_label.text(), timeout=20000)
    assert export.size_label.text().startswith("64 × 64 px · ")


@pytest.mark.parametrize("profile", ["keep", "srgb"])
def test_export_shows_colours_as_the_canvas_does(
    window: MainWindow, application: Application, qtbot: QtBot, profile: str
) -> None:
    """The numbers of a wide profile, shown as they are, are paler than the picture."""
    wide = built_in_profile("display-p3")
    red = np.full((32, 32, 3), (200, 40, 40), np.uint8)
    state = DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=red))
    application.add_document(Document(replace(state, icc_profile=wide), title="t"))
    window.commands.show_export()
    dialog = window.commands.dialog("export")
    assert isinstance(dialog, ExportDialog)
    dialog.extras.set_value("profile", profile)
    dialog._on_changed()
    preview = dialog.preview
    qtbot.waitUntil(lambda: not (preview._before.isNull() or preview._note), timeout=20000)
    expected = to_srgb(red, wide)[0, 0]
    for image in (preview._before, preview._after):
        colour = image.pixelColor(16, 16)
        assert np.abs(np.array((colour.red(), colour.green(), colour.blue()), int) - expected).max() <= 1


def test_export_names_what_the_format_cannot_hold(export: ExportDialog) -> None:
    export._document.source = SourceMetadata(text={"Title": "a"}, others=("FLIR", "<b>bold</b>"))
    export.format.setCurrentIndex(export.format.findData("webp"))
    text = "This format has no place for: the text “Title” · data of FLIR · data of <b>bold</b>"
    assert export.left_out.text() == text
    assert export.left_out.textFormat() is Qt.TextFormat.PlainText
    export.metadata.setCurrentIndex(export.metadata.findData("none"))
    assert not export.left_out.isVisible()


def test_a_jpeg_can_be_like_its_original(filled: MainWindow, application: Application, qtbot: QtBot) -> None:
    document = application.current
    assert document is not None
    encoding = JpegEncoding(tables=((7,) * 64,), subsampling="4:2:2")
    document.source = replace(document.source, jpeg=encoding)
    dialog = ExportDialog(application, document)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.format.setCurrentIndex(dialog.format.findData("png"))
    assert not dialog.like_original.isVisibleTo(dialog)
    dialog.format.setCurrentIndex(dialog.format.findData("jpeg"))
    assert dialog.like_original.isVisibleTo(dialog)
    assert "4:2:2" in dialog.like_original.text()
    assert not dialog.options.like_original
    dialog.like_original.setChecked(True)
    assert dialog.options.like_original
    assert not dialog.quality.isEnabled()
    assert not dialog.extras.editors["subsampling"].isVisibleTo(dialog)
    dialog.format.setCurrentIndex(dialog.format.findData("webp"))
    assert dialog.quality.isEnabled()
    assert not dialog.options.like_original


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
    export.metadata.setCurrentIndex(export.metadata.findData("none"))
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
    dialog.guidance.setValue(1.5)
    dialog.sampler.setCurrentIndex(dialog.sampler.findData("lcm"))
    qtbot.keyClick(dialog.prompt, Qt.Key.Key_Return)
    job = service.submitted[-1]
    parameters = job.request.parameters
    assert isinstance(parameters, Generate)
    assert (parameters.prompt, parameters.seed, parameters.steps) == ("海滩上的男人 a man", 42, 12)
    assert (parameters.guidance_scale, parameters.sampler) == (1.5, "lcm")
    assert (parameters.width, job.request.model) == (None, "mini-sdxl")
    qtbot.waitUntil(lambda: application.current is not None)


def test_new_picture_says_what_the_model_cannot_draw(window: MainWindow) -> None:
    window.commands.show_new_picture()
    dialog = window.commands.dialog("new")
    assert isinstance(dialog, NewPicture)
    dialog.prompt.setPlainText("a dragon & a cat")
    assert dialog.unknown.text() == "This model cannot draw: dragon"
    assert dialog.unknown.isVisible()
    dialog.prompt.setPlainText("a dog and a cat")
    assert not dialog.unknown.isVisible()


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
    shown = [name for form in dialog.forms.values() for name in form.editors]
    assert sorted(shown) == sorted(item.name for item in application.settings.declared())
    form = dialog.form_of("variations")
    box = form.editors["variations"]
    box.setValue(9)  # type: ignore[attr-defined]
    assert application.settings.get("variations") == 9
    steps = form.editors["steps"]
    assert form.value("steps") is None
    steps.setValue(20)  # type: ignore[attr-defined]
    assert application.settings.get("steps") == 20
    application.settings.reset()
    assert form.value("steps") is None
    assert form.value("variations") == 4


def test_a_setting_is_found_on_its_page(window: MainWindow) -> None:
    window.commands.show_settings()
    dialog = window.commands.dialog("settings")
    assert isinstance(dialog, SettingsDialog)
    dialog.search.setText("oldest steps")
    assert dialog.form_of("undo_memory_mib").isVisible()
    assert [dialog.pages.item(row).isHidden() for row in range(dialog.pages.count())].count(False) == 1
    dialog.search.clear()
    assert not dialog.pages.item(0).isHidden()


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
    assert (models.use.isVisible(), models.new.isVisible()) == (False, True)
    models.remove.click()
    assert models.list.count() == 3 + len(RECOMMENDED)


def test_a_sandbox_model_cannot_be_removed(models: ModelDialog) -> None:
    models.list.setCurrentRow(0)
    assert models.check.isEnabled()
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
    models.list.setCurrentRow(0)
    models.check.click()
    wanted = problems[0] if problems else "mini-sdxl is complete."
    qtbot.waitUntil(lambda: models.answer.text() == wanted, timeout=5000)


@pytest.fixture
def shortcuts(window: MainWindow) -> Shortcuts:
    window.commands.show_shortcuts()
    dialog = window.commands.dialog("shortcuts")
    assert isinstance(dialog, Shortcuts)
    return dialog


def wish(dialog: Shortcuts, action_id: str, keys: str) -> None:
    field = dialog.rows[action_id].field
    field.setKeySequence(QKeySequence(keys))
    field.editingFinished.emit()


def test_a_shortcut_that_is_taken_is_asked_about(shortcuts: Shortcuts, application: Application) -> None:
    wish(shortcuts, "file.export", "Ctrl+O")
    assert "Open" in shortcuts.conflict.text.text()
    assert application.settings.shortcut("file.export") is None
    shortcuts.conflict.keep.click()
    assert shortcuts.rows["file.export"].field.keySequence().toString() == "Ctrl+E"
    assert shortcuts.conflict.isHidden()


def test_a_taken_shortcut_can_be_handed_over(
    shortcuts: Shortcuts, window: MainWindow, application: Application
) -> None:
    wish(shortcuts, "file.export", "Ctrl+O")
    shortcuts.conflict.replace.click()
    assert application.settings.shortcut("file.export") == "Ctrl+O"
    assert window.actions_by_id["file.open"].shortcut().isEmpty()
    assert window.actions_by_id["file.export"].shortcut().toString() == "Ctrl+O"


def test_one_of_two_shortcuts_can_be_handed_over(shortcuts: Shortcuts, application: Application) -> None:
    wish(shortcuts, "file.export", "Ctrl+Y")
    shortcuts.conflict.replace.click()
    assert application.settings.shortcut("edit.redo") == "Ctrl+Shift+Z"


def test_a_free_shortcut_is_taken_and_goes_back(shortcuts: Shortcuts, application: Application) -> None:
    row = shortcuts.rows["file.export"]
    assert row.reset.isHidden()
    wish(shortcuts, "file.export", "Ctrl+Alt+Shift+F9")
    assert application.settings.shortcut("file.export") == "Ctrl+Alt+Shift+F9"
    row.reset.click()
    assert application.settings.shortcut("file.export") is None
    assert row.field.keySequence().toString() == "Ctrl+E"


@pytest.mark.parametrize(("text", "expected"), [("undo", "edit.undo"), ("ctrl+shift+p", "help.palette")])
def test_searching_shortcuts(shortcuts: Shortcuts, text: str, expected: str) -> None:
    shortcuts.search.setText(text)
    shown = [key for key, row in shortcuts.rows.items() if not row.label.isHidden()]
    assert shown == [expected]


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


@pytest.mark.parametrize(
    "name",
    [
        "new_picture", "new_canvas", "settings", "models", "export", "information", "shortcuts", "about",
        "contact_sheet", "step_search", *(f"form/{form}" for form in FORMS),
    ],
)  # fmt: skip
def test_every_dialog_has_a_button_that_leaves_all_as_it_is(
    filled: MainWindow, application: Application, qtbot: QtBot, name: str
) -> None:
    document = application.current
    assert document is not None
    state = document.state
    command, _, argument = name.partition("/")
    getattr(filled.commands, f"show_{command}")(*filter(None, [argument]))
    (shown,) = filled.commands.open_dialogs()
    dialog = filled.commands.dialog(shown)
    assert dialog is not None
    leave = [one for one in dialog.findChildren(QPushButton) if one.text() in ("Cancel", "Close")]
    qtbot.mouseClick(leave[0], Qt.MouseButton.LeftButton)
    assert filled.commands.open_dialogs() == ()
    assert document.state is state


@pytest.mark.parametrize("form", ["image-size", "canvas-size", "feather"])
def test_what_is_typed_replaces_the_first_value(filled: MainWindow, qtbot: QtBot, form: str) -> None:
    filled.commands.show_form(form)
    dialog = filled.commands.dialog(f"form-{form}")
    assert dialog is not None
    field = dialog.focusWidget()
    assert isinstance(field, QSpinBox | QDoubleSpinBox)
    qtbot.keyClicks(field, "7")
    field.interpretText()
    assert field.value() == 7


def test_weights_of_words_are_a_setting_and_mistakes_are_said_before_anything_is_asked(
    window: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    window.commands.show_new_picture()
    dialog = window.commands.dialog("new")
    assert isinstance(dialog, NewPicture)
    asked = len(service.submitted)
    dialog.prompt.setPlainText("a (man:1.2) on the beach)")
    application.settings.set("weighted_prompts", True)
    dialog.generate.click()
    assert len(service.submitted) == asked
    assert "has no “(”" in dialog.problem.text()
    dialog.prompt.setPlainText("a (man:1.2) on the [beach]")
    dialog.generate.click()
    assert service.submitted[-1].request.parameters.weighted  # pyright: ignore[reportAttributeAccessIssue]
    qtbot.waitUntil(lambda: application.current is not None)
    panel: Any = window.panel("subjects")
    view = panel.prompt.view
    assert view.accessibleDescription().replace("\u2060", "").startswith("a man on the beach")
    assert [view._text[a:b] for a, b in view._words] == ["a", "man", "on", "the", "beach"]


def test_marks_are_words_as_any_other_while_the_setting_is_off(
    window: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    window.commands.show_new_picture()
    dialog = window.commands.dialog("new")
    assert isinstance(dialog, NewPicture)
    dialog.prompt.setPlainText("a (man:1.2")
    dialog.generate.click()
    assert not service.submitted[-1].request.parameters.weighted  # pyright: ignore[reportAttributeAccessIssue]
    qtbot.waitUntil(lambda: application.current is not None)
    panel: Any = window.panel("subjects")
    assert panel.prompt.view._text == "a (man:1.2"
