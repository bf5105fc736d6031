"""Long jobs on disk: whole or not at all, for their owner only, one process at a time, hostile files."""

import contextlib
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.recovery import checkpoints as module
from editor.recovery.checkpoints import Checkpoint, Checkpoints, name_of
from inference.content import DefinitionFile, content_hash
from inference.errors import EditorError, WritingError
from inference.operations import LearnDelta
from inference.progress import Measurements
from inference.request import Request

TOML = b'attribute = "age"'
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
REQUEST = Request(
    operation="learn-delta",
    parameters=LearnDelta(definition=DefinitionFile(content_hash(TOML)), method="learned"),
    model="mini-sd1",
)
CHECKPOINT = Checkpoint(
    request=REQUEST,
    label="Teach “老”",
    done=120,
    total=500,
    state=b"here \x00\xff",
    contents={content_hash(TOML): TOML, content_hash(PIXELS): PIXELS},
    measured=Measurements(seconds={"learn": 2.5}, denoiser_evaluations=7, backward_evaluations=3),
    saved_at=1000.0,
)


@pytest.fixture
def store(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "state" / "checkpoints")


def written(store: Checkpoints, checkpoint: Checkpoint = CHECKPOINT) -> Path:
    with store.hold(name_of(checkpoint.request)) as held:
        held.write(checkpoint)
    return store.folder / f"{name_of(checkpoint.request)}.safetensors"


def test_what_is_written_comes_back(store: Checkpoints) -> None:
    written(store)
    with store.hold(name_of(REQUEST)) as held:
        found = held.read()
    assert (found.request, found.label, found.state) == (REQUEST, "Teach “老”", CHECKPOINT.state)
    assert (found.done, found.total, found.saved_at) == (120, 500, 1000.0)
    assert found.measured == CHECKPOINT.measured
    assert found.contents[content_hash(TOML)] == TOML
    np.testing.assert_array_equal(found.contents[content_hash(PIXELS)], PIXELS)


def test_the_summary_says_how_far_it_is(store: Checkpoints) -> None:
    written(store)
    ((left,), problems) = store.left()
    assert (left.name, left.request, left.done, left.total, left.begun) == (
        name_of(REQUEST), REQUEST, 120, 500, True,
    )  # fmt: skip
    assert problems == ()


@pytest.mark.skipif(sys.platform == "win32", reason="other rights")
def test_they_are_the_users_alone(store: Checkpoints) -> None:
    path = written(store)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_somebody_works_on_is_not_offered(store: Checkpoints) -> None:
    written(store)
    held = store.hold(name_of(REQUEST))
    assert store.left() == ((), ())
    with pytest.raises(EditorError, match="worked on already"):
        store.hold(name_of(REQUEST))
    held.release()
    assert len(store.left()[0]) == 1


def test_a_killed_process_leaves_its_lock(store: Checkpoints) -> None:
    written(store)
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom editor.recovery.checkpoints import Checkpoints\n"
        f"held = Checkpoints(Path({str(store.folder)!r})).hold({name_of(REQUEST)!r})\n"
        "print('held', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert store.left() == ((), ())
        other.kill()
    assert len(store.left()[0]) == 1


def test_removing_leaves_nothing(store: Checkpoints) -> None:
    written(store)
    with store.hold(name_of(REQUEST)) as held:
        held.remove()
    with store.hold("empty"):
        pass
    assert list(store.folder.iterdir()) == []


def test_a_full_disk_keeps_the_last_one(store: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(store)
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("inference.files.sync_file", full)
    with store.hold(name_of(REQUEST)) as held, pytest.raises(WritingError, match="could not be written"):
        held.write(CHECKPOINT)
    assert path.read_bytes() == before
    assert sorted(one.suffix for one in store.folder.iterdir()) == [".lock", ".safetensors"]


def test_what_is_damaged_is_set_aside_and_said(store: Checkpoints) -> None:
    path = written(store)
    path.write_bytes(path.read_bytes()[:40])
    left, (problem,) = store.left()
    assert left == ()
    assert "cannot go on" in problem.said()
    assert path.with_suffix(".damaged").exists()
    assert store.left() == ((), ())


def test_a_changed_state_or_content_is_noticed(store: Checkpoints) -> None:
    path = written(store)
    whole = path.read_bytes()
    for old, new in ((CHECKPOINT.state or b"", b"hexe \x00\xff"), (TOML, b'attribute = "agE"')):
        path.write_bytes(whole.replace(old, new))
        with store.hold(name_of(REQUEST)) as held, pytest.raises(EditorError, match="damaged"):
            held.read()


def test_a_file_that_is_too_large_is_not_read(store: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    written(store)
    monkeypatch.setattr(module, "LARGEST_BYTES", 10)
    with store.hold(name_of(REQUEST)) as held, pytest.raises(EditorError, match="too large"):
        held.read()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes and devices among its files")
def test_pipes_and_devices_are_not_waited_for(store: Checkpoints) -> None:
    path = written(store)
    for make in (os.mkfifo, lambda place: place.symlink_to("/dev/zero")):
        path.unlink()
        make(path)
        with store.hold(name_of(REQUEST)) as held, pytest.raises(EditorError, match="no ordinary file"):
            held.read()
        left, (problem,) = store.left()
        assert left == ()
        assert "no ordinary file" in problem.said()
        path.touch()


@given(data=st.data())
def test_a_file_may_hold_anything(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An `EditorError`, or a value that is used as it is."""
    content = bytearray(module._to_bytes(CHECKPOINT))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("hostile") / "a.safetensors"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))] or content))
    for read in (lambda: module._from_bytes(path.read_bytes()), lambda: module._summary(path)):
        with contextlib.suppress(EditorError):
            read()


def test_the_same_request_is_the_same_job() -> None:
    other = Request(operation=REQUEST.operation, parameters=REQUEST.parameters, model="mini-sdxl")
    assert name_of(REQUEST) != name_of(other)
    assert name_of(REQUEST) == name_of(Request.from_json(REQUEST.to_json()))
