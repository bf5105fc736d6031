"""The dialog that teaches an attribute, over scripted jobs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QStyleOptionComboBox
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from editor.application import Application
from inference.definitions import definition_from_bytes
from inference.deltas import DeltaInfo
from inference.errors import EditorError
from inference.methods.learning.kept import FORMAT
from inference.operations import Generate, LearnDelta
from inference.progress import Measurements
from inference.request import Request, Result
from inference.service import Job, JobState, Priority
from inference.weights.packed import packed
from tests.helpers.fake_service import FakeService
from tests.helpers.scripted_learner import METADATA, learnt
from widgets.generate.job_panel import JobPanel
from widgets.subjects.checkpoints import MOST, Checkpoints
from widgets.subjects.teach_dialog import TeachDialog
from widgets.window.main_window import MainWindow


@pytest.fixture
def dialog(filled: MainWindow, service: FakeService, application: Application) -> TeachDialog:
    service.fake_engine.automatic = False
    application.library.add = lambda content, name: DeltaInfo(  # type: ignore[method-assign]
        key=f"mini-sdxl/{name}", attribute="tired", label="Tired", model="mini-sdxl"
    )
    filled.commands.show_teach("man")
    found = filled.commands.dialog("teach")
    assert isinstance(found, TeachDialog)
    found.low_end.setText("rested")
    found.high_end.setText("tired")
    return found


def started(dialog: TeachDialog, qtbot: QtBot, application: Application) -> Job:
    dialog.start.click()
    qtbot.waitUntil(lambda: len(application.long_jobs.running) == 1, timeout=5000)
    return application.long_jobs.running[0]


def test_it_asks_for_what_is_typed(dialog: TeachDialog, qtbot: QtBot, application: Application) -> None:
    assert dialog.subject.text() == "man"
    assert dialog.model.currentData() == "mini-sdxl"
    job = started(dialog, qtbot, application)
    parameters = job.request.parameters
    assert isinstance(parameters, LearnDelta)
    assert (job.priority, job.label) == (Priority.LONG, "Teach “tired”: man")
    assert (parameters.method, parameters.preset, parameters.steps) == ("learned", "cosine-500x8", None)
    definition = definition_from_bytes(job.contents[parameters.definition.hash])
    assert definition.pairs[0].positive == "tired man"
    assert not dialog.fields.isEnabled()
    assert dialog.start.text() == "Stop"


def test_what_is_missing_is_said(dialog: TeachDialog, application: Application) -> None:
    dialog.low_end.clear()
    dialog.start.click()
    assert "one end is missing" in dialog.status.text()
    dialog.low_end.setText("rested")
    assert dialog.status.text() == "", "it is no longer so"
    assert application.long_jobs.running == ()


def test_the_naive_way_shows_no_more_than_it_needs(dialog: TeachDialog) -> None:
    assert not dialog.form.editors["preset"].isHidden()
    dialog.form.set_value("method", "naive")
    dialog.form.changed.emit("method", "naive")
    assert not dialog.form.editors["preset"].isVisibleTo(dialog)
    dialog.more.setChecked(True)
    assert not dialog.prefixes.isHidden(), "it reads them as well"
    assert not dialog.form.editors["steps"].isVisibleTo(dialog)
    dialog.form.set_value("method", "learned")
    dialog.form.changed.emit("method", "learned")
    assert dialog.form.editors["steps"].isVisibleTo(dialog)
    assert not dialog.prefixes.isHidden()


def test_what_it_will_take_is_told_before_it_starts(
    dialog: TeachDialog, application: Application, service: FakeService
) -> None:
    assert dialog.cost.text().startswith("About ")
    assert "passes through the model" in dialog.cost.text()
    request = Request(operation="generate", parameters=Generate(prompt="a cat"), model="mini-sdxl")
    job = Job(id=1, request=request, priority=Priority.INTERACTIVE)
    measured = Measurements(seconds={"sample": 2.0, "decode": 50.0}, denoiser_evaluations=100)
    service.job_finished.emit(job, Result(request=request, images=(), maps={}, measured=measured))
    assert application.speeds.of("mini-sdxl") == pytest.approx(0.02)
    # 500 × 8 micro-steps of 12 passes
    assert dialog.cost.text() == "Takes about 16 min on this machine."
    dialog.form.set_value("steps", 5)
    dialog.form.changed.emit("steps", 5)
    assert dialog.cost.text() == "Takes about 10 s on this machine."
    dialog.form.set_value("method", "naive")
    dialog.form.changed.emit("method", "naive")
    assert dialog.cost.text() == "Takes moments."


def test_it_shows_how_it_goes_and_what_comes(
    dialog: TeachDialog, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    job = started(dialog, qtbot, application)
    service.start()
    service.step(120, 500, np.zeros((4, 16, 3), np.uint8), phase="learn")
    assert dialog.status.text().startswith("Step 120 of 500")
    assert dialog.bar.value() == 240
    assert not dialog.strip.pixmap().isNull()
    assert not dialog.keep.isEnabled(), "there is no checkpoint yet"
    answer = service.result
    service.result = lambda request, images=None: replace(  # type: ignore[method-assign]
        answer(request, ()), artifacts={"delta": learnt(2)}
    )
    with qtbot.waitSignal(application.long_jobs.kept, timeout=5000):
        service.finish()
    assert job.state is JobState.FINISHED
    assert dialog.status.text() == "“Tired” is among the attributes now."
    assert dialog.fields.isEnabled()
    assert dialog.start.text() == "Teach"
    assert not dialog.strip.isHidden(), "what was learnt last is to be judged"


def test_a_failure_is_said(
    dialog: TeachDialog, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    started(dialog, qtbot, application)
    service.fail(EditorError("It diverged.", "Try less."))
    assert dialog.status.text() == "It diverged. Try less."
    assert dialog.fields.isEnabled()


def test_closed_and_opened_again_it_shows_what_runs(
    dialog: TeachDialog, filled: MainWindow, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    started(dialog, qtbot, application)
    service.step(3, 10, phase="learn")
    dialog.close()
    qtbot.waitUntil(lambda: filled.commands.dialog("teach") is None)
    filled.commands.show_teach()
    again = filled.commands.dialog("teach")
    assert isinstance(again, TeachDialog)
    assert again.status.text().startswith("Step 3 of 10")
    assert again.start.text() == "Stop"


def test_opened_while_it_learns_it_shows_what(
    dialog: TeachDialog, qtbot: QtBot, application: Application, filled: MainWindow
) -> None:
    """It showed empty fields."""
    dialog.form.set_value("steps", 77)
    dialog.name.setText("Fatigue")
    typed = dialog.lesson()
    asked = started(dialog, qtbot, application).request.parameters
    dialog.close()
    qtbot.waitUntil(lambda: filled.commands.dialog("teach") is None)
    filled.commands.show_teach()
    again = filled.commands.dialog("teach")
    assert isinstance(again, TeachDialog)
    assert again.is_busy
    assert again.lesson() == typed
    assert again.form.value("steps") == asked.steps == 77  # type: ignore[attr-defined]


def test_a_stopped_job_has_a_row_that_goes_on_or_discards(
    dialog: TeachDialog, filled: MainWindow, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    job = started(dialog, qtbot, application)
    service.start()
    service.step(120, 500, phase="learn")
    job.checkpoint = b"state"
    service.stopped()
    panel = filled.panel("jobs")
    assert isinstance(panel, JobPanel)
    qtbot.waitUntil(lambda: len(panel.stopped) == 1, timeout=5000)
    (row,) = panel.stopped
    assert row.state.text() == "stopped at 120 of 500"
    assert not panel.empty.isVisible()
    row.go_on.click()
    qtbot.waitUntil(lambda: len(application.long_jobs.running) == 1, timeout=5000)
    assert panel.stopped == ()
    (again,) = application.long_jobs.running
    assert (again.checkpoint, again.request) == (b"state", job.request)
    service.stopped()
    qtbot.waitUntil(lambda: len(panel.stopped) == 1, timeout=5000)
    panel.stopped[0].discard.click()
    assert panel.stopped[0].discard.text() == "Really?"
    panel.stopped[0].discard.click()
    qtbot.waitUntil(lambda: panel.stopped == () and not application.background.busy, timeout=5000)
    application.long_jobs.start()
    qtbot.waitUntil(lambda: not application.background.busy, timeout=5000)
    assert panel.stopped == ()


def test_it_shows_what_the_model_is_told(dialog: TeachDialog) -> None:
    assert dialog.phrases.text() == "“rested man” … “tired man”"
    dialog.high_end.setText("with glasses")
    assert "“with glasses” does not stand before a noun" in dialog.phrases.text()
    dialog.start.click()
    assert "would stand after “man”" in dialog.status.text()
    dialog.low_end.clear()
    assert dialog.phrases.text() == ""


def test_words_that_the_model_cannot_draw_are_told_before_it_learns(dialog: TeachDialog) -> None:
    dialog.low_end.setText("young")
    dialog.high_end.setText("old")
    assert dialog.unknown.isHidden()
    dialog.high_end.setText("bearded")
    assert dialog.unknown.text() == "This model cannot draw: bearded"
    assert not dialog.unknown.isHidden()


def test_a_pair_of_pictures_goes_with_the_lesson(
    dialog: TeachDialog, qtbot: QtBot, application: Application, tmp_path: Path
) -> None:
    before, after = (np.full((8, 8, 3), shade, np.uint8) for shade in (10, 200))
    for name, pixels in (("before", before), ("after", after)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    dialog.form.set_value("method", "pair")
    dialog.form.changed.emit("method", "pair")
    assert not dialog.pictures.isHidden()
    assert dialog.form.editors["guidance_scale"].isHidden(), "pictures need no trajectories"
    dialog.pictures.first.set_source(tmp_path / "before.png")
    dialog.pictures.second.set_source(tmp_path / "after.png")
    dialog.pictures.sentence.setText("a photo of a man")
    job = started(dialog, qtbot, application)
    parameters = job.request.parameters
    assert isinstance(parameters, LearnDelta)
    assert (parameters.method, parameters.picture_prompt) == ("pair", "a photo of a man")
    assert [job.contents[image.hash][0, 0, 0] for image in parameters.images] == [10, 200]


def ask_without_a_picture(dialog: TeachDialog) -> None:
    dialog.form.set_value("method", "picture")
    dialog.form.changed.emit("method", "picture")
    dialog.pictures.first.setCurrentIndex(dialog.pictures.first.count() - 1)  # a file, not chosen yet
    dialog.start.click()


def test_a_picture_that_is_missing_is_said(
    dialog: TeachDialog, qtbot: QtBot, application: Application
) -> None:
    ask_without_a_picture(dialog)
    assert not dialog.start.isEnabled(), "a second click would ask a second time"
    qtbot.waitUntil(lambda: "picture is missing" in dialog.status.text())
    assert dialog.start.isEnabled()
    assert application.long_jobs.running == ()


def test_closed_before_its_pictures_are_read(
    dialog: TeachDialog, filled: MainWindow, qtbot: QtBot, application: Application
) -> None:
    application.background.run = (  # type: ignore[method-assign]
        lambda function, done, failed: asked.append(failed)
    )
    asked: list[Callable[[EditorError], None]] = []
    ask_without_a_picture(dialog)
    dialog.close()
    qtbot.waitUntil(lambda: not isValid(dialog))
    asked[0](EditorError("A picture is missing."))  # nobody is there to be told, and nothing breaks


def test_two_pictures_may_be_the_same(
    dialog: TeachDialog, qtbot: QtBot, application: Application, tmp_path: Path
) -> None:
    Image.fromarray(np.full((8, 8, 3), 7, np.uint8)).save(tmp_path / "one.png")
    dialog.form.set_value("method", "pair")
    dialog.form.changed.emit("method", "pair")
    for field in (dialog.pictures.first, dialog.pictures.second):
        field.set_source(tmp_path / "one.png")
    dialog.pictures.sentence.setText("a photo of a man")
    parameters = started(dialog, qtbot, application).request.parameters
    assert isinstance(parameters, LearnDelta)
    assert len(parameters.images) == 2


def test_checkpoints_are_compared_and_any_of_them_is_kept(
    dialog: TeachDialog, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    job = started(dialog, qtbot, application)
    service.start()
    assert dialog.checkpoints.isHidden()
    for step in (100, 200):
        service.step(step, 500, np.full((4, 16, 3), step, np.uint8), phase="learn")
        job.checkpoint = learnt(step // 100)
        service.job_checkpoint.emit(job)
    assert [one.step for one in dialog.checkpoints.snapshots] == [100, 200]
    assert dialog.checkpoints.choice.currentText() == "Step 100"
    assert not dialog.checkpoints.strip.pixmap().isNull()
    kept: list[bytes] = []
    application.long_jobs.keep_checkpoint = lambda *asked: kept.append(asked[2])  # type: ignore[method-assign]
    dialog.checkpoints.take.click()
    assert kept == [learnt(1)]


def test_a_checkpoint_is_kept_when_the_run_has_ended(
    dialog: TeachDialog, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    job = started(dialog, qtbot, application)
    service.start()
    service.step(100, 500, np.zeros((4, 16, 3), np.uint8), phase="learn")
    texts = {"format": FORMAT, "delta": json.dumps(METADATA)}
    job.checkpoint = packed({"vectors.clip_l": np.ones(96, np.float32)}, texts)
    service.job_checkpoint.emit(job)
    service.fail(EditorError("It diverged.", "Try less."))
    assert not application.long_jobs.running
    assert not dialog.checkpoints.isHidden()
    with qtbot.waitSignal(application.long_jobs.kept, timeout=5000):
        dialog.checkpoints.take.click()
    assert dialog.status.text() == "“Tired” is among the attributes now."


def test_pictures_do_not_push_the_buttons_off_a_small_screen(
    dialog: TeachDialog, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    dialog.more.setChecked(True)
    job = started(dialog, qtbot, application)
    service.start()
    before = dialog.height()
    for step in (100, 200):
        service.step(step, 500, np.zeros((32, 128, 3), np.uint8), phase="learn")
        job.checkpoint = learnt(1)
        service.job_checkpoint.emit(job)
    qtbot.waitUntil(lambda: dialog.checkpoints.strip.isVisible())
    qtbot.wait(50)  # the layout is made anew
    assert dialog.height() <= before + 40
    assert dialog.start.geometry().bottom() <= dialog.height()


def test_of_many_checkpoints_the_late_ones_stay(qtbot: QtBot) -> None:
    shown = Checkpoints()
    qtbot.addWidget(shown)
    for step in range(1, 60):
        shown.add(step, b"%d" % step, QPixmap(4, 4))
    steps = [one.step for one in shown.snapshots]
    assert len(steps) <= MOST
    assert steps[-3:] == [57, 58, 59]
    assert steps[0] < 30


def test_it_has_a_button_that_closes(dialog: TeachDialog) -> None:
    dialog.shut.click()
    assert not dialog.isVisible()


def test_return_does_not_stop_what_is_being_learnt(
    dialog: TeachDialog,
    qtbot: QtBot,
    application: Application,
    service: FakeService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = started(dialog, qtbot, application)
    stopped: list[Job] = []
    monkeypatch.setattr(application.long_jobs, "stop", stopped.append)
    dialog.keep.setEnabled(True)
    for button in (dialog.keep, dialog.shut, dialog.start):
        button.setFocus()
        qtbot.keyClick(button, Qt.Key.Key_Return)
    assert not stopped
    qtbot.keyClick(dialog.start, Qt.Key.Key_Space)
    assert stopped == [job]
    service.start()
    service.stopped()
    assert dialog.start.isDefault()


def test_it_begins_with_its_first_field(filled: MainWindow) -> None:
    filled.commands.show_teach()
    dialog = filled.commands.dialog("teach")
    assert isinstance(dialog, TeachDialog)
    assert dialog.focusWidget() is dialog.subject


def test_the_method_stays_where_it_is_while_what_belongs_to_it_comes(
    dialog: TeachDialog, qtbot: QtBot
) -> None:
    dialog.high_end.clear()
    dialog.resize(dialog.width(), 800)
    method = dialog.form.editors["method"]
    qtbot.wait(50)
    place = method.mapTo(dialog, method.rect().topLeft())
    dialog.high_end.setText("tired")
    for value in ("naive", "learned", "picture", "pair"):
        dialog.form.set_value("method", value)
        dialog.form.changed.emit("method", value)
        qtbot.wait(50)
        assert method.mapTo(dialog, method.rect().topLeft()) == place, value
    below = dialog.pictures.mapTo(dialog, dialog.pictures.rect().topLeft())
    assert dialog.pictures.isVisible()
    assert below.y() > place.y()


def test_a_checkpoint_s_step_is_written_out_when_the_numbers_get_longer(
    dialog: TeachDialog, qtbot: QtBot
) -> None:
    row = dialog.checkpoints
    for step in (2, 1500):
        row.add(step, b"", QPixmap(8, 8))
        qtbot.wait(50)
    row.choice.setCurrentIndex(1)
    option = QStyleOptionComboBox()
    row.choice.initStyleOption(option)
    assert row.choice.shown_text(option) == "Step 1500"
