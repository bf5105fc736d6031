"""Calls from other threads that are carried out on the thread of Qt's event loop.

A signal emitted by another thread needs its object to be there, and a window, a test or an error may end it
at any moment. Here the object that signals lives as long as the process, and whom a call is meant for is
looked at where objects end: on the event loop's own thread.

Objects that hold each other end when Python looks for such garbage, and it does that on whatever thread makes
the next object. A timer or a window that another thread ends leaves events behind that nobody can take any
more, and the process ends with them. So, once there are other threads, garbage is looked for here alone.
"""

from __future__ import annotations

import atexit
import gc
import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
from shiboken6 import Shiboken

_GARBAGE_MS = 500  # between two looks

Owner: TypeAlias = Callable[[], QObject | None]  # a weak reference to one, called


class _Call(NamedTuple):
    owner: Owner
    function: Callable[[], None]
    gone: Callable[[], None]


def _nothing() -> None:
    pass


class Relay(QObject):
    """One for the process. Made, and its calls carried out, on the event loop's thread."""

    _due = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._calls: deque[_Call] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._due.connect(self._carry_out)
        self._look = QTimer(self, interval=_GARBAGE_MS)
        self._look.timeout.connect(collect_due)
        self._look_for_garbage()

    def post(self, owner: QObject, function: Callable[[], None], gone: Callable[[], None] = _nothing) -> None:
        """Have `function` called with the next turn of the event loop; `gone` if `owner` has ended by then.

        From any thread. Owner and function belong to the event loop's thread and are let go there.
        """
        self.post_to(weakref.ref(owner), function, gone)

    def post_to(
        self, owner: Owner, function: Callable[[], None], gone: Callable[[], None] = _nothing
    ) -> None:
        """The same for callers that must not keep the owner alive."""
        with self._lock:
            if not self._closed:
                self._calls.append(_Call(owner, function, gone))
                self._due.emit()

    def close(self) -> None:
        """Carry out nothing more: the interpreter ends, and this object with it."""
        with self._lock:
            self._closed = True
        self._look.stop()

    def _carry_out(self) -> None:
        """One call a signal, so that an exception of one is that one's."""
        self._look_for_garbage()
        call = self._calls.popleft()
        owner = call.owner()
        if owner is not None and Shiboken.isValid(owner):
            call.function()
        else:
            call.gone()

    def _look_for_garbage(self) -> None:
        """From now on here instead of on any thread; timers need an application."""
        if QCoreApplication.instance() is None:
            return
        gc.disable()
        if not self._look.isActive():
            self._look.start()


def collect_due() -> None:
    """What Python would collect by itself by now, by its own thresholds."""
    thresholds = gc.get_threshold()
    due = [at for at, count in enumerate(gc.get_count()) if thresholds[at] and count > thresholds[at]]
    if due:
        gc.collect(due[-1])


@lru_cache(maxsize=1)
def relay() -> Relay:
    """The process's relay; first asked for on the event loop's thread."""
    made = Relay()
    atexit.register(made.close)
    return made
