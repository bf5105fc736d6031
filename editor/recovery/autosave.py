"""Keeps what is not saved of every open document on disk, so that a crash costs seconds of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from editor.document.document import Document
from editor.layers.state import DocumentState
from editor.recovery.instances import Instance
from editor.recovery.schedule import BYTES_A_SECOND, Schedule
from editor.recovery.store import Snapshot, Store
from editor.system.background import Background
from inference.errors import EditorError

TICK_S = 1.0
Clock = Callable[[], float]


class Watched:
    """What is known of one open document."""

    def __init__(self, store: Store | None, written: DocumentState | None) -> None:
        self.store = store
        self.seen = written
        self.written = written
        self.writing = False
        self.schedule = Schedule()


class Autosave(QObject):
    """Looks at the open documents every second; writes those that changed, one at a time, on its own thread.

    Documents without unsaved changes have nothing on disk.
    """

    failed = Signal(object)  # EditorError, once until a write succeeds again
    written = Signal(object)  # Document

    def __init__(
        self,
        root: Path,
        bound_s: Callable[[], float],
        most_bytes: Callable[[], int],
        parent: QObject | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """`bound_s`: so many seconds of work may be lost; `most_bytes`: so much may be on disk."""
        super().__init__(parent)
        self._root = root
        self._bound_s = bound_s
        self._most_bytes = most_bytes
        self._clock = clock
        self._last_tick = clock()
        self._said = False
        self._instance: Instance | None = None
        self._watched: dict[Document, Watched] = {}
        self._background = Background(self)
        self._tick_s = TICK_S
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.tick)

    @property
    def background(self) -> Background:
        """Where recovery files are read and written, always `in_order`."""
        return self._background

    def start(self, tick_s: float = TICK_S) -> None:
        """Begin to look, every `tick_s`."""
        self._tick_s = tick_s
        self._timer.setInterval(round(tick_s * 1000))
        self._last_tick = self._clock()
        self._timer.start()

    def follow(self, document: Document, store: Store | None = None) -> None:
        """Look after a document that was opened; `store` has it already if it was restored from there."""
        self._watched[document] = Watched(store, document.state if store is not None else None)

    def forget(self, document: Document) -> None:
        """The document was closed: what was not saved was not wanted."""
        watched = self._watched.pop(document, None)
        if watched is not None:
            self._remove(watched)

    def tick(self) -> None:
        """Write what is due."""
        now = self._clock()
        for document, watched in self._watched.items():
            self._look_at(document, watched, now)
        self._last_tick = now

    def flush(self) -> None:
        """Write all changes now and wait for it: the session ends without asking anybody."""
        self._background.wait()
        for document, watched in self._watched.items():
            if document.modified and document.state is not watched.written:
                with suppress(EditorError):
                    self._store_of(watched).save(_snapshot(document), self._room(watched))

    def finish(self) -> None:
        """Stop; what is still modified is written and stays for the next start, everything else goes."""
        self._timer.stop()
        self.flush()
        for document, watched in self._watched.items():
            if not document.modified and watched.store is not None:
                watched.store.remove()
        self._watched.clear()
        if self._instance is not None:
            self._instance.end()
            self._instance = None

    def new_place(self) -> Path:
        """Where a leftover document of another run moves to. On the recovery thread or the GUI's.

        Raises:
            WritingError: this run has no folder.
        """
        return self._own_instance().new_document()

    def _look_at(self, document: Document, watched: Watched, now: float) -> None:
        if not document.modified:
            if watched.store is not None and not watched.writing:
                self._remove(watched)
            watched.schedule.changed_at = None
            watched.seen = document.state
            return
        unwritten = watched.written is None and not watched.writing and watched.schedule.changed_at is None
        if document.state is not watched.seen or unwritten:
            if unwritten:
                watched.schedule.expected_s = _raster_bytes(document.state) / BYTES_A_SECOND
            watched.seen = document.state
            watched.schedule.touch(now, self._last_tick)
        if not watched.writing and watched.schedule.due(now, self._bound_s(), self._tick_s):
            self._write(document, watched)

    def _write(self, document: Document, watched: Watched) -> None:
        snapshot, begun = _snapshot(document), self._clock()
        changed = watched.schedule.begun()
        watched.writing = True

        def work() -> None:
            self._store_of(watched).save(snapshot, self._room(watched))

        def done(_: object) -> None:
            watched.writing = False
            watched.written = snapshot.state
            watched.schedule.written(self._clock() - begun)
            self._said = False
            self.written.emit(document)

        def failed(error: EditorError) -> None:
            watched.writing = False
            watched.schedule.failed(changed, self._clock(), self._bound_s())
            if not self._said:
                self._said = True
                self.failed.emit(error)

        self._background.run(work, done, failed, in_order=True)

    def _room(self, watched: Watched) -> int:
        """Bytes that a document may still take: beside the others, and beside what it has."""
        held = sum(other.store.nbytes for other in tuple(self._watched.values()) if other.store is not None)
        return max(0, self._most_bytes() - held)

    def _store_of(self, watched: Watched) -> Store:
        if watched.store is None or not watched.store.folder.parent.is_dir():
            watched.store = Store(self._own_instance().new_document())
        return watched.store

    def _own_instance(self) -> Instance:
        if self._instance is None or not self._instance.folder.is_dir():
            self._instance = Instance.begin(self._root)
        return self._instance

    def _remove(self, watched: Watched) -> None:
        store, watched.store, watched.written = watched.store, None, None
        if store is not None:
            self._run(store.remove)
        elif watched.writing:  # its first write is under way and makes the store
            self._run(partial(_remove_store, watched))

    def _run(self, work: Callable[[], object]) -> None:
        self._background.run(work, lambda _: None, self.failed.emit, in_order=True)


def _remove_store(watched: Watched) -> None:
    if watched.store is not None:
        watched.store.remove()


def _snapshot(document: Document) -> Snapshot:
    return Snapshot(state=document.state, source=document.source, title=document.title, path=document.path)


def _raster_bytes(state: DocumentState) -> int:
    return sum(layer.raster.nbytes for layer in state.rasters())
