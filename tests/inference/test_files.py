"""The one writer of files: no link is followed, nobody reads what is not theirs, nothing else is lost."""

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from editor.generating.contents import read_content
from inference import files
from inference.content import DefinitionFile
from inference.definitions import read_definition
from inference.errors import EditorError, WritingError
from inference.files import atomic_write, read_at_most

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX systems")


def write(path: Path, content: bytes = b"new", **how: bool) -> None:
    with atomic_write(path, **how) as file:
        file.write(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def part_of(path: Path) -> Path:
    (part,) = path.parent.glob(".*.part")
    return part


@posix
def test_planted_links_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim, path = tmp_path / "victim", tmp_path / "place" / "models.json"
    victim.write_bytes(b"precious")
    path.parent.mkdir()
    guessed = [f".{path.name}.{os.getpid()}.part", f".{path.name}.{'0' * 16}.part"]
    for name in guessed:
        (path.parent / name).symlink_to(victim)
    write(path)
    assert path.read_bytes() == b"new"
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "0" * 16)
    with pytest.raises(WritingError, match="exists already"):
        write(path, b"newer")
    assert victim.read_bytes() == b"precious"
    assert path.read_bytes() == b"new"
    assert all((path.parent / name).is_symlink() for name in guessed)


@posix
@pytest.mark.parametrize("wanted", [0o600, 0o640, 0o604, 0o666, 0o400])
def test_rights_of_the_old_file_from_the_first_byte(tmp_path: Path, wanted: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(wanted)
    mask = os.umask(0)
    try:
        with atomic_write(path) as file:
            assert mode(part_of(path)) == wanted
            file.write(b"new")
    finally:
        os.umask(mask)
    assert (path.read_bytes(), mode(path)) == (b"new", wanted)


@posix
def test_a_new_private_file_and_no_rights_to_run_as_somebody(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        with atomic_write(tmp_path / "new", private=True) as file:
            assert mode(part_of(tmp_path / "new")) == 0o600
            file.write(b"x")
        write(tmp_path / "open")
    finally:
        os.umask(mask)
    assert (mode(tmp_path / "new"), mode(tmp_path / "open")) == (0o600, 0o666)
    (tmp_path / "new").chmod(0o4755)
    write(tmp_path / "new")
    assert mode(tmp_path / "new") == 0o755


@posix
def test_a_group_that_cannot_be_kept_gets_no_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o664)
    real = os.fstat

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no")

    class Other:
        def __init__(self, descriptor: int) -> None:
            self.st_mode, self.st_gid = real(descriptor).st_mode, real(descriptor).st_gid + 1

    monkeypatch.setattr(os, "fchown", refused)
    monkeypatch.setattr(os, "fstat", Other)
    write(path)
    monkeypatch.undo()
    assert mode(path) == 0o644, "the writer's own group may write what another group could"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
def test_owners_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    os.chown(path, 1234, 4321)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="extended attributes of Linux")
def test_attributes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    try:
        os.setxattr(path, "user.rating", b"5")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    write(path)
    assert os.getxattr(path, "user.rating") == b"5"


@posix
@pytest.mark.parametrize("through_link", [False, True])
def test_pipes_and_devices_are_neither_replaced_nor_written(tmp_path: Path, through_link: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for special in (pipe, Path("/dev/null")):
        path = special
        if through_link:
            path = tmp_path / f"to-{special.name}"
            path.symlink_to(special)
        with pytest.raises(WritingError, match="a pipe, a device"):
            write(path)
        assert not stat.S_ISREG(special.stat().st_mode)
    with pytest.raises(WritingError, match="is a folder"):
        write(tmp_path)


@posix
def test_links_in_a_circle_and_impossible_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for path in (tmp_path / "a", tmp_path / "nul\0", tmp_path / "\ud800"):
        with pytest.raises(WritingError, match="could not be written"):
            write(path)


@posix
def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    for name in (b"caf\xe9", b"\xff" * 240):
        path = tmp_path / os.fsdecode(name)
        try:
            write(path)
        except WritingError:
            pytest.skip("this file system wants UTF-8")
        stray = path.with_name(f"{files._prefix(path)}{'0' * 16}.part")
        stray.write_bytes(b"")
        os.utime(stray, (1, 1))
        write(path, b"newer")
        assert path.read_bytes() == b"newer"
        assert not stray.exists()


class TestHardLinks:
    @pytest.fixture
    def names(self, tmp_path: Path) -> tuple[Path, Path]:
        first, second = tmp_path / "first", tmp_path / "second"
        first.write_bytes(b"old and longer")
        second.hardlink_to(first)
        return first, second

    def test_all_names_have_the_new_content(self, names: tuple[Path, Path]) -> None:
        write(names[0])
        assert [name.read_bytes() for name in names] == [b"new", b"new"]
        assert names[0].samefile(names[1])
        assert {path.name for path in names[0].parent.iterdir()} == {"first", "second"}

    def test_a_failure_before_the_end_changes_nothing(self, names: tuple[Path, Path]) -> None:
        def write_half() -> None:
            with atomic_write(names[0]) as file:
                file.write(b"half")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_half()
        assert names[1].read_bytes() == b"old and longer"
        assert {path.name for path in names[0].parent.iterdir()} == {"first", "second"}

    def test_a_full_disk_leaves_the_whole_new_file(
        self, names: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(files.shutil, "copyfileobj", full)
        with pytest.raises(WritingError, match="hard links") as raised:
            write(names[0])
        (whole,) = names[0].parent.glob("*.whole")
        assert whole.read_bytes() == b"new"
        assert str(whole) in raised.value.hint
        monkeypatch.undo()
        write(names[0], b"newest")
        assert whole.exists(), "what a failed write left is the user's"


def test_no_more_is_read_than_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_at_most(path, 5) == b"12345"
    with pytest.raises(EditorError, match="too large"):
        read_at_most(path, 4)


@posix
def test_devices_that_never_end_are_told() -> None:
    with pytest.raises(EditorError, match="no ordinary file"):
        read_at_most(Path("/dev/zero"), 1000)
    with pytest.raises(EditorError, match="no ordinary file"):
        read_definition(Path("/dev/zero"))
    with pytest.raises(EditorError, match="no ordinary file"):
        read_content(DefinitionFile, Path("/dev/zero"))


@posix
def test_what_may_never_end_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for path in (pipe, tmp_path / "link", Path("/dev/zero"), Path("/dev/tty")):
        with pytest.raises(EditorError, match="no ordinary file"):
            read_at_most(path, 10)
