"""The Jobs panel and the estimate of what is left."""

from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from editor.controllers.long_jobs import LongJobs
from editor.recovery.checkpoints import Leftover
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.operations import Generate, LearnConcept
from inference.progress import Step
from inference.request import Request
from inference.service import JobState, Priority
from tests.helpers.fake_service import FakeService
from widgets.generate import job_panel
from widgets.generate.job_panel import JobPanel, StoppedRow
from widgets.look import durations
from widgets.look.durations import TimeLeft


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def panel(service: FakeService, qtbot: QtBot) -> JobPanel:
    made = JobPanel(service)
    qtbot.addWidget(made)
    made.resize(420, 160)
    made.show()
    return made


def request() -> Request:
    return Request(operation="generate", parameters=Generate(prompt="a cat"), model="mini-sdxl")


def test_says_that_nothing_runs(panel: JobPanel) -> None:
    assert panel.empty.isVisible()


def test_a_row_shows_label_step_and_preview(panel: JobPanel, service: FakeService, qtbot: QtBot) -> None:
    job = service.submit(request(), label="New picture: a cat")
    qtbot.waitUntil(lambda: panel.row(job) is not None)
    row = panel.row(job)
    assert row is not None
    service.step(9, 50, preview=np.zeros((16, 16, 3), np.uint8))
    assert row.state.text().startswith("step 9 of 50")
    assert row.bar.value() == 180
    assert not row.thumb.isHidden()
    assert not panel.empty.isVisible()
    service.finish()
    assert panel.row(job) is None
    assert panel.empty.isVisible()


def test_the_cross_cancels(panel: JobPanel, service: FakeService, qtbot: QtBot) -> None:
    first, second = (service.submit(request(), label=text) for text in ("one", "two"))
    qtbot.waitUntil(lambda: panel.row(second) is not None)
    row = panel.row(second)
    assert row is not None
    qtbot.mouseClick(row.cancel, Qt.MouseButton.LeftButton)
    assert second.state is JobState.CANCELLED
    assert panel.row(second) is None
    assert not first.is_over


class _Jobs:
    """Long jobs of which nothing runs."""

    def __init__(self) -> None:
        self.kept: list[Leftover] = []

    def keep(self, leftover: Leftover) -> None:
        self.kept.append(leftover)


def left(asked: Request, *, begun: bool = True) -> Leftover:
    return Leftover(name="a", request=asked, label="It", done=3, total=9, saved_at=0, begun=begun)


def test_what_was_learnt_of_a_concept_can_be_kept_after_a_stop(qtbot: QtBot) -> None:
    parameters = LearnConcept(images=(), token="<my-cat>", initialise_from="cat")
    concept = Request(operation="learn-concept", parameters=parameters, model="mini-sdxl")
    jobs = _Jobs()
    rows = [
        StoppedRow(one, cast(LongJobs, jobs))
        for one in (left(concept), left(concept, begun=False), left(request()))
    ]
    for row in rows:
        qtbot.addWidget(row)
    assert [row.keep.isHidden() for row in rows] == [False, True, True]
    rows[0].keep.click()
    assert jobs.kept == [rows[0].leftover]


def test_idle_preparations_are_not_listed(panel: JobPanel, service: FakeService, qtbot: QtBot) -> None:
    job = service.submit(request(), priority=Priority.IDLE)
    shown = service.submit(request(), label="a real one")
    qtbot.waitUntil(lambda: panel.row(shown) is not None)
    assert panel.row(job) is None


def test_a_failed_job_stays_for_a_while_with_its_reason(
    panel: JobPanel, service: FakeService, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_panel, "_FAILED_SHOWN_MS", 30)
    job = service.submit(request(), label="a cat")
    qtbot.waitUntil(lambda: panel.row(job) is not None)
    row = panel.row(job)
    assert row is not None
    service.fail(EditorError("No memory left.", "Try a smaller picture."))
    assert row.state.text() == "failed"
    assert "Try a smaller picture." in row.toolTip()
    qtbot.waitUntil(lambda: panel.row(job) is None)


def test_loading_a_model_is_shown(panel: JobPanel, service: FakeService) -> None:
    service.set_status(Message("Loading {model}… {percent} %", model="mini-sdxl", percent=40))
    assert panel.loading.text() == "Loading mini-sdxl… 40 %"
    assert panel.loading_bar.isVisible()
    assert panel.loading_bar.value() == 40
    service.set_status(NOTHING)
    assert not panel.loading.isVisible()


def test_time_left_counts_from_the_first_step_of_a_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(durations.time, "monotonic", lambda: now[0])
    left = TimeLeft()
    assert left.estimate(Step(phase="sample", done=1, total=11)) is None
    now[0] = 102.0
    assert left.estimate(Step(phase="sample", done=3, total=11)) == pytest.approx(8.0)
    assert left.estimate(Step(phase="decode", done=0, total=1)) is None


def test_long_labels_do_not_widen_the_panel(panel: JobPanel, service: FakeService, qtbot: QtBot) -> None:
    job = service.submit(request(), label="New picture: " + "海滩上的男人 and a woman " * 20)
    qtbot.waitUntil(lambda: panel.row(job) is not None)
    row = panel.row(job)
    assert row is not None
    qtbot.waitUntil(lambda: row.width() <= panel.width() and row.label.shown_text.endswith("…"))
