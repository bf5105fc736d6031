"""What earlier runs left when they ended without saving: found, restored or discarded on request."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from editor.recovery.instances import DAMAGED, Instance, claim_leftovers
from editor.recovery.store import MANIFEST, THUMBNAIL, Snapshot, Store, Summary, summary_of
from editor.system.atomic import remove_strays
from editor.system.background import Background
from inference.errors import EditorError
from inference.messages import Message


@dataclass(frozen=True, eq=False)
class Leftover:
    """A document of another run. `thumbnail` may be null."""

    summary: Summary
    store: Store
    thumbnail: QImage = field(repr=False)
    file_is_newer: bool  # its project file was written after this


@dataclass
class Found:
    """What a look at the recovery folder gave."""

    instances: list[Instance]
    leftovers: list[Leftover]
    problems: list[Message]  # sentences on what is damaged, or was dropped for its size


class Leftovers(QObject):
    """Holds the leftovers that nobody decided on, newest first; files are touched on `background`."""

    changed = Signal()
    restored = Signal(object, object, tuple)  # Snapshot, Store (at its new place), notes
    problem = Signal(object)  # Message
    failed = Signal(object)  # EditorError

    def __init__(
        self,
        root: Path,
        background: Background,
        new_place: Callable[[], Path],
        most_bytes: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._root = root
        self._background = background
        self._new_place = new_place
        self._most_bytes = most_bytes
        self._instances: list[Instance] = []
        self._leftovers: list[Leftover] = []

    @property
    def all(self) -> tuple[Leftover, ...]:
        return tuple(self._leftovers)

    def look(self) -> None:
        """Find what is there; `changed` comes if there is something."""
        most_bytes = self._most_bytes()
        self._run(lambda: find(self._root, most_bytes), self._on_found)

    def restore(self, leftover: Leftover) -> None:
        """Read a document; its files belong to this run from now on, so nothing is lost on the way."""
        if leftover not in self._leftovers:
            return
        self._drop(leftover)

        def done(result: tuple[Snapshot, tuple[Message, ...]]) -> None:
            snapshot, notes = result
            if leftover.file_is_newer:  # saving must not replace what is newer
                snapshot = replace(snapshot, path=None)
                notes = (*notes, self._newer_text(leftover.summary))
            self.restored.emit(snapshot, leftover.store, notes)

        work = partial(_restore, leftover.store, self._new_place, self._root)
        self._run(work, done)

    def discard(self, leftover: Leftover) -> None:
        """Delete a document's files."""
        if leftover in self._leftovers:
            self._drop(leftover)
            self._run(leftover.store.remove, _nothing_more)

    def postpone(self) -> None:
        """Leave everything as it is, for the next start or another window."""
        self._leftovers.clear()
        self.close()
        self.changed.emit()

    def close(self) -> None:
        """Let go of the folders; those without documents are deleted."""
        self._background.wait()
        for instance in self._instances:
            instance.end()
        self._instances.clear()

    def _run(self, work: Callable[[], object], done: Callable[..., None]) -> None:
        self._background.run(work, done, self.failed.emit, in_order=True)

    def _newer_text(self, summary: Summary) -> Message:
        return Message(
            "“{title}” was saved after this work was kept, so it is opened as a copy.", title=summary.title
        )

    def _drop(self, leftover: Leftover) -> None:
        self._leftovers.remove(leftover)
        self.changed.emit()

    def _on_found(self, found: Found) -> None:
        self._instances += found.instances
        self._leftovers += found.leftovers
        for text in found.problems:
            self.problem.emit(text)
        if found.leftovers:
            self.changed.emit()


def find(root: Path, most_bytes: int) -> Found:
    """Claim the folders of runs that are gone; sort out what is in them. Any thread."""
    found = Found([], [], [])
    try:
        claimed = claim_leftovers(root)
    except OSError:
        return found  # an unreadable folder; writing to it says why
    for instance in claimed:
        leftovers = [item for folder in instance.documents() if (item := _read(root, folder, found.problems))]
        if leftovers:
            found.instances.append(instance)
            found.leftovers += leftovers
        else:
            instance.end()
    found.leftovers.sort(key=lambda item: item.summary.saved_at, reverse=True)
    _bound(found, most_bytes)
    _bound_damaged(root / DAMAGED, most_bytes)
    return found


def _read(root: Path, folder: Path, problems: list[Message]) -> Leftover | None:
    if not (folder / MANIFEST).exists():  # a first write that was not finished, or the last of a removal
        shutil.rmtree(folder, ignore_errors=True)
        return None
    try:
        summary = summary_of(folder)
    except EditorError as error:
        problems.append(_set_aside(root, folder, error))
        return None
    newer = False
    if summary.path is not None:
        remove_strays(summary.path)
        with suppress(OSError):
            newer = summary.path.stat().st_mtime > summary.saved_at
    thumbnail = QImage(str(folder / THUMBNAIL)) if (folder / THUMBNAIL).is_file() else QImage()
    return Leftover(summary, Store(folder), thumbnail, newer)


def _set_aside(root: Path, folder: Path, error: EditorError) -> Message:
    """Move a document that cannot be read where a person can look at it; the sentence that says so."""
    aside = root / DAMAGED / f"{time.strftime('%Y%m%d-%H%M%S')}-{folder.name}"
    try:
        aside.parent.mkdir(exist_ok=True)
        folder.rename(aside)
    except OSError:
        aside = folder
    return Message(
        "Unsaved work of an earlier session cannot be restored: {reason} Its files are in “{folder}”.",
        reason=error.sentence,
        folder=aside,
    )


def _restore(store: Store, new_place: Callable[[], Path], root: Path) -> tuple[Snapshot, tuple[Message, ...]]:
    store.moved(new_place())
    try:
        return store.load()
    except EditorError as error:
        raise EditorError(_set_aside(root, store.folder, error)) from error


def _bound(found: Found, most_bytes: int) -> None:
    """Let the oldest go beyond the limit, and say so."""
    held = 0
    for leftover in tuple(found.leftovers):
        held += _bytes_in(leftover.store.folder)
        if held > most_bytes and leftover is not found.leftovers[0]:
            found.leftovers.remove(leftover)
            leftover.store.remove()
            found.problems.append(
                Message(
                    "Unsaved work of “{title}” was deleted: recovery takes too much room.",
                    title=leftover.summary.title,
                )
            )


def _bound_damaged(folder: Path, most_bytes: int) -> None:
    if not folder.is_dir():
        return
    held = 0
    for path in sorted(folder.iterdir(), reverse=True):  # the newest first, by their names
        held += _bytes_in(path)
        if held > most_bytes:
            shutil.rmtree(path, ignore_errors=True)


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _nothing_more(_result: object) -> None:
    """What is to be done once files are gone."""
