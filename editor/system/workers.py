"""Threads that never keep the process from ending.

Qt's pool waits for its threads when it ends, and Python's for its own at exit: a file that is read for ever
(a pipe that nobody writes to) would hold the window for ever. These are daemons, and what they do can be
given up.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]

LINGER_S = 5.0  # an idle thread waits so long for more
FEWEST = 4  # threads: most of what waits waits for a disk
_LAST_WAIT_S = 1.0

_running_anywhere: set[Work] = set()
_everybody = threading.Condition()


class Workers:
    """Runs work that raises nothing, in the order it came, on at most so many threads at once.

    Args:
        name: of the threads.
        most: threads; None is as many as there are cores, and at least four.
    """

    def __init__(self, name: str, most: int | None = None) -> None:
        self._name = name
        self._most = max(FEWEST, os.cpu_count() or 1) if most is None else most
        self._changed = threading.Condition()
        self._waiting: deque[Work] = deque()
        self._running: set[Work] = set()
        self._threads = 0
        self._idle = 0
        self._closed = False
        _all.add(self)

    def add(self, work: Work) -> None:
        """Have `work` called on a thread; after `close` nothing is."""
        with self._changed:
            if self._closed:
                return
            self._waiting.append(work)
            self._start_threads()
            self._changed.notify_all()

    def give_up(self, work: Work) -> bool:
        """Nobody waits for `work` any more: it does not begin, or runs on beside the threads that count.

        Returns:
            Whether it had not begun.
        """
        with self._changed:
            waited = work in self._waiting
            if waited:
                self._waiting.remove(work)
            elif work in self._running:
                self._running.discard(work)
                self._threads -= 1  # another one takes its place
                self._start_threads()
            self._changed.notify_all()
            return waited

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing waits or runs; False if that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._running, timeout_s)

    def close(self) -> None:
        """Begin nothing more; threads end with what they run."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _start_threads(self) -> None:
        while len(self._waiting) > self._idle and self._threads < self._most:
            self._threads += 1
            self._idle += 1
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            work()
            if not self._ended(work):
                return

    def _next(self) -> Work | None:
        """The next work; None for a thread that is not needed any more."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closed, LINGER_S)
            self._idle -= 1
            if not self._waiting:
                self._threads -= 1
                return None
            work = self._waiting.popleft()
            self._running.add(work)
        with _everybody:
            _running_anywhere.add(work)
        return work

    def _ended(self, work: Work) -> bool:
        """Whether the thread still counts."""
        with _everybody:
            _running_anywhere.discard(work)
            _everybody.notify_all()
        with self._changed:
            if work not in self._running:
                return False
            self._running.discard(work)
            self._idle += 1
            self._changed.notify_all()
            return True


_all: weakref.WeakSet[Workers] = weakref.WeakSet()


def anything_runs() -> bool:
    """Whether a thread of any workers is busy, with work given up or not."""
    with _everybody:
        return bool(_running_anywhere)


def _let_end() -> None:
    """A thread that returns from C++ while Python ends may end the process with a signal: give it time."""
    for workers in tuple(_all):
        workers.close()
    with _everybody:
        _everybody.wait_for(lambda: not _running_anywhere, _LAST_WAIT_S)


atexit.register(_let_end)
