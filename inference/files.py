"""Writing a file so that its place never holds half of it, whatever happens to the process or the power.

    with atomic_write(path) as file:
        file.write(data)

What is kept of a file that is replaced: its mode (without set-user-id and set-group-id), and where the system
allows it owner, group, access list and extended attributes; links that lead to it; its other names (hard
links), see `_write_through`. What is not: birth time, inode number, flags such as "immutable", and attributes
that only root may set.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from inference.errors import EditorError, WritingError
from inference.messages import Message
from inference.reasons import reason_of

_STRAY_AGE_S = 2.0  # younger ones may be about to be locked
_LONGEST_NAME_BYTES = 200  # of 255 that file systems allow, with what is added
_REPLACE_TRIES = 20
_PRIVATE = 0o600

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # on Windows, with any ending

_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def unreserved(stem: str) -> str:
    """A file's name without ending that Windows takes for no device: "con" becomes "con_"."""
    return f"{stem}_" if _RESERVED.fullmatch(stem) else stem


def check_ordinary(path: Path) -> None:
    """Refuse what may never come to an end, or never begin: pipes, sockets and devices; links are followed.

    What is not there, and folders, are left to whoever opens them.

    Raises:
        EditorError: it is one of these.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise EditorError("“{path}” is no ordinary file.", "Choose another file.", path=path)


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """A file's bytes.

    Raises:
        EditorError: there are more of them, or it is a pipe or a device.
        OSError: the file cannot be read.
    """
    check_ordinary(path)
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise EditorError("“{name}” is too large.", name=path.name)
    return content


@contextmanager
def atomic_write(path: Path, *, private: bool = False, parents: bool = False) -> Generator[BinaryIO]:
    """A binary file beside `path` that takes its place when the block ends without an exception.

    The data are on the disk before the name changes, and the name is before this returns. On any failure
    `path` is as it was and nothing is left over; what a killed process left over is removed the next time.
    The file is made under a name that nobody can foresee, never through a link, and from its first byte only
    those may read it who may read `path`.

    Args:
        private: a new file is readable for its owner alone; else as the user's mask says.
        parents: make the folder as well.

    Raises:
        WritingError: the folder is missing or read-only, the disk is full, or `path` is no ordinary file.
    """
    temporary: Path | None = None
    try:
        if parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        target, old = _target_of(path)
        remove_strays(target)
        temporary, file = _create_beside(target, _PRIVATE if private or old is not None else 0o666)
        with file:
            if old is not None:
                _take_rights(file, target, old)
            yield file
            file.flush()
            sync_file(file)
        if old is not None and old.st_nlink > 1:
            _write_through(temporary, target)
        else:
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
    hint = Message("Is the drive connected, and the folder there? Choose another place.")
    if error.errno in _SPACE:
        hint = Message("Free some space, or choose another place.")
    elif error.errno in _REFUSED:
        hint = Message("You may not write there: choose another folder.")
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
    name = os.fsencode(target.name)[:_LONGEST_NAME_BYTES]
    try:
        target.name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8, and may be cut anywhere
        return f".{os.fsdecode(name)}."
    return f".{name.decode(errors='ignore')}."


def _target_of(path: Path) -> tuple[Path, os.stat_result | None]:
    """Where links lead, and what is there: a link keeps pointing at the file that it points at.

    Raises:
        OSError: links in a circle.
        WritingError: a pipe, a device or a folder: it is neither replaced nor written to.
    """
    try:
        target = path.resolve()
    except RuntimeError as error:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
    except ValueError as error:  # a character that no name may have
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from error
    try:
        old = target.lstat()
    except FileNotFoundError:
        return target, None
    if stat.S_ISDIR(old.st_mode):
        raise WritingError("“{path}” is a folder.", "Name a file in it.", path=path)
    if not stat.S_ISREG(old.st_mode):
        raise WritingError(
            "“{path}” is a pipe, a device or a link to one.", "Choose another name.", path=path
        )
    return target, old


def _create_beside(target: Path, mode: int) -> tuple[Path, BinaryIO]:
    """A new file that is locked as long as it is open: nobody takes it for a leftover."""
    path = target.with_name(f"{_prefix(target)}{secrets.token_hex(8)}.part")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags, mode), "w+b")  # the system takes off the user's mask
    with suppress(OSError):  # some network drives have no locks
        _lock(file)
    return path, file


def _remove_if_stray(path: Path) -> None:
    with suppress(OSError):
        if time.time() - path.lstat().st_mtime < _STRAY_AGE_S:
            return
        with os.fdopen(os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)), "rb+") as file:
            _lock(file)
        path.unlink()


def _take_rights(file: BinaryIO, target: Path, old: os.stat_result) -> None:
    """Give a new, still empty and private file the rights of the one that it will replace."""
    if sys.platform == "win32":
        return
    mode = stat.S_IMODE(old.st_mode) & 0o777
    try:
        os.fchown(file.fileno(), old.st_uid, old.st_gid)
    except OSError:  # another group's rights would go to the user's own
        with suppress(OSError):
            os.fchown(file.fileno(), -1, old.st_gid)
        if os.fstat(file.fileno()).st_gid != old.st_gid:
            mode &= ~0o070 | (mode & 0o007) << 3
    with suppress(OSError):
        os.fchmod(file.fileno(), mode)
    if sys.platform == "linux":
        _take_attributes(file, target)


def _write_through(temporary: Path, target: Path) -> None:
    """Give a file with several names its new content under all of them.

    That cannot be done in one step. Until it is done the whole new file lies beside the old one under a name
    of its own, which is left when the process is killed meanwhile.

    Raises:
        WritingError: the disk is full, or the file may not be written; the new file is left and named.
    """
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    whole = target.with_name(f"{temporary.name[1:].removesuffix('.part')}.whole")
    with os.fdopen(os.open(target, flags), "rb+") as file:
        temporary.replace(whole)
        sync_folder(target.parent)
        try:
            with whole.open("rb") as new:
                shutil.copyfileobj(new, file, 2**20)
            file.truncate()
            file.flush()
            sync_file(file)
        except OSError as error:
            raise WritingError(
                "“{path}” has other names (hard links) and could be written in part only: {reason}.",
                "The whole new file is “{whole}”.",
                path=target,
                reason=reason_of(error),
                whole=whole,
            ) from error
    whole.unlink()


if sys.platform == "linux":

    def _take_attributes(file: BinaryIO, target: Path) -> None:
        """Access lists are attributes as well; some are root's, or not for this file system."""
        with suppress(OSError):
            for name in os.listxattr(target):
                with suppress(OSError):
                    os.setxattr(file.fileno(), name, os.getxattr(target, name))


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
