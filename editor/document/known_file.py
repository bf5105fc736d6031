"""What a document knows of its file, so that saving does not overwrite what somebody else wrote meanwhile."""

from __future__ import annotations

import os
import stat
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    pass


class Obstacle(Enum):
    """Why a file is not written without asking."""

    CHANGED = "changed"  # it is not what was opened or saved here
    READ_ONLY = "read-only"
    OPEN_ELSEWHERE = "open"  # another document here is saved to it


class FileMark(NamedTuple):
    """What tells a file from the one that another program puts in its place or writes to."""

    identity: int  # the system's number of the file, which a program that replaces it changes
    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> FileMark | None:
        """The mark of a file now, links followed; None if there is none or it cannot be looked at."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            return None
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)

    @classmethod
    def from_json(cls, values: object) -> FileMark | None:
        """A mark as JSON keeps it, a list of three whole numbers; None for anything else."""
        given = cast("list[object]", values) if isinstance(values, list) else []
        numbers = [value for value in given if isinstance(value, int)]
        return cls(*numbers) if len(numbers) == len(given) == len(cls._fields) else None


class KnownFile:
    """The file of a document.

    Its mark is renewed on the thread that writes, and read there: of several saves in a row each knows what
    the one before it wrote.
    """

    def __init__(self, path: Path, mark: FileMark | None = None) -> None:
        """`mark` is None for a file that this document has nothing to do with yet."""
        self.path = path
        self.mark = mark

    def renew(self) -> None:
        """It was just written."""
        self.mark = FileMark.of(self.path)

    def obstacle(self) -> Obstacle | None:
        """What speaks against writing it now; a file that is gone is nobody's loss."""
        now = FileMark.of(self.path)
        if now is None:
            return None
        if self.mark is not None and now != self.mark:
            return Obstacle.CHANGED
        return Obstacle.READ_ONLY if _is_read_only(self.path) else None


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by links or spelling."""
    if one == other:
        return True
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _is_read_only(path: Path) -> bool:
    """By the file's own rights: its folder's would let it be replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    by_rights = not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    return by_rights or (sys.platform != "win32" and not os.access(path, os.W_OK))
