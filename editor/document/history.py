"""The undo history of one document: plain values in a list, and where in it the document stands.

Its methods are named as QUndoStack's are. That class is not used because it owns its commands in C++ while
Python refers to them and they to the document: when such a ring is collected, memory is freed twice. Nor
can it drop its oldest steps by bytes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from editor.document.held_bytes import HeldBytes
from editor.layers.state import DocumentState

STEPS = 1000
MEMORY_BYTES = 512 * 2**20


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: undo shows `before`, redo `after`. Steps of one `merge_key` in a row become one."""

    text: str
    before: DocumentState
    after: DocumentState
    merge_key: str = ""


class History(QObject):
    """The steps from the oldest to the newest; those from `index()` on are undone.

    `swap` (a bound method, held weakly) puts a state into the document. It keeps `limit_bytes` at most
    beyond what the present state holds; the oldest steps go first, the newest stays.
    """

    indexChanged = Signal(int)  # noqa: N815
    canUndoChanged = Signal(bool)  # noqa: N815
    canRedoChanged = Signal(bool)  # noqa: N815
    cleanChanged = Signal(bool)  # noqa: N815
    steps_changed = Signal()  # steps came or went, or the text of one is another
    dropped = Signal(int)  # so many of the oldest steps went to save memory

    def __init__(self, swap: Callable[[DocumentState], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._swap: weakref.WeakMethod[Any] = weakref.WeakMethod(swap)
        self._steps: list[Step] = []
        self._index = 0
        self._clean: int | None = 0
        self._may_merge = False
        self._held = HeldBytes()
        self._shown = HeldBytes()
        self._counted: DocumentState | None = None  # the state in `_shown`
        self._limit_bytes = MEMORY_BYTES

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    @property
    def limit_bytes(self) -> int:
        return self._limit_bytes

    @limit_bytes.setter
    def limit_bytes(self, limit: int) -> None:
        self._limit_bytes = limit
        self._trim()

    @property
    def bytes(self) -> int:
        """Bytes that the steps hold beyond what the present state does; what is shared counts once."""
        return self._held.total - self._shown_bytes() if self._steps else 0

    def count(self) -> int:
        return len(self._steps)

    def index(self) -> int:
        """How many steps are done."""
        return self._index

    def text(self, index: int) -> str:
        return self._steps[index].text

    def canUndo(self) -> bool:
        return self._index > 0

    def canRedo(self) -> bool:
        return self._index < len(self._steps)

    def undoText(self) -> str:
        return self._steps[self._index - 1].text if self.canUndo() else ""

    def redoText(self) -> str:
        return self._steps[self._index].text if self.canRedo() else ""

    def isClean(self) -> bool:
        """Whether the document is as it was saved."""
        return self._clean == self._index

    def cleanIndex(self) -> int:
        """The step at which it was saved, or -1."""
        return -1 if self._clean is None else self._clean

    def push(self, step: Step) -> None:
        """Do a step; what was undone is gone for good."""
        before = self._flags()
        self._forget(self._index, len(self._steps))
        if self._clean is not None and self._clean > self._index:
            self._clean = None
        if self._merges(step):
            last = self._steps[-1]
            self._replace_last(replace(step, before=last.before))
        else:
            self._append(step)
        self._may_merge = True
        self._show(step.after)
        self._trim()
        self.steps_changed.emit()
        self._announce(before)

    def undo(self) -> None:
        self.setIndex(self._index - 1)

    def redo(self) -> None:
        self.setIndex(self._index + 1)

    def setIndex(self, index: int) -> None:
        """Go to the state in which `index` steps are done, at once; out of range goes to the end."""
        index = max(0, min(index, len(self._steps)))
        if index == self._index:
            return
        before = self._flags()
        self._may_merge = False  # what follows is another act
        state = self._steps[index].before if index < self._index else self._steps[index - 1].after
        self._index = index
        self._show(state)
        self._announce(before)

    def setClean(self) -> None:
        """The present state is the saved one."""
        self._mark(self._index)

    def resetClean(self) -> None:
        """No state of the history is saved anywhere."""
        self._mark(None)

    # inside

    def _present(self) -> DocumentState:
        return self._steps[self._index - 1].after if self._index else self._steps[0].before

    def _shown_bytes(self) -> int:
        """Bytes of the present state."""
        old, self._counted = self._counted, self._present()
        if old is not self._counted:
            self._shown.add(self._counted)
            if old is not None:
                self._shown.remove(old)
        return self._shown.total

    def _merges(self, step: Step) -> bool:
        return (
            bool(step.merge_key)
            and self._may_merge
            and self._index > 0
            and not self.isClean()
            and self._steps[-1].merge_key == step.merge_key
        )

    def _append(self, step: Step) -> None:
        self._steps.append(step)
        self._hold(step)
        self._index = len(self._steps)
        surplus = len(self._steps) - STEPS
        if surplus > 0:
            self._drop_oldest(surplus)

    def _replace_last(self, step: Step) -> None:
        self._hold(step)
        self._release(self._steps[-1])
        self._steps[-1] = step

    def _trim(self) -> None:
        """Drop what the limit asks for: the oldest done steps, then the farthest undone ones."""
        if not self._steps:
            return
        shown = self._shown_bytes()
        count = 0
        while self._held.total - shown > self._limit_bytes and len(self._steps) > 1:
            count += 1
            if self._index > 1 or self._index == len(self._steps):
                self._drop_oldest(1)
            else:
                self._forget(len(self._steps) - 1, len(self._steps))
        if count:
            self.dropped.emit(count)
            self.steps_changed.emit()

    def _drop_oldest(self, count: int) -> None:
        self._forget(0, count)
        self._index -= count
        if self._clean is not None:
            self._clean = self._clean - count if self._clean >= count else None

    def _forget(self, start: int, end: int) -> None:
        for step in self._steps[start:end]:
            self._release(step)
        del self._steps[start:end]

    def _hold(self, step: Step) -> None:
        self._held.add(step.before)
        self._held.add(step.after)

    def _release(self, step: Step) -> None:
        self._held.remove(step.before)
        self._held.remove(step.after)

    def _show(self, state: DocumentState) -> None:
        swap = self._swap()
        if swap is not None:
            swap(state)

    def _mark(self, clean: int | None) -> None:
        before = self._flags()
        self._clean = clean
        self._announce(before)

    def _flags(self) -> tuple[int, bool, bool, bool]:
        return self._index, self.canUndo(), self.canRedo(), self.isClean()

    def _announce(self, before: tuple[int, bool, bool, bool]) -> None:
        signals: tuple[Any, ...] = (
            self.indexChanged,
            self.canUndoChanged,
            self.canRedoChanged,
            self.cleanChanged,
        )
        for signal, old, new in zip(signals, before, self._flags()):
            if old != new:
                signal.emit(new)
