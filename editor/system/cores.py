"""How many cores a process may work on, where the system can say so."""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import suppress
from pathlib import Path


def limit_children(name: str, count: int | None) -> None:
    """Let the child processes of that name, with all their threads, work on so many cores; None is all of
    ours.

    Nothing happens where the system has no such thing.
    """
    if sys.platform != "linux":
        return
    cores = sorted(os.sched_getaffinity(0))
    for child in multiprocessing.active_children():
        if child.name != name or child.pid is None:
            continue
        with suppress(OSError):
            for thread in Path(f"/proc/{child.pid}/task").iterdir():
                with suppress(OSError):  # it ended just now
                    os.sched_setaffinity(int(thread.name), cores[:count])
