"""Writing a file so that its place never holds half of it, whatever happens to the process or the power."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from editor.system.errors import WritingError
from inference.messages import Message
from inference.reasons import reason_of

_STRAY_AGE_S = 2.0  # younger ones may be about to be locked
_LONGEST_NAME_BYTES = 200  # of 255 that file systems allow, with what is added
_REPLACE_TRIES = 20

_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def atomic_write(path: Path) -> Generator[BinaryIO]:
    """A binary file beside `path` that takes its place when the block ends without an exception.

    The data are on the disk before the name changes, and the name is before this returns. On any failure
    `path` is as it was and nothing is left over; what a killed process left over is removed the next time.

    Raises:
        WritingError: the folder is missing or read-only, or the disk is full.
    """
    temporary: Path | None = None
    try:
        target = path.resolve()  # a link keeps pointing at the file that it points at
        remove_strays(target)
        temporary, file = _create_beside(target)
        with file:
            yield file
            file.flush()
            _take_rights(file, target)
            sync_file(file)
        _replace(temporary, target)
        temporary = None
        sync_folder(target.parent)
    except OSError as error:
        raise writing_error(path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def writing_error(path: Path, error: OSError) -> WritingError:
    """What the user reads when `path` could not be written."""
    if error.errno in _SPACE:
        hint = Message("Free some space, or choose another place.")
    elif error.errno in _REFUSED:
        hint = Message("You may not write there: choose another folder.")
    else:
        hint = Message("Is the drive connected, and the folder there? Choose another place.")
    return WritingError("“{path}” could not be written: {reason}.", hint, path=path, reason=reason_of(error))


def sync_file(file: BinaryIO) -> None:
    """Put a file's content on the disk.

    Raises:
        OSError: it could not be written.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every disk knows it; then the usual way
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
            return
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems without it
            raise


def sync_folder(folder: Path) -> None:
    """Put a folder's new names on the disk."""
    with suppress(OSError):  # not possible on every system; the rename itself is done
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_strays(target: Path) -> None:
    """Delete what processes that died while they wrote `target` left beside it."""
    pattern = re.compile(re.escape(_prefix(target)) + r"[0-9a-f]{16}\.part")
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                _remove_if_stray(Path(entry.path))


def _prefix(target: Path) -> str:
    name = target.name.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")
    return f".{name}."


def _create_beside(target: Path) -> tuple[Path, BinaryIO]:
    """A new file that is locked as long as it is open: nobody takes it for a leftover."""
    path = target.with_name(f"{_prefix(target)}{secrets.token_hex(8)}.part")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags, 0o666), "w+b")  # the system takes off the user's mask
    with suppress(OSError):  # some network drives have no locks
        _lock(file)
    return path, file


def _remove_if_stray(path: Path) -> None:
    with suppress(OSError):
        if time.time() - path.stat().st_mtime < _STRAY_AGE_S:
            return
        with path.open("rb+") as file:
            _lock(file)
        path.unlink()


def _take_rights(file: BinaryIO, target: Path) -> None:
    """A file that is replaced keeps its mode and, where that is allowed, its owners."""
    if sys.platform == "win32":
        return
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    with suppress(OSError):
        os.fchown(file.fileno(), old.st_uid, old.st_gid)
    with suppress(OSError):
        os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))


if sys.platform == "win32":

    def _lock(file: BinaryIO) -> None:
        """Nothing to do: an open file cannot be deleted there."""

    def _replace(temporary: Path, target: Path) -> None:
        """Virus scanners hold new files for a moment."""
        for _ in range(_REPLACE_TRIES - 1):
            with suppress(PermissionError):
                temporary.replace(target)
                return
            time.sleep(0.05)
        temporary.replace(target)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _replace(temporary: Path, target: Path) -> None:
        temporary.replace(target)
