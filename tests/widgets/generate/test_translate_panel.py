"""The Translate panel, its contact sheet and what the model sees, over a scripted service."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.generating.translation_sheet import Spot
from inference.operations import Translate
from tests.helpers.fake_service import FakeService
from widgets.generate.seen_dialog import SeenDialog
from widgets.generate.translate_panel import TranslatePanel
from widgets.generate.translation_dialog import TranslationDialog
from widgets.window.main_window import MainWindow


@pytest.fixture
def panel(filled: MainWindow, service: FakeService) -> TranslatePanel:
    service.fake_engine.automatic = True
    heat = np.zeros((8, 8), np.float32)
    heat[2:6, :4] = 1
    service.maps = {"attention/5-8": heat}
    filled.show_edit("translate")
    found = filled.panel("translate")
    assert isinstance(found, TranslatePanel)
    return found


def translated(panel: TranslatePanel, application: Application, qtbot: QtBot, **values: Any) -> Any:
    document = application.current
    assert document is not None
    count = len(document.layers)
    for name, value in {"prompt": "a sad dog", **values}.items():
        (panel.form if name in panel.form.editors else panel.details).set_value(name, value)
    qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(document.layers) == count + 1 and not application.translation.busy)
    return document


def test_the_result_is_a_layer_whose_sliders_go_on(
    panel: TranslatePanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    assert application.translation.session is None
    document = translated(panel, application, qtbot)
    session = application.translation.session
    assert session is not None
    assert session.layer_id == document.state.active
    assert panel.start.text() == "Make again"
    panel.sliders.rows["structure"].box.setValue(0.4)  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: document.layer(session.layer_id).recipe.request.parameters.structure == 0.4)
    assert document.undo_stack.undoText()
    assert not panel.form.editors["image"].isVisible()  # the picture is the recipe's
    qtbot.waitUntil(lambda: not service.jobs())


def test_strengths_that_are_set_before_are_asked_for(
    panel: TranslatePanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    panel.sliders.rows["appearance"].box.setValue(0.7)  # type: ignore[union-attr]
    assert not service.submitted
    translated(panel, application, qtbot)
    parameters = service.submitted[0].request.parameters
    assert isinstance(parameters, Translate)
    assert (parameters.structure, parameters.appearance, parameters.prompt) == (0.8, 0.7, "a sad dog")


def test_the_subject_s_mask_can_be_shown(
    panel: TranslatePanel, application: Application, qtbot: QtBot
) -> None:
    assert not panel.show_mask.isVisible()
    translated(panel, application, qtbot, prompt="a sad dog", subject="dog")
    assert application.translation.mask() is None  # nothing is known of these characters
    document = application.current
    assert document is not None
    panel.details.set_value("subject", "sad")
    panel.form.set_value("prompt", "some sad dog")  # characters 5 to 8, of which the scripted map is
    qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: application.translation.mask() is not None)
    qtbot.waitUntil(lambda: panel.show_mask.isVisible())
    panel.show_mask.click()
    assert panel.mask_picture.isVisible()
    assert not panel.mask_picture.pixmap().isNull()


def test_what_will_be_kept_is_said_before_it_runs(
    panel: TranslatePanel, application: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not panel.memory.isVisible()  # the scripted models have no files
    denoiser = {
        "sample_size": 128,
        "block_out_channels": [320, 640, 1280, 1280],
        "layers_per_block": 2,
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    }
    monkeypatch.setattr("editor.controllers.translation.denoiser_of", lambda _: denoiser)
    panel.details.set_value("steps", 50)
    application.settings.set("dtype", "bfloat16")
    application.settings.set("model", "mini-sd1")  # another model: its files are read
    qtbot.waitUntil(lambda: panel.memory.isVisible())
    features = 1280 * 32**2
    attention = 2 * (2 * 1280 * 32**2 + 3 * 640 * 64**2 + 3 * 320 * 128**2)
    needed = 2 * (40 * features + 25 * attention) / 2**20
    assert panel.memory.text().startswith(f"Features: {needed:.0f} MiB, 1024 may be kept.")
    panel.sliders.rows["structure"].box.setValue(0.1)  # type: ignore[union-attr]
    assert panel.memory.text().startswith("Keeps ")
    panel.sliders.rows["structure"].box.setValue(0.0)  # type: ignore[union-attr]
    assert not panel.memory.isVisible()


def test_several_texts_and_strengths_side_by_side(
    panel: TranslatePanel,
    filled: MainWindow,
    application: Application,
    service: FakeService,
    qtbot: QtBot,
) -> None:
    document = application.current
    assert document is not None
    panel.compare.click()
    dialog = filled.findChild(TranslationDialog)
    assert dialog is not None
    dialog.start.click()
    qtbot.waitUntil(lambda: "empty" in dialog.status.text())
    dialog.prompts.setPlainText("a dog\n\na house\na dog")
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.sheet is not None and dialog.sheet.done == (6, 6))
    assert [tuple(spot) for spot in dialog.cards][:3] == [("a dog", 0.4), ("a dog", 0.6), ("a dog", 0.8)]
    assert not dialog.add.isEnabled()
    count = len(document.layers)
    dialog.cards[Spot("a house", 0.6)].setChecked(True)
    dialog.add.click()
    qtbot.waitUntil(lambda: len(document.layers) == count + 1)
    session = application.translation.session
    assert session is not None
    assert session.strength.structure == 0.6

    def compared() -> int:  # the sliders of the new layer may ask for pictures of their own
        return sum(job.label.startswith("Compare") for job in service.submitted)

    asked = compared()
    dialog.prompts.setPlainText("a dog\na tree")
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.sheet is not None and dialog.sheet.done == (6, 6))
    assert compared() == asked + 3  # the dog's are there
    dialog.close()


def test_a_translation_is_compared_and_looked_at_by_its_own_picture(
    panel: TranslatePanel,
    filled: MainWindow,
    application: Application,
    service: FakeService,
    qtbot: QtBot,
) -> None:
    """With its layer active the sheet starts from what it was made from, not from the translation."""
    document = translated(panel, application, qtbot)
    qtbot.waitUntil(lambda: not service.jobs())
    made = document.layer(document.state.active).recipe.request.parameters
    panel.compare.click()
    dialog = filled.findChild(TranslationDialog)
    assert dialog is not None
    dialog.prompts.setPlainText("a house")
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.sheet is not None and dialog.sheet.done == (3, 3))
    count = len(document.layers)
    dialog.cards[Spot("a house", 0.6)].setChecked(True)
    dialog.add.click()
    qtbot.waitUntil(lambda: len(document.layers) == count + 1)
    found = document.layer(document.state.active).recipe.request.parameters
    assert found.image == made.image
    assert (found.prompt, found.structure) == ("a house", 0.6)
    assert document.layers[-1].id == document.state.active
    dialog.close()
    service.maps = {f"seen/0/up_blocks.1/{channel}": np.full((4, 4), 0.5, np.float32) for channel in range(3)}
    panel.see.click()
    qtbot.waitUntil(lambda: any(job.request.operation == "see" for job in service.submitted))
    (looked,) = [job.request.parameters for job in service.submitted if job.request.operation == "see"]
    assert getattr(looked, "image", None) == made.image
    seen = filled.findChild(SeenDialog)
    assert seen is not None
    qtbot.waitUntil(lambda: len(seen.pictures) == 1)
    seen.close()


def test_what_the_model_sees_has_a_slider_over_the_steps(
    panel: TranslatePanel,
    filled: MainWindow,
    application: Application,
    service: FakeService,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.maps = {
        f"seen/{step}/{place}/{channel}": np.full((4, 4), step / 10, np.float32)
        for step in (0, 5, 9)
        for place in ("up_blocks.1", "up_blocks.2.attn1")
        for channel in range(3)
    }
    panel.see.click()
    dialog = filled.findChild(SeenDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: len(dialog.pictures) == 2)
    assert dialog.slider.maximum() == 2
    dialog.slider.setValue(2)
    assert dialog.step.text() == "Step 9"
    colour = dialog.pictures["up_blocks.1"].pixmap().toImage().pixelColor(5, 5)
    assert abs(colour.red() - 230) <= 1
    target = tmp_path / "out.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    dialog.export.click()
    qtbot.waitUntil(target.is_file)
    dialog.close()


def test_words_that_the_model_cannot_draw_are_told_before(panel: TranslatePanel) -> None:
    field = panel.form.editors["prompt"]
    assert isinstance(field, QLineEdit)
    field.setText("a zebra and a dog")
    assert panel.unknown.text() == "This model cannot draw: zebra"
    assert panel.unknown.isVisible()
    field.setText("a (dog:1.2)")
    weighted = panel.details.editors["weighted"]
    assert isinstance(weighted, QCheckBox)
    weighted.setChecked(False)
    assert panel.unknown.text() == "This model cannot draw: 1 · 2"
    weighted.setChecked(True)
    assert panel.unknown.isHidden(), "marks of weights are no words"
