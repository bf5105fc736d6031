"""Long jobs of the window: on disk while they run, to go on with after every kind of end."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from editor.controllers.long_jobs import LongJobs
from editor.controllers.shell import Shell
from editor.recovery.checkpoints import Checkpoint, Checkpoints, name_of
from editor.system.settings import Settings
from inference import progress as progress_module
from inference.content import DefinitionFile, content_hash
from inference.deltas import DeltaInfo, DeltaLibrary, delta_to_bytes, read_delta_file
from inference.service import InferenceService, Job, JobState, Priority
from tests.helpers.scripted_learner import ScriptedLearner, learnt, lesson


class Session:
    """One run of the application over the same folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.service = InferenceService(ScriptedLearner, in_process=True)
        self.shell = Shell(Settings(folder / "settings"), self.service)
        self.library = DeltaLibrary((folder / "deltas",))
        self.jobs = LongJobs(self.shell, self.library, folder / "checkpoints")
        self.messages: list[str] = []
        self.kept: list[DeltaInfo] = []
        self.begun: list[Job] = []
        self.shell.message.connect(lambda text, hint, level: self.messages.append(text))
        self.jobs.kept.connect(self.kept.append)
        self.jobs.begun.connect(self.begun.append)

    def end(self) -> None:
        self.jobs.close()
        self.shell.background.close(3000)
        self.service.shutdown()


@pytest.fixture
def sessions(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Session]]:
    monkeypatch.setattr(progress_module, "CHECKPOINT_INTERVAL_S", 0.03)
    made: list[Session] = []

    def make() -> Session:
        made.append(Session(tmp_path))
        return made[-1]

    yield make
    for session in made:
        session.end()


def begin(session: Session, qtbot: QtBot, steps: int = 20, done: int = 0, seed: int = 0) -> Job:
    session.jobs.submit(*lesson(steps, seed), "Teach “Tired”")
    qtbot.waitUntil(lambda: len(session.begun) > 0)
    job = session.begun[-1]
    qtbot.waitUntil(lambda: job.is_over or (job.step is not None and job.step.done >= done), timeout=15000)
    return job


def settled(session: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not session.shell.background.busy, timeout=5000)


def vectors_in(path: Path) -> bytes:
    return delta_to_bytes(read_delta_file(path))


def assert_learnt(session: Session, qtbot: QtBot, steps: int) -> None:
    """The library has the delta of an undisturbed run, and no checkpoint is left."""
    qtbot.waitUntil(lambda: len(session.kept) > 0, timeout=20000)
    settled(session, qtbot)
    info = session.kept[0]
    assert (info.key, info.label) == ("mini-sdxl/person-tired", "Tired")
    assert info.path is not None
    undisturbed = session.folder / "undisturbed.safetensors"
    undisturbed.write_bytes(learnt(steps))
    assert vectors_in(info.path) == vectors_in(undisturbed)
    assert list((session.folder / "checkpoints").iterdir()) == []
    assert session.jobs.stopped == ()
    assert session.jobs.running == ()


def test_what_is_learnt_goes_into_the_library(sessions: Callable[[], Session], qtbot: QtBot) -> None:
    session = sessions()
    job = begin(session, qtbot)
    assert job.priority is Priority.LONG
    assert_learnt(session, qtbot, 20)
    assert session.messages == []


def test_a_stopped_job_goes_on_where_it_was(sessions: Callable[[], Session], qtbot: QtBot) -> None:
    session = sessions()
    job = begin(session, qtbot, steps=60, done=10)
    session.jobs.stop(job)
    qtbot.waitUntil(lambda: len(session.jobs.stopped) == 1, timeout=15000)
    (left,) = session.jobs.stopped
    assert job.state is JobState.CANCELLED
    assert (left.label, left.total, left.begun) == ("Teach “Tired”", 60, True)
    assert 10 <= left.done < 60
    session.jobs.go_on(left)
    assert session.jobs.stopped == ()
    qtbot.waitUntil(lambda: len(session.begun) == 2)
    assert_learnt(session, qtbot, 60)
    result = session.begun[1].result
    assert result is not None
    assert result.measured.denoiser_evaluations == 60, "none was lost or done twice"


def test_the_next_session_offers_what_this_one_did_not_finish(
    sessions: Callable[[], Session], qtbot: QtBot
) -> None:
    first = sessions()
    begin(first, qtbot, steps=80, done=20)
    settled(first, qtbot)
    first.end()
    second = sessions()
    second.jobs.start()
    qtbot.waitUntil(lambda: len(second.jobs.stopped) == 1, timeout=5000)
    second.jobs.go_on(second.jobs.stopped[0])
    assert_learnt(second, qtbot, 80)


