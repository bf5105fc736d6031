"""Long jobs make room and go on as if undisturbed; jobs answer to whom they belong."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from inference import progress as progress_module
from inference.errors import EditorError, Parked
from inference.progress import Progress
from inference.service import InferenceService, Job, JobState, Priority
from tests.helpers.fake_service import FakeService
from tests.helpers.scripted_runner import ScriptedRunner, request


@pytest.fixture(params=[True, False], ids=["on a thread", "in a child"])
def service(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[InferenceService]:
    service = InferenceService(ScriptedRunner, in_process=request.param)
    yield service
    service.shutdown()


def undisturbed(count: int) -> bytes:
    return ScriptedRunner().run(request(f"long {count}"), {}, Progress()).artifacts["report"]


def test_a_parked_job_ends_in_the_same_bytes(service: InferenceService, qtbot: QtBot) -> None:
    parked: list[Job] = []
    service.job_parked.connect(parked.append)
    long = service.submit(request("long 60"), priority=Priority.LONG)
    order: list[str] = []
    service.job_finished.connect(lambda job, _: order.append(job.request.parameters.prompt))
    for _ in range(3):
        qtbot.waitUntil(lambda: long.step is not None and long.state is JobState.RUNNING, timeout=15000)
        slider = service.submit(request("steps 2"), priority=Priority.INTERACTIVE)
        qtbot.waitUntil(lambda slider=slider: slider.is_over, timeout=15000)
        assert slider.state is JobState.FINISHED
        assert not long.is_over
    qtbot.waitUntil(lambda: long.is_over, timeout=30000)
    assert order == ["steps 2"] * 3 + ["long 60"]
    assert len(parked) >= 3
    assert long.result is not None
    assert long.result.artifacts["report"] == undisturbed(60)
    assert long.result.measured.denoiser_evaluations == 60


def test_a_job_goes_on_from_a_checkpoint_of_another_day(qtbot: QtBot) -> None:
    service = InferenceService(ScriptedRunner, in_process=True)
    long = service.submit(request("long 40"), priority=Priority.LONG)
    qtbot.waitUntil(lambda: long.step is not None and long.step.done > 5, timeout=15000)
    slider = service.submit(request("steps 50"), priority=Priority.INTERACTIVE)
    qtbot.waitUntil(lambda: long.state is JobState.PARKED, timeout=15000)
    checkpoint = long.checkpoint
    service.shutdown()
    assert slider.is_over
    assert long.state is JobState.CANCELLED
    assert checkpoint is not None
    again = InferenceService(ScriptedRunner, in_process=True)
    job = again.submit(request("long 40"), priority=Priority.LONG, checkpoint=checkpoint)
    qtbot.waitUntil(lambda: job.is_over, timeout=15000)
    assert job.result is not None
    assert job.result.artifacts["report"] == undisturbed(40)
    again.shutdown()


def test_checkpoints_come_by_themselves(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "CHECKPOINT_INTERVAL_S", 0.05)
    service = InferenceService(ScriptedRunner, in_process=True)
    seen: list[bytes | None] = []
    service.job_checkpoint.connect(lambda job: seen.append(job.checkpoint))
    job = service.submit(request("long 40"), priority=Priority.LONG)
    qtbot.waitUntil(lambda: job.is_over, timeout=15000)
    service.shutdown()
    assert len(seen) >= 2
    assert None not in seen


def test_a_parked_job_can_be_cancelled(service: InferenceService, qtbot: QtBot) -> None:
    long = service.submit(request("long 500"), priority=Priority.LONG)
    qtbot.waitUntil(lambda: long.step is not None, timeout=15000)
    slider = service.submit(request("steps 30"), priority=Priority.INTERACTIVE)
    qtbot.waitUntil(lambda: long.state is JobState.PARKED, timeout=15000)
    service.cancel(long)
    assert long.state is JobState.CANCELLED
    qtbot.waitUntil(lambda: slider.is_over, timeout=15000)
    assert slider.state is JobState.FINISHED


def test_idle_jobs_do_not_park_a_long_one(service: InferenceService, qtbot: QtBot) -> None:
    parked: list[Job] = []
    service.job_parked.connect(parked.append)
    long = service.submit(request("long 20"), priority=Priority.LONG)
    qtbot.waitUntil(lambda: long.step is not None, timeout=15000)
    idle = service.submit(request("steps 1"), priority=Priority.IDLE)
    qtbot.waitUntil(lambda: idle.is_over, timeout=15000)
    assert long.is_over
    assert parked == []


def test_a_checkpoint_asks_for_its_state_only_when_somebody_wants_it() -> None:
    def never() -> bytes:
        raise AssertionError("nobody asked")

    Progress().checkpoint(never)
    wanted = Progress(park_requested=lambda: True)
    with pytest.raises(Parked) as parked:
        wanted.checkpoint(lambda: b"here")
    assert parked.value.state == b"here"


class Owner(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, Any]] = []

    def submit(self, service: InferenceService, prompt: str = "a") -> Job:
        return service.submit(
            request(prompt),
            owner=self,
            done=lambda job, result: self.told.append(("done", result.request)),
            failed=lambda job, error: self.told.append(("failed", error.message)),
            stopped=lambda job: self.told.append(("stopped", job.id)),
        )


def test_an_owner_is_told_once_how_its_job_ended(qtbot: QtBot) -> None:
    service, owner = FakeService(), Owner()
    signals: list[int] = []
    service.job_finished.connect(lambda job, _: signals.append(len(owner.told)))
    job = owner.submit(service)
    service.finish()
    assert owner.told == [("done", job.request)]
    assert signals == [1], "the owner hears first"
    owner.submit(service)
    service.fail(EditorError("It failed."))
    last = owner.submit(service)
    service.cancel(last)
    assert [kind for kind, _ in owner.told] == ["done", "failed", "stopped"]


def test_jobs_go_with_their_owner(qtbot: QtBot) -> None:
    service, owner, other = FakeService(), Owner(), Owner()
    mine, running = owner.submit(service, "mine"), other.submit(service, "other")
    told = owner.told
    owner.deleteLater()
    qtbot.waitUntil(lambda: mine.is_over, timeout=5000)
    assert mine.state is JobState.CANCELLED
    assert told == []
    service.finish()
    assert running.state is JobState.FINISHED


def test_a_job_set_aside_ends_with_its_newest_state(service: InferenceService, qtbot: QtBot) -> None:
    long = service.submit(request("long 400"), priority=Priority.LONG)
    qtbot.waitUntil(lambda: long.step is not None and long.step.done >= 5, timeout=15000)
    service.set_aside(long)
    qtbot.waitUntil(lambda: long.is_over, timeout=15000)
    assert long.state is JobState.CANCELLED
    assert long.checkpoint is not None
    assert long.measured is not None
    again = service.submit(
        request("long 400"), priority=Priority.LONG, checkpoint=long.checkpoint, measured=long.measured
    )
    waiting = service.submit(request("long 5"), priority=Priority.LONG)
    service.set_aside(waiting)
    assert waiting.state is JobState.CANCELLED
    qtbot.waitUntil(lambda: again.is_over, timeout=30000)
    assert again.result is not None
    assert again.result.artifacts["report"] == undisturbed(400)
    assert again.result.measured.denoiser_evaluations == 400


def test_setting_aside_what_is_not_long_cancels(service: InferenceService, qtbot: QtBot) -> None:
    job = service.submit(request("steps 500"))
    qtbot.waitUntil(lambda: job.step is not None, timeout=15000)
    service.set_aside(job)
    qtbot.waitUntil(lambda: job.is_over, timeout=15000)
    assert job.state is JobState.CANCELLED
    assert job.checkpoint is None
