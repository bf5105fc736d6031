"""The batch's dialog over a fake service: preview, run, pause, failures, and a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from editor.adjustments.white_balance import WhiteBalance
from editor.application import Application
from editor.batch.needs import Needs
from editor.batch.operation_step import OperationStep
from editor.batch.recipe import AdjustmentStep, read_recipe
from editor.batch.running import State
from editor.controllers import batches as controller
from editor.controllers.batches import Batches
from inference.request import Request, Result
from inference.service import Priority
from tests.editor.batch.pictures import REDRAW, WARMER, damage, folder_of, picture, recipe, results
from tests.helpers.fake_service import FakeService
from widgets.batch.batch_dialog import FILES, RECIPE, BatchDialog
from widgets.batch.history_dialog import HistoryDialog
from widgets.batch.step_form import AdjustmentForm, OperationForm
from widgets.generate.job_panel import JobPanel
from widgets.window.main_window import MainWindow


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "photos", 5)


@pytest.fixture
def dialog(window: MainWindow, photos: Path, qtbot: QtBot) -> BatchDialog:
    window.commands.show_batch()
    found = window.commands.dialog("batch")
    assert isinstance(found, BatchDialog)
    found.source.set_path(photos)
    found.recipe.show_recipe(recipe(WARMER))
    return found


def click(qtbot: QtBot, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def run(dialog: BatchDialog, application: Application, qtbot: QtBot) -> None:
    click(qtbot, dialog.start)
    qtbot.waitUntil(lambda: not application.batches.busy, timeout=20_000)


def inverting(service: FakeService) -> None:
    """Let the service invert the pictures that it is given."""

    def result(request: Request, images: object = None) -> Result:
        job = service.running
        pixels: Any = next(iter(job.contents.values()))
        return service_result(request, (255 - pixels[..., :3],))

    service_result = service.result
    service.result = result  # type: ignore[method-assign]


def test_three_pictures_answer_to_the_recipe(dialog: BatchDialog, qtbot: QtBot) -> None:
    def shown() -> list[Any]:
        return [sample.after for sample in dialog.preview.samples]

    qtbot.waitUntil(lambda: len(shown()) == 3 and all(p is not None for p in shown()), timeout=20_000)
    first = shown()
    form = dialog.recipe.form
    assert isinstance(form, AdjustmentForm)
    form.form.changed.emit("temperature", -60.0, False)
    qtbot.waitUntil(lambda: all(a is not b for a, b in zip(shown(), first)), timeout=20_000)
    assert all(a[..., 2].mean() > b[..., 2].mean() for a, b in zip(shown(), first))
    assert dialog.recipe.recipe.steps == (AdjustmentStep(settings=WhiteBalance(temperature=-60.0)),)


def test_a_running_batch_is_among_the_jobs_and_leaves_the_first_page_free(
    dialog: BatchDialog,
    window: MainWindow,
    application: Application,
    service: FakeService,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller, "needs_of", lambda *_: Needs(model="mini-sd1"))
    service.fake_engine.automatic = False
    dialog.recipe.show_recipe(recipe(REDRAW))
    dialog.preview.close()
    panel = window.panel("jobs")
    assert isinstance(panel, JobPanel)
    assert panel.batch is not None
    assert panel.batch.isHidden()
    click(qtbot, dialog.start)
    qtbot.waitUntil(lambda: any(job.priority is Priority.IDLE for job in service.jobs()), timeout=20_000)
    dialog.close()
    assert not panel.batch.isHidden()
    assert panel.empty.isHidden()
    assert panel.batch.state.text() == "0 of 5 done"
    assert window.workspace.welcome.title.text() == "What would you like to make?"
    panel.batch.open.click()
    shown = window.commands.dialog("batch")
    assert shown is not None
    assert shown.isVisible()
    application.batches.stop()
    qtbot.waitUntil(lambda: not application.batches.busy, timeout=20_000)
    assert panel.batch.isHidden()


def test_what_stands_side_by_side_stands_at_one_height(dialog: BatchDialog) -> None:
    editor = dialog.recipe
    for one, other in ((editor.name, editor.amount), (editor.model, editor.seed)):
        middles = [box.geometry().center().y() for box in (one, other)]
        assert abs(middles[0] - middles[1]) <= 1, middles


def test_long_names_of_steps_are_elided_and_told_by_their_tips(dialog: BatchDialog) -> None:
    prompt = "a painting of a man and a woman on the beach under a blue sky"
    step = recipe(REDRAW).steps[0]
    assert isinstance(step, OperationStep)
    dialog.recipe.add_step(replace(step, parameters=replace(step.parameters, prompt=prompt)))
    assert not dialog.recipe.list.horizontalScrollBar().isVisible()
    assert prompt in dialog.recipe.list.item(1).toolTip()


def test_without_a_folder_the_place_of_the_previews_says_what_it_is_for(
    window: MainWindow, photos: Path, qtbot: QtBot
) -> None:
    window.commands.show_batch()
    dialog = window.commands.dialog("batch")
    assert isinstance(dialog, BatchDialog)
    assert dialog.previews.empty.isVisible()
    dialog.source.set_path(photos)
    qtbot.waitUntil(lambda: len(dialog.preview.samples) == 3, timeout=20_000)
    assert not dialog.previews.empty.isVisible()
    assert all(picture.isVisible() for picture in dialog.previews.pictures)


def test_a_folder_is_edited_and_told_file_by_file(
    dialog: BatchDialog, application: Application, photos: Path, qtbot: QtBot
) -> None:
    damage(photos / "bad.png")
    assert dialog.target.path == photos.with_name("photos edited")
    run(dialog, application, qtbot)
    assert dialog.tabs.currentIndex() == FILES
    assert application.batches.counts == (5, 1, 6)
    assert dialog.status.text() == "5 of 6 done · 1 failed"
    assert len(results(photos.with_name("photos edited"))) == 5
    dialog.only_failed.setChecked(True)
    model = dialog.files.model()
    assert model.rowCount() == 1
    assert model.index(0, 0).data() == "bad.png"
    assert model.index(0, 3).data()
    dialog.files.selectRow(0)
    assert dialog.again.isEnabled()
    picture(3).save(photos / "bad.png")
    click(qtbot, dialog.again)
    qtbot.waitUntil(lambda: not application.batches.busy, timeout=20_000)
    assert application.batches.counts == (6, 0, 6)


def test_small_pictures_come_when_they_are_looked_at(
    dialog: BatchDialog, application: Application, qtbot: QtBot
) -> None:
    run(dialog, application, qtbot)
    index = dialog.files.files.index(0, 0)
    role = Qt.ItemDataRole.DecorationRole
    qtbot.waitUntil(lambda: index.data(role) is not None, timeout=20_000)
    assert index.data(role).width() > 40


def test_what_is_wrong_is_said_and_nothing_is_computed(
    dialog: BatchDialog, application: Application, photos: Path, qtbot: QtBot
) -> None:
    dialog.target.set_path(photos / "inside")
    run(dialog, application, qtbot)
    assert "inside of" in dialog.status.text()
    assert dialog.tabs.currentIndex() == RECIPE  # where it can be mended
    assert not application.batches.rows
    dialog.target.set_path(photos.with_name("out"))
    dialog.recipe.show_recipe(recipe(REDRAW))
    form = dialog.recipe.form
    assert isinstance(form, OperationForm)
    form.form.changed.emit("prompt", " ")
    click(qtbot, dialog.start)
    assert "prompt is empty" in dialog.status.text()
    assert not photos.with_name("out").exists()


def test_a_model_edits_below_everything_else(
    dialog: BatchDialog,
    application: Application,
    service: FakeService,
    photos: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller, "needs_of", lambda *_: Needs(model="mini-sd1"))
    dialog.preview.close()
    inverting(service)
    asked: list[Priority] = []
    service.job_started.connect(lambda job: asked.append(job.priority))
    dialog.recipe.show_recipe(recipe(REDRAW))
    dialog.preview.close()
    run(dialog, application, qtbot)
    assert application.batches.counts == (5, 0, 5)
    assert asked
    assert set(asked) == {Priority.IDLE}
    from PIL import Image

    before = np.asarray(Image.open(photos / "000.png"))
    after = np.asarray(Image.open(photos.with_name("photos edited") / "000.png"))
    np.testing.assert_array_equal(after, 255 - before)


def test_a_pause_and_a_stop_are_gone_on_from_after_a_restart(
    dialog: BatchDialog, application: Application, window: MainWindow, photos: Path, qtbot: QtBot
) -> None:
    batches = application.batches
    seen: list[int] = []

    def stop_after_one(place: int) -> None:
        if batches.rows[place].state is State.DONE and not seen:
            seen.append(place)
            batches.stop()

    dialog.one_core.setChecked(True)
    batches.row_changed.connect(stop_after_one)
    run(dialog, application, qtbot)
    done, _, total = batches.counts
    assert 0 < done < total == 5
    assert dialog.start.text() == "Go on"
    dialog.close()
    again = Batches(application.shell, application.catalogue, application.library)
    order = again.last_order()
    assert order is not None
    assert order.source == photos
    assert order.one_core
    again.start(order)
    qtbot.waitUntil(lambda: not again.busy and again.counts == (5, 0, 5), timeout=20_000)
    again.close()


def test_steps_are_added_moved_switched_off_and_removed(dialog: BatchDialog) -> None:
    editor = dialog.recipe
    menu = editor.add.menu()
    assert menu is not None
    by_text = {action.text(): action for action in menu.actions()}
    for text in ("Redraw", "Curves", "Size"):
        by_text[text].trigger()
    assert [type(step).__name__ for step in editor.recipe.steps] == [
        "AdjustmentStep", "OperationStep", "AdjustmentStep", "ShapeStep"
    ]  # fmt: skip
    editor.list.setCurrentRow(3)
    editor.up.click()
    editor.list.setCurrentRow(1)
    editor.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    editor.remove.click()
    steps = editor.recipe.steps
    assert [step.on for step in steps] == [False, True, True]
    assert not any(isinstance(step, OperationStep) for step in steps)
    editor.amount.setValue(140)
    editor.own_seeds.setChecked(True)
    assert (editor.recipe.amount, editor.recipe.seed) == (140.0, None)


def test_sliders_are_written_as_in_the_terminal(dialog: BatchDialog) -> None:
    menu = dialog.recipe.add.menu()
    assert menu is not None
    next(a for a in menu.actions() if a.text() == "Attributes on a picture").trigger()
    form = dialog.recipe.form
    assert isinstance(form, OperationForm)
    form.form.changed.emit("prompt", "a man and a man")
    form.sliders.setText("man#2:age=1.5")
    form.sliders.editingFinished.emit()
    step = dialog.recipe.recipe.steps[-1]
    assert step.to_json()["parameters"]["edits"] == [{"subject": "man#2", "attribute": "age", "value": 1.5}]
    form.sliders.setText("cat:age=1")
    form.sliders.editingFinished.emit()
    assert "cat" in form.problem.text()


def test_what_was_done_is_saved_as_a_recipe(
    filled: MainWindow,
    application: Application,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from PySide6.QtWidgets import QFileDialog

    application.filters.add("white-balance")
    document = application.current
    assert document is not None
    filled.commands.show_save_recipe()
    dialog = filled.commands.dialog("save recipe")
    assert isinstance(dialog, HistoryDialog)
    assert dialog.list.count() == 1
    assert dialog.save.isEnabled()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "look.json"), ""))
    dialog.name.setText("Look")
    click(qtbot, dialog.save)
    qtbot.waitUntil(lambda: (tmp_path / "look.json").exists(), timeout=10_000)
    found = read_recipe(tmp_path / "look.json")
    assert found.name == "Look"
    assert found.steps == (AdjustmentStep(settings=WhiteBalance()),)
    application.background.wait()


def test_a_recipe_is_done_to_the_open_picture_as_one_step(
    filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    document = application.current
    assert document is not None
    before, count = document.state, document.undo_stack.count()
    application.batches.apply(recipe(WARMER, {"size": {"longest": 20}}))
    qtbot.waitUntil(lambda: document.undo_stack.count() == count + 1, timeout=20_000)
    assert max(document.width, document.height) == 20
    assert len(document.layers) == len(before.layers) + 1
    application.undo()
    assert document.state.layers == before.layers


def test_a_recipe_that_is_being_done_is_among_the_jobs_and_can_be_stopped(
    filled: MainWindow,
    application: Application,
    service: FakeService,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controller, "needs_of", lambda *_: Needs(model="mini-sd1"))
    document = application.current
    assert document is not None
    before = document.state
    service.fake_engine.automatic = False
    application.batches.apply(recipe(REDRAW))
    qtbot.waitUntil(lambda: bool(service.jobs()), timeout=20_000)
    (job,) = service.jobs()
    assert job.priority is Priority.NORMAL
    assert "Recipe" in job.label
    service.set_aside(job)
    qtbot.waitUntil(lambda: not application.background.busy, timeout=20_000)
    assert document.state is before
    assert not service.jobs()
