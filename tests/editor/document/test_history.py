"""The undo history: jumping, merging, what is saved, and that its end never takes the process along."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from editor.commands import SetLayerProperty, push
from editor.document.document import Document
from editor.document.history import History, Step
from editor.layers.state import DocumentState


class Shown:
    def __init__(self) -> None:
        self.state = DocumentState(width=1, height=1)

    def swap(self, state: DocumentState) -> None:
        self.state = state


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown()


@pytest.fixture
def history(shown: Shown) -> History:
    return History(shown.swap)


def go(history: History, shown: Shown, width: int, merge_key: str = "") -> None:
    after = replace(shown.state, width=width)
    history.push(Step(text=f"to {width}", before=shown.state, after=after, merge_key=merge_key))


def test_it_jumps_to_any_step_at_once(history: History, shown: Shown) -> None:
    for width in (2, 3, 4, 5):
        go(history, shown, width)
    told: list[int] = []
    history.indexChanged.connect(told.append)
    history.setIndex(1)
    assert shown.state.width == 2
    history.setIndex(4)
    assert shown.state.width == 5
    history.setIndex(-7)
    assert (shown.state.width, history.canUndo(), history.redoText()) == (1, False, "to 2")
    assert told == [1, 4, 0]


def test_a_step_after_undo_takes_the_undone_ones_away(history: History, shown: Shown) -> None:
    for width in (2, 3, 4):
        go(history, shown, width)
    history.setIndex(1)
    go(history, shown, 9)
    assert [step.text for step in history.steps] == ["to 2", "to 9"]
    assert not history.canRedo()


def test_a_gesture_is_one_step_unless_something_came_between(history: History, shown: Shown) -> None:
    for width in (2, 3, 4):
        go(history, shown, width, "drag")
    assert [step.text for step in history.steps] == ["to 4"]
    history.undo()
    assert shown.state.width == 1
    history.redo()
    go(history, shown, 5, "drag")
    assert history.count() == 2
    history.setClean()
    go(history, shown, 6, "drag")
    assert history.count() == 3
    history.undo()
    assert history.isClean()


def test_the_saved_step_is_lost_with_the_branch_it_was_on(history: History, shown: Shown) -> None:
    go(history, shown, 2)
    history.setClean()
    history.undo()
    assert not history.isClean()
    go(history, shown, 3)
    assert history.cleanIndex() == -1
    history.undo()
    assert not history.isClean()


def test_signals_tell_what_differs(history: History, shown: Shown) -> None:
    told: list[tuple[str, Any]] = []
    for name in ("canUndoChanged", "canRedoChanged", "cleanChanged"):
        getattr(history, name).connect(lambda value, name=name: told.append((name, value)))
    go(history, shown, 2)
    assert told == [("canUndoChanged", True), ("cleanChanged", False)]
    told.clear()
    go(history, shown, 3)
    assert told == []
    history.undo()
    assert told == [("canRedoChanged", True)]


def test_at_most_a_thousand_steps_are_kept(history: History, shown: Shown) -> None:
    for width in range(2, 1010):
        go(history, shown, width)
    assert (history.count(), history.index()) == (1000, 1000)
    history.setIndex(0)
    assert shown.state.width == 9


SCRIPT = """
import gc
import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent
from editor.commands import SetLayerProperty, push
from editor.document.document import Document
from editor.layers.layer import Layer
application = QCoreApplication([])
for turn in range(40):
    documents = []
    for which in range(3):
        document = Document.from_layer(Layer.of_pixels(name="a", pixels=np.zeros((8, 8, 3), np.uint8)))
        document.undo_memory_bytes = 2000
        for index in range(12):
            push(document, SetLayerProperty(document, document.layers[0].id, "opacity", index / 12))
        document.undo_stack.undo()
        ring = [document, document.undo_stack, document.undo_stack.steps]
        ring.append(ring)
        documents.append(document)
        if which:
            document.deleteLater()
    del document, ring, documents
    gc.collect(turn % 3)
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
print("alive")
"""


def test_closed_documents_are_collected_without_harm() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr


def test_a_history_holds_no_objects_of_qt(qtbot: QtBot) -> None:
    """Its steps are plain values: nothing that Qt could delete under Python's hands."""
    from tests.editor.samples import generated

    document: Document = generated()
    push(document, SetLayerProperty(document, document.layers[0].id, "visible", False))
    (step,) = document.undo_stack.steps
    assert type(step) is Step
    assert {type(value) for value in vars(step).values()} == {str, DocumentState}
