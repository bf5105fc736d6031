"""Starting a process while no thread is within OpenCV's loader.

While it loads, its own folder stands first on the module path, with a `typing` of its own in it: a process
that starts with such a path ends at once.
"""

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType

_PATIENCE_S = 10.0  # a loader that failed leaves its mark
_OPENCV = "cv2"


class _Gate:
    """A finder of modules that lets nobody begin to load OpenCV until it is opened, and finds none."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self._owner = threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
        del path, target
        if name == _OPENCV and threading.get_ident() != self._owner:
            self.opened.wait(_PATIENCE_S)


@contextmanager
def settled_path() -> Generator[None]:
    """To start a process in: who loads OpenCV has ended before, who begins to waits until after."""
    gate = _Gate()
    sys.meta_path.insert(0, gate)
    try:
        end = time.monotonic() + _PATIENCE_S
        while _is_loading() and time.monotonic() < end:
            time.sleep(0.01)
        yield
    finally:
        sys.meta_path.remove(gate)
        gate.opened.set()


def _is_loading() -> bool:
    """Whether a thread has begun to load OpenCV, and its folder is on the path or will be."""
    module = sys.modules.get(_OPENCV)
    spec = getattr(module, "__spec__", None)
    return hasattr(sys, "OpenCV_LOADER") or bool(getattr(spec, "_initializing", False))
