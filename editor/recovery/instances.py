"""A folder for each running Attune, locked as long as it runs; those that nobody locks are leftovers.

The system frees a lock when its process dies, however it dies, and no other process can take its place as it
could take a process number. Number and start time are in the file for people who look.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from editor.system.atomic import writing_error
from editor.system.locks import take_lock

LOCK = "lock"
DAMAGED = "damaged"


class Instance:
    """A folder under `root` that this process holds."""

    def __init__(self, folder: Path, lock: BinaryIO) -> None:
        self.folder = folder
        self._lock = lock

    @classmethod
    def begin(cls, root: Path) -> Instance:
        """A new folder of this process.

        Raises:
            WritingError: it cannot be made or locked.
        """
        folder = root / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _entry(root):
                folder.mkdir(mode=0o700)
                lock = (folder / LOCK).open("w+b")
                take_lock(lock, wait=False)
            lock.write(json.dumps({"pid": os.getpid(), "started": time.time()}).encode())
            lock.flush()
        except OSError as error:
            raise writing_error(folder, error) from error
        return cls(folder, lock)

    def new_document(self) -> Path:
        """A place for one document; not made yet."""
        return self.folder / uuid.uuid4().hex

    def documents(self) -> tuple[Path, ...]:
        """The folders of the documents in it."""
        with suppress(OSError):
            return tuple(sorted(path for path in self.folder.iterdir() if path.is_dir()))
        return ()

    def end(self) -> None:
        """Let go; the folder goes too if no document is in it."""
        self._lock.close()
        if not self.documents():
            shutil.rmtree(self.folder, ignore_errors=True)


def claim_leftovers(root: Path) -> list[Instance]:
    """The folders whose process is gone, held by this one from now on."""
    if not root.is_dir():
        return []
    with _entry(root):
        found = [_claimed(path) for path in sorted(root.iterdir()) if path.is_dir() and path.name != DAMAGED]
    return [instance for instance in found if instance is not None]


def _claimed(folder: Path) -> Instance | None:
    with suppress(OSError):
        lock = (folder / LOCK).open("a+b")
        try:
            take_lock(lock, wait=False)
        except OSError:
            lock.close()
        else:
            return Instance(folder, lock)
    return None


@contextmanager
def _entry(root: Path) -> Generator[None]:
    """One process at a time makes or claims folders: a folder is never seen before its lock is taken."""
    with (root / LOCK).open("a+b") as lock:
        take_lock(lock, wait=True)
        yield
