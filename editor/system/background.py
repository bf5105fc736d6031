"""Work on other threads whose result comes back to the thread that asked."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from editor.system.workers import Workers
from inference.errors import EditorError
from inference.reasons import reason_of
from inference.relay import relay


class Background(QObject):
    """Runs functions on threads; `done` or `failed` is called on this object's thread, once each.

    Neither is called after this object has ended. What was asked for is let go as soon as it is answered.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        relay()  # made here, on the event loop's thread
        self._pool = Workers("background")
        self._queue = Workers("background-queue", most=1)
        self._tasks: set[Task] = set()
        for workers in (self._pool, self._queue):
            weakref.finalize(self, workers.close).atexit = False

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    def run(
        self,
        function: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[EditorError], None],
        *,
        in_order: bool = False,
        kept: bool = False,
    ) -> Task:
        """Call `function` on another thread; it must not touch QObjects of this thread.

        Those `in_order` run one after another, as they came: of several writes the last one stays. `close`
        waits for them, and for what else is `kept`.
        """
        task = Task(self, self._queue if in_order else self._pool, function, done, failed)
        task.kept = kept or in_order
        self._tasks.add(task)
        task.workers.add(task.work)
        return task

    def forget(self, task: Task) -> None:
        """It was answered or cancelled."""
        self._tasks.discard(task)

    def wait(self, timeout_ms: int = -1) -> bool:
        """Wait until nothing runs; the callbacks come with the next turn of the event loop.

        Returns:
            Whether nothing runs: False if it took longer than `timeout_ms`; -1 is for ever.
        """
        until = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
        for workers in (self._queue, self._pool):
            if not workers.wait(None if until is None else max(0.0, until - time.monotonic())):
                return False
        return True

    def close(self, timeout_ms: int) -> bool:
        """The end: what only reads or computes is given up, and so long is waited for the rest.

        Returns:
            Whether all that is kept is done; its callbacks come with the next turn of the event loop.
        """
        for task in tuple(self._tasks):
            if not task.kept:
                task.cancel()
        return self.wait(timeout_ms)


class Task:
    """One call that was asked for."""

    def __init__(
        self,
        background: Background,
        workers: Workers,
        function: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[EditorError], None],
    ) -> None:
        self.workers = workers
        self.kept = False
        self._background: Callable[[], Background | None] = weakref.ref(background)
        self._function: Callable[[], Any] | None = function
        self._answers: tuple[Callable[[Any], None], Callable[[EditorError], None]] | None = (done, failed)
        self._result: Any = None
        self._error: BaseException | None = None
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether it was answered or cancelled."""
        return self._is_over

    def cancel(self) -> None:
        """Neither of its callbacks is called; a function that runs already is left to itself."""
        if not self._is_over:
            self._take_answers()
            if self.workers.give_up(self.work):
                self._let_go()

    def work(self) -> None:
        """On the other thread."""
        function = self._function
        assert function is not None, "let go only after this"
        try:
            self._result = function()
        except BaseException as error:  # noqa: BLE001 - carried to the asking thread, which sorts it out
            self._error = error
        finally:
            # what it holds may belong to the asking thread, which has to be the last to let it go
            del function
            relay().post_to(self._background, self._answer, self._let_go)

    def _answer(self) -> None:
        answers = self._take_answers()
        result, error = self._result, self._error
        self._let_go()
        if answers is None:
            return
        done, failed = answers
        if error is None:
            done(result)
        elif isinstance(error, EditorError):
            failed(error)
        else:
            sys.excepthook(type(error), error, error.__traceback__)
            failed(EditorError("Something went wrong inside Attune.", "{detail}", detail=reason_of(error)))

    def _take_answers(self) -> tuple[Callable[[Any], None], Callable[[EditorError], None]] | None:
        self._is_over = True
        answers, self._answers = self._answers, None
        background = self._background()
        if background is not None:
            background.forget(self)
        return answers

    def _let_go(self) -> None:
        self._function = self._result = self._error = self._answers = None
