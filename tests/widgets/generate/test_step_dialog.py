"""The window that chooses a refinement step, over a scripted service."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from editor.application import Application
from inference.errors import EditorError
from inference.evaluation.choose_step import StepCurve
from inference.operations import RefineTrial
from inference.request import Request, Result
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
    assert dialog.model.currentText() == "mini-sdxl"
    assert dialog.method.currentData() == "ours"
    assert dialog.status.text() == "Pictures to draw: 16."
    dialog.seeds.setValue(3)
    assert dialog.status.text() == "Pictures to draw: 48."
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
    assert dialog.status.text() == "Pictures to draw: 16."
    qtbot.waitUntil(lambda: not application.background.busy)


def test_a_failure_is_shown(dialog: StepDialog, service: FakeService) -> None:
    service.fake_engine.automatic = False
    dialog.start.click()
    service.fail(EditorError("There is not enough memory.", "Close other programs."))
    assert dialog.status.text() == "There is not enough memory. Close other programs."
    assert dialog.status.property("danger")
    assert dialog.start.text() == "Start"


def test_an_opened_again_window_shows_the_search_that_goes_on(
    dialog: StepDialog, filled: MainWindow, service: FakeService
) -> None:
    service.fake_engine.automatic = False
    dialog.method.setCurrentIndex(1)
    dialog.start.click()
    dialog.close()
    filled.commands.show_step_search()
    again = filled.commands.dialog("step search")
    assert isinstance(again, StepDialog)
    assert again is not dialog
    assert again.method.currentData() == "ours+"
    assert again.start.text() == "Stop"
    again.start.click()


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
