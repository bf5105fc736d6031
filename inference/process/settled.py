"""Starting a process while no thread is within OpenCV's loader.

While it loads, its own folder stands first on the module path, with a `typing` of its own in it: a process
that starts with such a path ends at once.
"""

import importlib
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_PATIENCE_S = 10.0  # a loader that failed leaves its mark
_LONGEST_S = 120.0  # one that never ends
_OPENCV = "cv2"


class _Gate:
    """A finder of modules that lets nobody begin to load OpenCV until it is opened, and finds none.

    Its loader asks for it once more on the way: who has begun is waited for, and is let through.
    """

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.kept: set[int] = {threading.get_ident()}  # threads that are not within its loader
        self._owner = threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
        del path, target
        if name == _OPENCV and threading.get_ident() != self._owner and not _is_marked():
            self.kept.add(threading.get_ident())
            self.opened.wait(_PATIENCE_S)
            self.kept.discard(threading.get_ident())


@contextmanager
def settled_path() -> Generator[None]:
    """To start a process in: who loads OpenCV has ended before, who begins to waits until after."""
    gate = _Gate()
    sys.meta_path.insert(0, gate)
    try:
        _wait(gate)
        yield
    finally:
        sys.meta_path.remove(gate)
        gate.opened.set()


def _wait(gate: _Gate) -> None:
    """Until nobody loads it: as long as a thread is at it, which on a busy machine may be long."""
    begun = seen = time.monotonic()
    while (at_work := _is_at_work(gate)) or _is_marked():
        now = time.monotonic()
        seen = now if at_work else seen
        if now - seen > _PATIENCE_S or now - begun > _LONGEST_S:
            return
        time.sleep(0.01)


def _is_marked() -> bool:
    """Whether its loader has begun; it takes that back at the end, but not where it fails."""
    return hasattr(sys, "OpenCV_LOADER")


def _is_at_work(gate: _Gate) -> bool:
    """Whether a thread loads OpenCV, whose folder is on the path or will be.

    Python's own lock says so from the beginning to the end. The module does not: its loader takes itself out
    of `sys.modules` for the longest part.
    """
    module = sys.modules.get(_OPENCV)
    locks: Any = getattr(importlib, "_bootstrap", None)
    known = getattr(locks, "_module_locks", {}).get(_OPENCV)
    owner = getattr(known() if known is not None else None, "owner", None)
    initializing = getattr(getattr(module, "__spec__", None), "_initializing", False)
    return bool(initializing) or (owner is not None and owner not in gate.kept)
