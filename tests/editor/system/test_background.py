import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial

import pytest
from pytestqt.qtbot import QtBot

from editor.system.background import Background
from inference.errors import EditorError


@pytest.fixture
def background(qtbot: QtBot) -> Background:
    return Background()


def test_works_on_another_thread_and_answers_on_this_one(background: Background, qtbot: QtBot) -> None:
    threads: list[int] = []

    def done(result: int) -> None:
        threads.append(threading.get_ident())
        assert result != threading.get_ident()

    background.run(threading.get_ident, done, lambda error: pytest.fail(str(error)))
    qtbot.wait_until(lambda: bool(threads), timeout=3000)
    assert threads == [threading.get_ident()]
    assert not background.busy


def test_an_error_for_the_user_arrives(background: Background, qtbot: QtBot) -> None:
    errors: list[EditorError] = []

    def work() -> None:
        raise EditorError("No.", "Yes.")

    background.run(work, lambda result: None, errors.append)
    qtbot.wait_until(lambda: bool(errors), timeout=3000)
    assert errors[0].hint == "Yes."


def test_a_defect_reaches_the_hook_and_the_caller(
    background: Background, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[EditorError] = []
    hooked: list[type[BaseException]] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: hooked.append(kind))
    background.run(lambda: 1 // 0, lambda result: None, errors.append)
    qtbot.wait_until(lambda: bool(errors), timeout=3000)
    assert hooked == [ZeroDivisionError]
    assert "inside Attune" in errors[0].message


def test_in_order(qtbot: QtBot) -> None:
    background, seen = Background(), list[int]()

    def work(number: int) -> None:
        time.sleep(0.02 * (5 - number))
        seen.append(number)

    for number in range(5):
        background.run(partial(work, number), lambda _: None, lambda _: None, in_order=True)
    assert background.busy
    assert background.wait()
    assert seen == [0, 1, 2, 3, 4]
    qtbot.waitUntil(lambda: not background.busy)


class Held:
    """Something large that a task needs."""


def test_what_was_answered_is_let_go(background: Background, qtbot: QtBot) -> None:
    needed, answers = Held(), list[object]()
    watched = [weakref.ref(needed)]

    def work() -> Held:
        made = Held()
        watched.append(weakref.ref(made))
        return made

    background.run(partial(lambda _: work(), needed), lambda _: answers.append(1), lambda _: None)
    background.run(partial(lambda _: 1 // 0, needed), answers.append, lambda _: answers.append(2))
    del needed
    with qtbot.captureExceptions():
        qtbot.wait_until(lambda: len(answers) == 2)
    sys.last_value = sys.last_traceback = None
    qtbot.wait_until(lambda: all(one() is None for one in watched), timeout=2000)


def test_what_is_cancelled_is_not_answered(background: Background, qtbot: QtBot) -> None:
    begun, free, answers = threading.Event(), threading.Event(), list[str]()

    def endless() -> None:
        begun.set()
        free.wait(10)

    def note(text: str) -> Callable[[object], None]:
        return lambda _: answers.append(text)

    running = background.run(endless, note("running"), note("failed"), in_order=True)
    waiting = background.run(lambda: answers.append("ran"), note("waiting"), note("failed"), in_order=True)
    background.run(lambda: None, note("last"), note("failed"), in_order=True)
    assert begun.wait(5)
    waiting.cancel()  # first: once the other is given up, this one may begin at any moment
    running.cancel()
    assert running.is_over
    assert waiting.is_over
    qtbot.wait_until(lambda: bool(answers))
    assert background.wait(2000)
    free.set()
    qtbot.wait(50)
    assert answers == ["last"]
    assert not background.busy


def test_closing_waits_for_writing_but_not_for_reading(background: Background, qtbot: QtBot) -> None:
    free, done = threading.Event(), list[str]()
    background.run(partial(free.wait, 10), lambda _: done.append("read"), lambda _: None)
    for order in (True, False):
        background.run(
            partial(time.sleep, 0.2),
            lambda _: done.append("written"),
            lambda _: None,
            in_order=order,
            kept=True,
        )
    begun = time.monotonic()
    assert background.close(3000)
    assert 0.15 < time.monotonic() - begun < 2
    free.set()
    qtbot.wait_until(lambda: len(done) == 2)
    assert done == ["written", "written"]


def test_closing_does_not_wait_for_ever(background: Background) -> None:
    free = threading.Event()
    background.run(partial(free.wait, 10), lambda _: None, lambda _: None, kept=True)
    begun = time.monotonic()
    assert not background.close(100)
    assert time.monotonic() - begun < 2
    free.set()


@pytest.mark.parametrize("ended", ["deleted", "forgotten"])
def test_nobody_is_called_after_the_end(qtbot: QtBot, ended: str) -> None:
    background, free, answers = Background(), threading.Event(), list[object]()
    needed = Held()
    watched = weakref.ref(needed)
    background.run(partial(lambda _: free.wait(10), needed), answers.append, answers.append)
    del needed
    if ended == "deleted":
        background.deleteLater()
        qtbot.wait(10)
    else:
        del background
        gc.collect()
    free.set()
    qtbot.wait_until(lambda: watched() is None, timeout=2000)
    assert answers == []
