"""What a batch makes of a manifest and of leases that somebody else wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from editor.batch.leases import FOLDER, Leases
from editor.batch.manifest import NAME, Manifest
from editor.batch.report import write_report
from inference.errors import EditorError
from tests.editor.batch.pictures import batch, folder_of


@pytest.fixture
def target(tmp_path: Path) -> Path:
    batch(folder_of(tmp_path / "in", 2), tmp_path / "out").run()
    return tmp_path / "out"


def changed(target: Path, **values: Any) -> Manifest:
    """The manifest with one line changed."""
    path = target / NAME
    header, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([header, json.dumps(json.loads(first) | values), *rest]) + "\n")
    manifest = Manifest(target)
    manifest.read()
    return manifest


@pytest.mark.parametrize("name", ["path", "output"])
@pytest.mark.parametrize(
    "place", ["../../else.png", "/etc/else.png", "a/../../b.png", "a\0b.png", "x" * 5000, "", "."]
)
def test_lines_name_files_of_the_folder_alone(target: Path, tmp_path: Path, name: str, place: str) -> None:
    manifest = changed(target, **{name: place})
    assert manifest.dropped == 1
    assert len(manifest.lines) == 1
    write_report(target, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().count("<img alt") == 1
    assert batch(tmp_path / "in", target).run().done == 2  # what it told of is done again


def test_a_path_that_is_no_text_is_none_of_the_folder_either(target: Path) -> None:
    assert changed(target, path_bytes="Li4vYQ==").dropped == 1  # ../a
    assert changed(target, path_bytes="YQBi").dropped == 1  # a NUL inside


@pytest.mark.parametrize("content", ["my notes, of one line", '{"manifesto": 1', "\0\0mine"])
def test_a_file_without_an_end_that_is_no_manifest_is_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / NAME).write_text(content)
    with pytest.raises(EditorError, match="no manifest"):
        batch(folder_of(tmp_path / "in", 1), tmp_path / "out")
    assert (tmp_path / "out" / NAME).read_text() == content


@pytest.mark.parametrize("content", ["", '{"man', '{"manifest": 1, "attune": "0', "\0" * 300])
def test_a_first_line_that_was_cut_off_is_written_again(tmp_path: Path, content: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / NAME).write_text(content)
    assert batch(folder_of(tmp_path / "in", 1), tmp_path / "out").run().is_complete
    assert len((tmp_path / "out" / NAME).read_text().splitlines()) == 2


def test_a_first_line_with_endless_names_is_none(target: Path) -> None:
    header, *rest = (target / NAME).read_text().splitlines()
    endless = json.dumps(json.loads(header) | {"recipe": "R" * 50_000})
    (target / NAME).write_text("\n".join([endless, *rest]) + "\n")
    with pytest.raises(EditorError, match="no manifest"):
        Manifest(target).read()


def test_a_manifest_of_a_newer_version_is_called_so_and_kept(target: Path) -> None:
    header, *rest = (target / NAME).read_text().splitlines()
    newer = "\n".join([json.dumps(json.loads(header) | {"manifest": 7, "names": 5}), *rest]) + "\n"
    (target / NAME).write_text(newer)
    with pytest.raises(EditorError, match=r"has version 7; this Attune reads up to 1.*manifest\.jsonl"):
        Manifest(target).read()
    assert (target / NAME).read_text() == newer


def test_a_line_that_says_something_twice_counts_as_not_there(target: Path) -> None:
    path = target / NAME
    header, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([header, first[:-1] + ', "state": "done"}', *rest]) + "\n")
    manifest = Manifest(target)
    manifest.read()
    assert (len(manifest.lines), manifest.dropped) == (len(rest), 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_is_no_manifest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(EditorError, match="no ordinary file"):
        Manifest(tmp_path).read()
    with pytest.raises(EditorError, match="no ordinary file"), Manifest(tmp_path).locked():
        pass


def test_a_lease_from_a_clock_that_was_wrong_runs_out(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("editor.batch.leases.time.monotonic", lambda: now[0])
    theirs = Leases(target, Manifest(target).locked, host="other")
    theirs.begin()
    lease = theirs.take(PurePosixPath("000.png"))
    assert lease is not None
    os.utime(lease.file, (4e9, 4e9))  # in the year 2096
    ours = Leases(target, Manifest(target).locked)
    ours.begin()
    assert ours.take(lease.path) is None
    now[0] += 50
    assert ours.take(lease.path) is None
    os.utime(lease.file, (4e9 + 15, 4e9 + 15))  # it lives
    now[0] += 50
    assert ours.take(lease.path) is None
    now[0] += 61
    taken = ours.take(lease.path)
    assert taken is not None
    assert taken.again
    ours.close(finished=False)
    theirs.close(finished=False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_in_the_place_of_a_lease_is_not_waited_for(target: Path) -> None:
    first = next(iter(batch(target.parent / "in", target).plan.items)).path
    (target / FOLDER).mkdir()
    leases = Leases(target, Manifest(target).locked)
    leases.begin()
    taken = leases.take(first)
    assert taken is not None
    taken.file.unlink()
    os.mkfifo(taken.file)
    assert not leases.holds(taken)
    assert leases.take(first) is None
    leases.close(finished=True)


@pytest.mark.parametrize(
    "content",
    [
        '{"token": "t", "host": "h", "holds_s": NaN}',
        '{"token": "t", "host": "h", "holds_s": Infinity}',
        '{"token": "t", "host": "h", "holds_s": 1' + "0" * 400 + "}",
        '{"token": "../../t", "host": "h"}',
        '{"token": "a\\u0000b", "host": "HERE"}',
        '{"token": "", "host": "HERE"}',
        "[" * 100_000,
        "",
    ],
)
def test_a_lease_that_cannot_be_read_runs_out(target: Path, content: str) -> None:
    path = PurePosixPath("000.png")
    (target / FOLDER).mkdir()
    leases = Leases(target, Manifest(target).locked, host="HERE")
    leases.begin()
    first = leases.take(path)
    assert first is not None
    leases.give_back(first)
    first.file.write_text(content)
    os.utime(first.file, (1, 1))
    worker = target / FOLDER / "else.worker"
    worker.mkdir()
    (worker / "lock").write_text(content)
    os.utime(worker / "lock", (1, 1))
    os.utime(worker, (1, 1))
    second = leases.take(path)
    assert second is not None
    assert second.again
    leases.give_back(second)
    leases.close(finished=True)
    assert not (target / FOLDER).exists()
