"""The section for LoRAs: what is in use goes into new requests, and nothing into those of finished layers."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLineEdit, QScrollArea
from pytestqt.qtbot import QtBot

from editor.application import Application
from inference.operations import LoraUse
from tests.helpers.fake_service import FakeService
from tests.inference.loras.test_files import _SD1, _SDXL, pair, write
from widgets.dialogs.new_picture import NewPicture
from widgets.generate.insert_panel import InsertPanel
from widgets.generate.lora_section import LoraSection
from widgets.generate.operation_panel import OperationPanel
from widgets.generate.translate_panel import TranslatePanel
from widgets.window.main_window import MainWindow

WORDS = {"modelspec.trigger_phrase": "<b>pixel</b> art, 8 bit"}


def files(folder: Path) -> list[Path]:
    return [
        write(folder / "pixel.safetensors", pair(_SDXL, 2048), WORDS),
        write(folder / "soft.safetensors", pair(_SDXL, 2048, rank=3)),
        write(folder / "other family.safetensors", pair(_SD1, 768)),
        write(folder / "broken.safetensors", {"x": pair(_SD1)[f"{_SD1}.alpha"]}),
    ]


def drop(section: LoraSection, paths: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    section.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def sent(
    panel: OperationPanel, application: Application, service: FakeService, qtbot: QtBot
) -> tuple[LoraUse, ...]:
    """What the panel's button sends."""
    count = len(service.submitted)
    qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(service.submitted) > count)
    qtbot.waitUntil(lambda: not application.background.busy and not service.jobs())
    return service.submitted[-1].request.parameters.loras  # type: ignore[attr-defined]


@pytest.fixture
def section(filled: MainWindow, application: Application, qtbot: QtBot, tmp_path: Path) -> LoraSection:
    filled.show_edit("redraw")
    found = filled.edits.loras
    drop(found, files(tmp_path))
    qtbot.waitUntil(lambda: len(application.loras.known) == 3)
    return found


