"""The window that chooses a refinement step, over a scripted service."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from editor.application import Application
from inference.errors import EditorError
from inference.evaluation.choose_step import StepCurve
from inference.operations import Generate, RefineTrial
from inference.progress import Measurements
from inference.request import Request, Result
from inference.service import Job
from tests.helpers.fake_service import FakeService
from widgets.generate.step_dialog import StepDialog
from widgets.generate.step_plot import StepPlot
from widgets.look.durations import duration
from widgets.window.main_window import MainWindow

BEST = 4


@pytest.fixture
def dialog(filled: MainWindow, service: FakeService, qtbot: QtBot) -> StepDialog:
    answer = service.result

    def result(request: Request, images: object = None) -> Result:
        parameters = request.parameters
        if not isinstance(parameters, RefineTrial):
            return answer(request, images)  # type: ignore[arg-type]
        scores = {"right 0": float(parameters.step == BEST)}
        return replace(
            answer(request, ()), request=replace(request, model_hash="ab" * 32), images=(), scores=scores
        )

    service.result = result  # type: ignore[method-assign]
    filled.commands.show_step_search()
    found = filled.commands.dialog("step search")
    assert isinstance(found, StepDialog)
    found.prompts.setValue(1)
    found.seeds.setValue(1)
    return found


def test_it_begins_with_the_layers_model_and_says_how_much_it_will_do(dialog: StepDialog) -> None:
    assert dialog.model.currentData() == "mini-sdxl"
    assert dialog.method.currentData() == "ours"
    assert dialog.status.text() == "Pictures to draw: 16. How long they take is told after the first ones."
    dialog.seeds.setValue(3)
    assert dialog.status.text() == "Pictures to draw: 48. How long they take is told after the first ones."
    assert not dialog.keep.isEnabled()


def test_it_finds_a_step_and_keeps_it(dialog: StepDialog, application: Application, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    assert dialog.start.text() == "Stop"
    assert not dialog.method.isEnabled()
    qtbot.waitUntil(lambda: application.steps.is_complete)
    assert dialog.status.text() == f"Step {BEST} of 30 is best. Pictures for each point: 1."
    assert not dialog.start.isEnabled()
    with qtbot.waitSignal(application.steps.kept):
        qtbot.mouseClick(dialog.keep, Qt.MouseButton.LeftButton)
    assert dialog.status.text() == f"mini-sdxl is refined at step {BEST} from now on."
    qtbot.waitUntil(lambda: not application.background.busy)


def test_stop_keeps_what_was_found(
    dialog: StepDialog, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    service.fake_engine.automatic = False
    dialog.start.click()
    for _ in range(4):
        service.finish()
    assert "Tried 4 of 16" in dialog.status.text()
    assert dialog.status.text().endswith("left")
    dialog.start.click()
    assert dialog.status.text().startswith("Stopped; so far step")
    assert dialog.start.text() == "Start"
    dialog.method.setCurrentIndex(1)
    assert dialog.status.text().startswith("Pictures to draw: 16")
    qtbot.waitUntil(lambda: not application.background.busy)


def test_a_failure_is_shown(dialog: StepDialog, service: FakeService) -> None:
    service.fake_engine.automatic = False
    dialog.start.click()
    service.fail(EditorError("There is not enough memory.", "Close other programs."))
    assert dialog.status.text() == "There is not enough memory. Close other programs."
    assert dialog.status.property("danger")
    assert dialog.start.text() == "Start"


@pytest.mark.parametrize("how", ["Esc", "close"])
def test_closing_stops_the_search(
    dialog: StepDialog,
    filled: MainWindow,
    application: Application,
    service: FakeService,
    qtbot: QtBot,
    how: str,
) -> None:
    service.fake_engine.automatic = False
    dialog.method.setCurrentIndex(1)
    dialog.start.click()
    service.finish()
    if how == "Esc":
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    else:
        dialog.close()
    assert not application.steps.busy
    qtbot.waitUntil(lambda: not service.jobs())
    filled.commands.show_step_search()
    again = filled.commands.dialog("step search")
    assert isinstance(again, StepDialog)
    assert again is not dialog
    assert again.start.text() == "Start"
    again.prompts.setValue(1)
    again.seeds.setValue(1)
    again.method.setCurrentIndex(1)
    again.start.click()
    assert "Tried 1 of 16" in again.status.text()  # it goes on where it was stopped
    again.start.click()
    qtbot.waitUntil(lambda: not application.background.busy)


def test_it_says_how_long_it_takes_before_it_starts(dialog: StepDialog, application: Application) -> None:
    """By what a step of the model's pictures took so far."""
    assert "told after the first ones" in dialog.status.text()
    request = Request(operation="generate", parameters=Generate(prompt="a cat", steps=10), model="mini-sdxl")
    measured = Measurements(seconds={"load": 99.0, "sample": 5.0}, denoiser_evaluations=20)
    result = Result(request=request, images=(np.zeros((8, 8, 3), np.uint8),), maps={}, measured=measured)
    application.service.job_finished.emit(Job(0, request), result)
    dialog.seeds.setValue(2)
    assert dialog.status.text() == "Pictures to draw: 32, in about 8 min."  # 32 × 30 steps × 0.5 s
    dialog.model.setCurrentIndex(1)
    assert "told after the first ones" in dialog.status.text()


def test_the_plot_tells_its_numbers(qtbot: QtBot) -> None:
    plot = StepPlot()
    qtbot.addWidget(plot)
    plot.resize(520, 280)
    plot.show()
    plot.show_curve(None, 14, "Nothing tried yet.")
    assert plot.accessibleDescription() == "Nothing tried yet."
    empty = plot.grab().toImage()
    curve = StepCurve(
        method="ours", steps=30, tried=(0, 2, 4), tiam={"2": (0.5, 0.75, 0.5), "3": (0, 0.25, 0)}, pictures=8
    )
    plot.show_curve(curve, 14, "")
    assert plot.grab().toImage() != empty
    assert "Step 2, two subjects: 75%, three subjects: 25%" in plot.accessibleDescription()
    place = QPoint(46 + round((520 - 62) * 2 / 14), 100)
    QApplication.sendEvent(plot, QHelpEvent(QEvent.Type.ToolTip, place, plot.mapToGlobal(place)))
    assert QToolTip.text().splitlines()[0] == "Step 2"
    QToolTip.hideText()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (60, "60 s"), (120, "2 min"), (5000, "83 min"), (9000, "2 h")]
)
def test_durations(seconds: float, text: str, qtbot: QtBot) -> None:
    assert duration(seconds) == text
