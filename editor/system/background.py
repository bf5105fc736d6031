"""Work on pool threads whose result comes back to the thread that asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from inference.errors import EditorError


class Background(QObject):
    """Runs functions on a thread pool; `done` or `failed` is called on this object's thread, once each."""

    _finished = Signal(object, object, object)  # task, result, error

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._queue = QThreadPool(self)
        self._queue.setMaxThreadCount(1)
        self._tasks: set[_Task] = set()
        self._finished.connect(self._on_finished)

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
    ) -> None:
        """Call `function` on a pool thread; it must not touch QObjects of this thread.

        Those `in_order` run one after another, as they came: of several writes the last one stays.
        """
        task = _Task(function, done, failed, self._finished)
        self._tasks.add(task)
        (self._queue if in_order else self._pool).start(task)

    def wait(self, timeout_ms: int = -1) -> bool:
        """Wait until nothing runs; the callbacks come with the next turn of the event loop."""
        return self._queue.waitForDone(timeout_ms) and self._pool.waitForDone(timeout_ms)

    def _on_finished(self, task: _Task, result: Any, error: BaseException | None) -> None:
        self._tasks.discard(task)
        if error is None:
            task.done(result)
        elif isinstance(error, EditorError):
            task.failed(error)
        else:
            sys.excepthook(type(error), error, error.__traceback__)
            task.failed(EditorError("Something went wrong inside Attune.", "{detail}", detail=error))


class _Task(QRunnable):
    def __init__(
        self,
        function: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[EditorError], None],
        finished: Any,
    ) -> None:
        super().__init__()
        self.setAutoDelete(False)  # Python owns it; the set above keeps it alive
        self.done = done
        self.failed = failed
        self._function = function
        self._signal = finished

    def run(self) -> None:
        try:
            result = self._function()
        except BaseException as error:  # noqa: BLE001 - carried to the asking thread, which sorts it out
            self._signal.emit(self, None, error)
        else:
            self._signal.emit(self, result, None)