def test_a_job_that_failed_can_go_on(sessions: Callable[[], Session], qtbot: QtBot) -> None:
    session = sessions()
    begin(session, qtbot, seed=13, done=99)
    qtbot.waitUntil(lambda: session.messages == ["It diverged."], timeout=15000)
    settled(session, qtbot)
    (left,) = session.jobs.stopped
    assert left.begun


def test_discarding_deletes(sessions: Callable[[], Session], qtbot: QtBot) -> None:
    session = sessions()
    session.jobs.stop(begin(session, qtbot, steps=60, done=10))
    qtbot.waitUntil(lambda: len(session.jobs.stopped) == 1, timeout=15000)
    session.jobs.discard(session.jobs.stopped[0])
    settled(session, qtbot)
    assert list((session.folder / "checkpoints").iterdir()) == []
    assert session.jobs.stopped == ()


def test_a_checkpoint_can_be_kept_while_learning_goes_on(
    sessions: Callable[[], Session], qtbot: QtBot
) -> None:
    session = sessions()
    job = begin(session, qtbot, steps=60, done=10)
    qtbot.waitUntil(lambda: job.checkpoint is not None, timeout=5000)
    session.jobs.keep(job)
    qtbot.waitUntil(lambda: len(session.kept) == 1, timeout=5000)
    assert not job.is_over
    qtbot.waitUntil(lambda: len(session.kept) == 2, timeout=20000)
    first, last = session.kept
    assert (first.label, last.label) == ("Tired", "Tired 2"), "nothing is replaced"
    assert (first.attribute, last.key) == ("tired", "mini-sdxl/person-tired-2")
    assert first.path is not None
    assert last.path is not None
    assert vectors_in(first.path) != vectors_in(last.path)


def test_a_stopped_job_can_be_kept(sessions: Callable[[], Session], qtbot: QtBot) -> None:
    session = sessions()
    session.jobs.stop(begin(session, qtbot, steps=60, done=10))
    qtbot.waitUntil(lambda: len(session.jobs.stopped) == 1, timeout=15000)
    session.jobs.keep(session.jobs.stopped[0])
    qtbot.waitUntil(lambda: len(session.kept) == 1, timeout=5000)
    assert len(session.jobs.stopped) == 1, "it can go on as well"


def test_a_full_disk_is_said_once_and_the_job_goes_on(
    sessions: Callable[[], Session], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sessions()
    job = begin(session, qtbot, steps=60, done=5)
    settled(session, qtbot)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("inference.files.sync_file", full)
        before = job.step.done if job.step is not None else 0
        qtbot.waitUntil(lambda: job.step is not None and job.step.done > before + 15, timeout=15000)
        settled(session, qtbot)
        assert len(session.messages) == 1
        assert "cannot be kept" in session.messages[0]
        (path,) = (session.folder / "checkpoints").glob("*.safetensors")
        assert path.stat().st_size > 0
    assert_learnt(session, qtbot, 60)


def test_a_delta_that_cannot_be_written_leaves_the_checkpoint(
    sessions: Callable[[], Session], qtbot: QtBot
) -> None:
    session = sessions()
    (session.folder / "deltas").write_bytes(b"no folder")
    begin(session, qtbot, steps=20)
    qtbot.waitUntil(lambda: len(session.messages) > 0, timeout=15000)
    qtbot.waitUntil(lambda: len(session.jobs.stopped) == 1, timeout=5000)
    (session.folder / "deltas").unlink()
    session.jobs.go_on(session.jobs.stopped[0])
    assert_learnt(session, qtbot, 20)


def test_the_same_job_of_another_process_is_not_begun_twice(
    sessions: Callable[[], Session], qtbot: QtBot
) -> None:
    session = sessions()
    with Checkpoints(session.folder / "checkpoints").hold(name_of(lesson()[0])):
        session.jobs.submit(*lesson(), "Teach “Tired”")
        qtbot.waitUntil(lambda: session.messages == ["This is being worked on already."], timeout=5000)
    assert session.begun == []


@pytest.mark.parametrize("contents", [{}, {"definition": np.zeros((4, 4, 3), np.uint8)}])
def test_a_checkpoint_without_its_definition_is_told(
    contents: dict[str, Any], sessions: Callable[[], Session], qtbot: QtBot
) -> None:
    """Files in that folder may hold anything."""
    session = sessions()
    request, _ = lesson()
    if contents:
        name = content_hash(contents["definition"])
        parameters = replace(request.parameters, definition=DefinitionFile(name))
        request, contents = replace(request, parameters=parameters), {name: contents["definition"]}
    with Checkpoints(session.folder / "checkpoints").hold(name_of(request)) as held:
        held.write(Checkpoint(request=request, state=b"anything", contents=contents))
    session.jobs.start()
    qtbot.waitUntil(lambda: len(session.jobs.stopped) == 1)
    session.jobs.keep(session.jobs.stopped[0])
    qtbot.waitUntil(lambda: len(session.messages) > 0)
    assert session.messages == ["The checkpoint is damaged."]
