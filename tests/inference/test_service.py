"""The queue, on a thread and with a real child process."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from inference import worker
from inference.content import content_hash
from inference.errors import EditorError
from inference.service import InferenceService, Job, JobState, Priority
from tests.helpers.fake_service import FakeService
from tests.helpers.scripted_runner import ScriptedRunner, request


class Record:
    """What a service said, in order."""

    def __init__(self, service: InferenceService) -> None:
        self.events: list[tuple[str, int]] = []
        for name in ("queued", "started", "cancelled"):
            getattr(service, f"job_{name}").connect(self._note(name))
        for name in ("finished", "failed"):
            getattr(service, f"job_{name}").connect(self._note_with(name))

    def _note(self, name: str) -> Callable[[Job], None]:
        return lambda job: self.events.append((name, job.id))

    def _note_with(self, name: str) -> Callable[[Job, object], None]:
        return lambda job, _: self.events.append((name, job.id))

    def of(self, job: Job) -> list[str]:
        return [name for name, job_id in self.events if job_id == job.id]

    def order(self, name: str) -> list[int]:
        return [job_id for event, job_id in self.events if event == name]


@pytest.fixture
def service(qtbot: QtBot) -> Iterator[InferenceService]:
    service = InferenceService(ScriptedRunner, in_process=True)
    yield service
    service.shutdown()


@pytest.fixture
def child_service(qtbot: QtBot) -> Iterator[InferenceService]:
    service = InferenceService(ScriptedRunner)
    yield service
    service.shutdown()


def wait_for(qtbot: QtBot, *jobs: Job, timeout_ms: int = 15000) -> None:
    qtbot.waitUntil(lambda: all(job.is_over for job in jobs), timeout=timeout_ms)


def test_job_ends_with_its_result_after_progress(service: InferenceService, qtbot: QtBot) -> None:
    record, steps = Record(service), []
    service.job_progress.connect(lambda _, step: steps.append(step))
    job = service.submit(request("steps 3", seed=9), label="One")
    assert job.state is JobState.QUEUED
    assert record.of(job) == ["queued"], "started before submit returned"
    wait_for(qtbot, job)
    assert record.of(job) == ["queued", "started", "finished"]
    assert job.result is not None
    assert int(job.result.images[0][0, 0, 0]) == 9
    assert (steps[-1].phase, steps[-1].done, steps[-1].total) == ("sample", 3, 3)
    assert any(step.preview is not None for step in steps)


def test_jobs_of_one_priority_run_in_order(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    jobs = [service.submit(request("steps 1")) for _ in range(5)]
    wait_for(qtbot, *jobs)
    assert record.order("started") == [job.id for job in jobs]
    assert record.order("finished") == [job.id for job in jobs]


def test_interactive_goes_before_normal(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    first, normal = service.submit(request("steps 3")), service.submit(request("steps 1"))
    qtbot.waitUntil(lambda: first.state is JobState.RUNNING)
    slider = service.submit(request("steps 1"), priority=Priority.INTERACTIVE)
    assert service.jobs() == (first, slider, normal)
    wait_for(qtbot, first, normal, slider)
    assert record.order("started") == [first.id, slider.id, normal.id]


def test_superseding_drops_waiting_and_stops_running(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    running = service.submit(request("steps 1000"), supersedes="slider:1")
    other = service.submit(request("steps 1"), supersedes="slider:2")
    waiting = service.submit(request("steps 1"), supersedes="slider:1")
    assert running.state is JobState.CANCELLED, "superseded before it started: reported at once"
    qtbot.waitUntil(lambda: other.is_over)
    last = service.submit(request("steps 1"), supersedes="slider:1")
    wait_for(qtbot, waiting, last)
    assert last.state is JobState.FINISHED
    assert record.of(running) == ["queued", "cancelled"]
    assert other.state is JobState.FINISHED


def test_cancelling_a_running_job_takes_one_step(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    job = service.submit(request("steps 1000"))
    qtbot.waitUntil(lambda: job.step is not None)
    started = time.monotonic()
    service.cancel(job)
    service.cancel(job)
    wait_for(qtbot, job)
    assert time.monotonic() - started < 0.5
    assert record.of(job) == ["queued", "started", "cancelled"]


def test_a_job_that_ends_while_being_cancelled_is_cancelled(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    job = service.submit(request("deaf 10"))
    qtbot.waitUntil(lambda: job.state is JobState.RUNNING)
    service.cancel(job)
    wait_for(qtbot, job)
    assert record.of(job) == ["queued", "started", "cancelled"]


def test_idle_jobs_give_way(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    idle = [service.submit(request("steps 1000"), priority=Priority.IDLE) for _ in range(2)]
    qtbot.waitUntil(lambda: idle[0].step is not None)
    normal = service.submit(request("steps 1"))
    assert idle[1].state is JobState.CANCELLED
    wait_for(qtbot, normal, *idle)
    assert [job.state for job in idle] == [JobState.CANCELLED, JobState.CANCELLED]
    assert record.of(normal)[-1] == "finished"


def test_idle_waits_for_all_others(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    normal = [service.submit(request("steps 2")) for _ in range(2)]
    idle = service.submit(request("steps 1"), priority=Priority.IDLE)
    wait_for(qtbot, idle, *normal)
    assert record.order("started") == [normal[0].id, normal[1].id, idle.id]


def test_a_failure_reports_and_does_not_stop_the_queue(service: InferenceService, qtbot: QtBot) -> None:
    failing, after = service.submit(request("fail")), service.submit(request("steps 1"))
    wait_for(qtbot, failing, after)
    assert failing.state is JobState.FAILED
    assert failing.error is not None
    assert (failing.error.message, failing.error.hint) == ("It failed.", "Try something else.")
    assert after.state is JobState.FINISHED


def test_a_defect_is_reported_in_words(service: InferenceService, qtbot: QtBot) -> None:
    job, after = service.submit(request("defect")), service.submit(request("steps 1"))
    wait_for(qtbot, job, after)
    assert job.error is not None
    assert "a bug" in job.error.message
    assert after.state is JobState.FINISHED


def test_contents_reach_the_runner(service: InferenceService, qtbot: QtBot) -> None:
    pixels = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    job = service.submit(request("steps 1"), {content_hash(pixels): pixels})
    wait_for(qtbot, job)
    assert job.result is not None
    np.testing.assert_array_equal(job.result.images[0], pixels)
    assert not job.contents, "a finished job keeps no pixels"


def test_cancel_all_empties_the_queue(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    jobs = [service.submit(request("steps 1000")) for _ in range(4)]
    qtbot.waitUntil(lambda: jobs[0].step is not None)
    service.cancel_all()
    wait_for(qtbot, *jobs)
    assert all(record.of(job)[-1] == "cancelled" for job in jobs)
    assert service.jobs() == ()


def test_preload_tells_its_progress_and_failure(service: InferenceService, qtbot: QtBot) -> None:
    said: list[str] = []
    service.status_changed.connect(lambda status: said.append(str(status)))
    service.preload("mini")
    qtbot.waitUntil(lambda: bool(said) and said[-1] == "")
    assert any(text.startswith("Loading mini… ") and text.endswith(" %") for text in said)
    service.preload("broken")
    qtbot.waitUntil(lambda: said[-1] == "broken could not be loaded: No such model.")


def test_a_job_of_another_model_does_not_wait_for_a_preload(service: InferenceService, qtbot: QtBot) -> None:
    service.preload("another")
    job = service.submit(request("steps 1"))
    started = time.monotonic()
    wait_for(qtbot, job)
    assert time.monotonic() - started < 0.15, "20 steps of loading were not skipped"


def test_submitting_after_shutdown_is_cancelled(service: InferenceService, qtbot: QtBot) -> None:
    record = Record(service)
    service.shutdown()
    job = service.submit(request("steps 1"))
    assert record.of(job) == ["queued", "cancelled"]


def test_shutdown_ends_every_job_once(qtbot: QtBot) -> None:
    service = InferenceService(ScriptedRunner, in_process=True)
    record = Record(service)
    jobs = [service.submit(request("steps 1000")) for _ in range(3)]
    qtbot.waitUntil(lambda: jobs[0].step is not None)
    service.shutdown()
    assert all(record.of(job)[-1] == "cancelled" for job in jobs)
    assert all(len(record.of(job)) <= 3 for job in jobs)


def test_child_runs_survives_crashes_and_ends(child_service: InferenceService, qtbot: QtBot) -> None:
    service, record = child_service, Record(child_service)
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    first = service.submit(request("steps 2"), {"image": pixels})
    wait_for(qtbot, first)
    assert first.result is not None
    np.testing.assert_array_equal(first.result.images[0], pixels)

    crashing, after = service.submit(request("crash")), service.submit(request("steps 1"))
    wait_for(qtbot, crashing, after)
    assert crashing.state is JobState.FAILED
    assert isinstance(crashing.error, EditorError)
    assert "exit status 3" in crashing.error.message
    assert after.state is JobState.FINISHED, "the child starts again"

    long = service.submit(request("steps 1000"))
    qtbot.waitUntil(lambda: long.step is not None)
    service.cancel(long)
    wait_for(qtbot, long, timeout_ms=1000)
    assert record.of(long) == ["queued", "started", "cancelled"]


def test_a_deaf_child_is_ended_by_force(child_service: InferenceService, qtbot: QtBot) -> None:
    job = child_service.submit(request("deaf 3000"))
    qtbot.waitUntil(lambda: job.state is JobState.RUNNING)
    time.sleep(0.1)
    started = time.monotonic()
    child_service.shutdown(timeout_ms=200)
    assert time.monotonic() - started < 3
    assert job.state is JobState.CANCELLED


@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked up in /proc")
def test_the_child_ends_with_its_parent(tmp_path: object) -> None:
    import subprocess

    script = (
        "import multiprocessing, os, time\n"
        "from inference import worker\n"
        "from tests.helpers.scripted_runner import ScriptedRunner, request\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    ours, theirs = context.Pipe()\n"
        "    child = context.Process(target=worker.child_main, args=(theirs, ScriptedRunner), daemon=True)\n"
        "    child.start(); theirs.close()\n"
        "    ours.send(worker.Run(1, request('deaf 3000')))\n"
        "    ours.recv()\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    pid = int(run.stdout.split()[0])
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the child outlived its parent")


def test_no_torch_is_imported_by_the_service() -> None:
    import subprocess

    code = "import sys, inference.service, inference.deltas; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


class TestFakeService:
    def test_manual(self, qtbot: QtBot) -> None:
        service = FakeService()
        record = Record(service)
        job = service.submit(request("anything"))
        service.start()
        service.step(1, 4)
        assert job.fraction == 0.25
        service.finish()
        assert record.of(job) == ["queued", "started", "finished"]

    def test_automatic(self, qtbot: QtBot) -> None:
        service = FakeService(automatic=True)
        jobs = [service.submit(request("anything", seed=seed)) for seed in range(3)]
        service.fail_next = EditorError("No.")
        qtbot.waitUntil(lambda: all(job.is_over for job in jobs))
        assert [job.state.value for job in jobs] == ["failed", "finished", "finished"]

    def test_cancelling_while_it_runs(self, qtbot: QtBot) -> None:
        service = FakeService()
        job = service.submit(request("anything"))
        service.start()
        service.cancel(job)
        qtbot.waitUntil(lambda: job.state is JobState.CANCELLED)


def test_the_service_knows_where_the_model_runs(qtbot: QtBot) -> None:
    service = InferenceService(ScriptedRunner, in_process=True)
    assert service.device == ""
    with qtbot.waitSignal(service.device_changed, timeout=5000) as told:
        service.preload("mini")
    assert told.args == ["cpu"]
    assert service.device == "cpu"
    service.shutdown()


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped there")
class TestStoppedEngine:
    """The engine's process is stopped (a laptop that sleeps, a debugger) while much is sent to it."""

    @pytest.fixture
    def stopped(self, child_service: InferenceService, qtbot: QtBot) -> InferenceService:
        wait_for(qtbot, child_service.submit(request("steps 1")))
        (child,) = multiprocessing.active_children()
        assert child.pid is not None
        os.kill(child.pid, signal.SIGSTOP)
        picture = np.zeros((3000, 3000, 3), np.uint8)  # more than any pipe holds
        child_service.submit(request("steps 2"), {"image": picture})
        qtbot.wait(100)
        return child_service

    def test_shutting_down_ends_it_by_force(self, stopped: InferenceService) -> None:
        begun = time.monotonic()
        stopped.shutdown(300)
        assert time.monotonic() - begun < 2
        assert not multiprocessing.active_children()

    def test_sending_never_waits(self, stopped: InferenceService, qtbot: QtBot) -> None:
        begun = time.monotonic()
        for _ in range(30_000):  # wake-ups: a pipe holds 13 000
            stopped._engine.send(worker.Cancel(1))
        assert time.monotonic() - begun < 10
        stopped.shutdown(100)


def test_an_owner_may_outlive_the_service(qtbot: QtBot) -> None:
    service, owner = FakeService(), QObject()
    service.submit(request("steps 1"), owner=owner)
    delete(service)
    with qtbot.captureExceptions() as raised:
        delete(owner)
    assert raised == []
