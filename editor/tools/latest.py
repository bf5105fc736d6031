"""Work in the background of which only the newest counts: previews while something is dragged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from editor.system.background import Background
from inference.errors import EditorError


class Latest:
    """Runs one piece of work at a time; what is asked for meanwhile waits, and only the newest of it."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._running: object | None = None
        self._waiting: tuple[Callable[[], Any], Callable[[Any], None]] | None = None

    def ask(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Call `work` on a pool thread and `done` with its result, unless `stop` is called before."""
        if self._running is not None:
            self._waiting = (work, done)
            return
        ticket = self._running = object()

        def finish(result: Any) -> None:
            if self._running is ticket:
                done(result)
                self._go_on()

        def fail(error: EditorError) -> None:
            del error  # the same work fails again, and is reported, when it is done in earnest
            if self._running is ticket:
                self._go_on()

        self._background.run(work, finish, fail)

    def stop(self) -> None:
        """Nothing that was asked for is wanted any more."""
        self._running = self._waiting = None

    def _go_on(self) -> None:
        waiting, self._running, self._waiting = self._waiting, None, None
        if waiting is not None:
            self.ask(*waiting)
