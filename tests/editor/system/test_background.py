import threading
import time
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
