import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from editor.system.atomic import atomic_write
from editor.system.errors import WritingError
from inference.reasons import reason_of


def test_the_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic_write(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(WritingError, match=r"nowhere/a.*could not be written"),
        atomic_write(tmp_path / "nowhere/a"),
    ):
        pass


def test_mode_of_old_and_new_files(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"")
    old.chmod(0o640)
    mask = os.umask(0)
    os.umask(mask)
    for path in (old, new):
        with atomic_write(path) as file:
            file.write(b"x")
    assert old.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_link_goes_on_pointing(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    with atomic_write(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def old_part(path: Path) -> Path:
    """What a process leaves that is killed while it writes, a while ago."""
    part = path.with_name(f".{path.name}.{'0' * 16}.part")
    part.write_bytes(b"half")
    os.utime(part, (1, 1))
    return part


def test_leftovers_of_dead_writers_go(tmp_path: Path) -> None:
    path = tmp_path / "[a]*.ora"
    stray, others = old_part(path), [old_part(tmp_path / "b.ora"), tmp_path / f".{path.name}.mine.part"]
    others[1].write_bytes(b"")
    with atomic_write(path) as file:
        file.write(b"new")
    assert not stray.exists()
    assert all(other.exists() for other in others)


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic_write(path) as slow:
        slow.write(b"slow")
        for part in tmp_path.iterdir():
            os.utime(part, (1, 1))
        with atomic_write(path) as quick:
            quick.write(b"quick")
        assert path.read_bytes() == b"quick"
    assert path.read_bytes() == b"slow"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_the_longest_name(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.ENOSPC, "Free some space"), (errno.EROFS, "may not write"), (errno.EIO, "drive connected")],
)
def test_what_to_do_is_said(tmp_path: Path, number: int, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with (
        pytest.raises(WritingError, match=str(reason_of(OSError(number, "")))) as caught,
        atomic_write(tmp_path / "a"),
    ):
        pass
    assert hint in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_everything_is_on_the_disk_before_the_name_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power may fail between any two calls: file, rename and folder are synced in this order."""
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    with atomic_write(tmp_path / "a") as file:
        file.write(b"x")
    assert calls == ["file", "rename", "folder"]


def test_threads_do_not_change_the_mask(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        with atomic_write(tmp_path / "a") as file:
            file.write(b"x")
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    finally:
        assert os.umask(mask) == 0o077
