"""SIGINT, SIGTERM and SIGHUP end the session as closing it would, but for questions that nobody answers."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class SignalWatch(QObject):
    """Calls `end(number)` on the event loop at the first signal; a second one has its usual effect.

    Python runs its handlers between two of its own instructions, and there may be none for long while Qt
    waits. So the number also goes through a socket that Qt waits for.
    """

    def __init__(self, end: Callable[[int], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._end = end
        self._receiver, self._sender = socket.socketpair()
        for one in (self._receiver, self._sender):
            one.setblocking(False)
        self._notifier = QSocketNotifier(self._receiver.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_wakeup)
        self._old_wakeup = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._old = {number: signal.signal(number, _nothing) for number in heeded}

    def close(self) -> None:
        """Put everything back."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        self._notifier.setEnabled(False)
        self._receiver.close()
        self._sender.close()

    def _on_wakeup(self) -> None:
        for number in self._receiver.recv(64):
            if number in self._old:
                for handled in self._old:
                    signal.signal(handled, signal.SIG_DFL)
                self._end(number)
                return


def _nothing(number: int, frame: FrameType | None) -> None:
    """A handler must be there for the wake-up to come."""
    del number, frame