def test_dropped_files_are_in_use_at_once_and_others_are_told(
    section: LoraSection, application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    assert [row.lora.name for row in section.rows] == ["pixel", "soft"]
    assert [row.number.value for row in section.rows] == [1.0, 1.0]
    told: list[str] = []
    application.message.connect(lambda text, hint, level: told.append(text))
    drop(section, [tmp_path / "broken.safetensors"])
    qtbot.waitUntil(lambda: bool(told))
    assert "“broken.safetensors” is no LoRA" in told[0]


def test_of_a_dropped_folder_all_are_listed_and_none_is_in_use(
    filled: MainWindow, application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    files(tmp_path)
    (tmp_path / "none.safetensors").write_bytes(b"x" * 50)
    told: list[str] = []
    application.message.connect(lambda text, hint, level: told.append(text))
    filled.show_edit("redraw")
    drop(filled.edits.loras, [tmp_path])
    qtbot.waitUntil(lambda: len(application.loras.known) == 3 and len(told) == 2)
    assert told[0] == "Added LoRAs: 3. Choose from them what pictures are to have."
    assert told[1].startswith("2 files were not added; the first of them: “broken.safetensors” is no LoRA")
    assert filled.edits.loras.rows == []
    assert application.loras.uses(application.settings.get("model")) == ()


def test_sliders_decide_what_new_requests_take(section: LoraSection, application: Application) -> None:
    model = application.settings.get("model")
    pixel, soft = section.rows
    pixel.number.box.setValue(0.5)
    soft.number.slider.setValue(0)
    uses = application.loras.uses(model)
    assert [(use.name, use.strength) for use in uses] == [("pixel", 0.5), ("soft", -2.0)]
    soft.taken_out.emit()
    assert [row.lora.name for row in section.rows] == ["pixel"]
    assert application.loras.uses(model) == (pixel.lora.at(0.5),)
    assert section.choice.count() == 2
    section.choice.setCurrentIndex(1)
    section.choice.activated.emit(1)
    assert [row.lora.name for row in section.rows] == ["pixel", "soft"]
    assert application.loras.uses(model)[1].strength == 1.0


def test_a_panel_sends_them_once_and_layers_keep_theirs(
    section: LoraSection, filled: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    panel = filled.panel("operations")
    assert isinstance(panel, OperationPanel)
    section.rows[1].taken_out.emit()
    wanted: tuple[LoraUse, ...] = (section.rows[0].lora.at(1.0),)
    form = panel.form
    form.set_value("prompt", "a man")  # type: ignore[attr-defined]
    assert sent(panel, application, service, qtbot) == wanted
    section.rows[0].number.box.setValue(0.25)
    assert panel.start.text() == "Make again"
    assert sent(panel, application, service, qtbot) == wanted


def test_words_go_into_the_prompt_as_they_are_and_can_be_changed(
    section: LoraSection, filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    row = section.rows[0]
    assert [button.accessibleName() for button in row.buttons] == ["<b>pixel</b> art", "8 bit"]
    qtbot.mouseClick(row.buttons[0], Qt.MouseButton.LeftButton)
    panel = filled.panel("operations")
    assert isinstance(panel, OperationPanel)
    form = panel.form
    assert form.value("prompt").endswith(" <b>pixel</b> art")  # type: ignore[attr-defined]
    row.edit_words()
    row.words.setText("blocks, , big ")
    row.words.editingFinished.emit()
    qtbot.waitUntil(lambda: section.rows[0].lora.words == ("blocks", "big"))
    assert application.loras.library.find("pixel").words == ("blocks", "big")
    application.loras.remove("pixel")
    qtbot.waitUntil(lambda: [one.lora.name for one in section.rows] == ["soft"])


def test_the_list_scrolls_with_the_panel_and_not_inside_it(
    section: LoraSection, filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    for edit in ("redraw", "insert", "translate", "fill"):
        filled.show_edit(edit)
        page = filled.edits.page(edit)
        assert page.isAncestorOf(section)
        assert section.isVisibleTo(page)
        around = section.parentWidget()
        scrolls: list[QScrollArea] = []
        while around is not None and around is not filled.edits:
            if isinstance(around, QScrollArea):
                scrolls.append(around)
            around = around.parentWidget()
        assert len(scrolls) == 1
        assert not section.findChildren(QScrollArea)
        assert section.height() >= sum(row.sizeHint().height() for row in section.rows)
    filled.show_edit("refine")
    assert not section.isVisible()


@pytest.mark.parametrize("edit", ["redraw", "translate", "insert"])
def test_edits_know_the_words_of_those_in_use(
    section: LoraSection, filled: MainWindow, application: Application, edit: str
) -> None:
    filled.show_edit(edit)
    page = filled.edits.page(edit)
    assert isinstance(page, OperationPanel | TranslatePanel | InsertPanel)
    if isinstance(page, InsertPanel):
        page.wanted.setPlainText("8 bit zebra")
    else:
        field = page.form.editors["prompt"]  # type: ignore[attr-defined]
        assert isinstance(field, QLineEdit)
        field.setText("8 bit zebra")
    assert page.unknown.text() == "This model cannot draw: zebra"
    application.loras.set_strength(section.rows[0].lora, 0.0)
    assert page.unknown.text() == "This model cannot draw: 8 · bit · zebra"


def test_new_from_prompt_shows_those_of_its_model(
    section: LoraSection, filled: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    dialog = NewPicture(application, filled)
    qtbot.addWidget(dialog)
    dialog.show()
    assert [row.lora.name for row in dialog.loras.rows] == ["pixel", "soft"]
    dialog.prompt.setPlainText("a man")
    qtbot.mouseClick(dialog.loras.rows[0].buttons[1], Qt.MouseButton.LeftButton)
    assert dialog.prompt.toPlainText() == "8 bit a man"
    assert "bit" not in dialog.unknown.text()  # the model learns the word from the file
    qtbot.mouseClick(dialog.generate, Qt.MouseButton.LeftButton)
    parameters = service.submitted[-1].request.parameters
    assert [use.name for use in parameters.loras] == ["pixel", "soft"]  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: not application.background.busy and not service.jobs())
