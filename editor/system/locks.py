"""Locks on open files that end with the process, however it ends."""

import sys
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    def take_lock(file: BinaryIO, *, wait: bool) -> None:
        """Lock a file until it is closed, or raise an OSError."""
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def take_lock(file: BinaryIO, *, wait: bool) -> None:
        """Lock a file until it is closed, or raise an OSError."""
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
