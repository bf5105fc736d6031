"""Edits beside the GUI thread: in their order, one step each, recomputed when the document moved on."""

import threading
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from editor.commands import SetLayerProperty, push
from editor.controllers.edit_runner import EditRunner
from editor.layers.state import DocumentState
from editor.system.background import Background
from inference.errors import EditorError
from tests.editor.samples import generated


@pytest.fixture
def runner(qtbot: QtBot) -> EditRunner:
    made = EditRunner(Background())
    made.errors = []  # type: ignore[attr-defined]
    made.failed.connect(made.errors.append)  # type: ignore[attr-defined]
    return made


def wider(state: DocumentState) -> DocumentState:
    return replace(state, width=state.width + 1)


def settled(runner: EditRunner, qtbot: QtBot) -> None:
    qtbot.wait_until(lambda: not runner.busy, timeout=5000)


def test_edits_follow_each_other(runner: EditRunner, qtbot: QtBot) -> None:
    document, told = generated(), list[str]()
    runner.busy_changed.connect(told.append)
    for text in ("one", "two", "three"):
        runner.run(document, wider, text)
    settled(runner, qtbot)
    assert [step.text for step in document.undo_stack.steps] == ["one", "two", "three"]
    assert document.width == 8 + 3
    assert told == ["one…", "two…", "three…", ""]


def test_what_changed_meanwhile_is_not_lost(runner: EditRunner, qtbot: QtBot) -> None:
    document, started, go_on = generated(), threading.Event(), threading.Event()
    widths: list[int] = []

    def edit(state: DocumentState) -> DocumentState:
        widths.append(state.width)
        started.set()
        assert go_on.wait(5)
        return wider(state)

    runner.run(document, edit, "wider")
    assert started.wait(5)
    push(document, SetLayerProperty(document, document.layers[0].id, "opacity", 0.5))
    go_on.set()
    settled(runner, qtbot)
    assert len(widths) == 2
    assert (document.width, document.layers[0].opacity) == (9, 0.5)
    document.undo_stack.undo()
    assert document.layers[0].opacity == 0.5


def test_an_edit_means_the_node_that_was_active_when_it_began(runner: EditRunner, qtbot: QtBot) -> None:
    document, go_on = generated(), threading.Event()
    first = document.layers[0].id
    document.swap_state(document.state.inserted([document.layers[0].copy("other")]))
    seen: list[str] = []

    def edit(state: DocumentState) -> DocumentState:
        assert go_on.wait(5)
        seen.append(state.active)
        return wider(state)

    runner.run(document, edit, "wider")
    document.set_active(document.layers[1].id)
    go_on.set()
    settled(runner, qtbot)
    assert seen == [first, first]


def test_an_error_is_told_and_the_next_edit_runs(runner: EditRunner, qtbot: QtBot) -> None:
    document = generated()

    def refuse(state: DocumentState) -> DocumentState:
        raise EditorError("No.")

    runner.run(document, refuse, "refused")
    runner.run(document, lambda state: state, "nothing")
    runner.run(document, wider, "wider")
    settled(runner, qtbot)
    assert [str(error) for error in runner.errors] == ["No."]  # type: ignore[attr-defined]
    assert [step.text for step in document.undo_stack.steps] == ["wider"]


def test_a_document_that_would_be_too_large_is_told_and_the_next_edit_runs(
    runner: EditRunner, qtbot: QtBot
) -> None:
    document = generated()
    runner.run(document, lambda state: replace(state, width=400_001), "too wide")
    runner.run(document, wider, "wider")
    settled(runner, qtbot)
    assert [error.hint for error in runner.errors] == ["Each side is 1 to 300000."]  # type: ignore[attr-defined]
    assert [step.text for step in document.undo_stack.steps] == ["wider"]


def test_a_closed_document_gets_nothing(runner: EditRunner, qtbot: QtBot) -> None:
    document, go_on = generated(), threading.Event()

    def edit(state: DocumentState) -> DocumentState:
        assert go_on.wait(5)
        return wider(state)

    runner.run(document, edit, "wider")
    assert runner.works_on(document)
    runner.forget(document)
    assert not runner.works_on(document)
    assert not runner.busy
    go_on.set()
    qtbot.wait(50)
    assert document.undo_stack.count() == 0
