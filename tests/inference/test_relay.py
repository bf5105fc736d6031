import gc
import threading
from functools import partial

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from inference.relay import Relay


@pytest.fixture
def relay(qtbot: QtBot) -> Relay:
    return Relay()


def from_another_thread(function: object) -> None:
    thread = threading.Thread(target=function)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_calls_arrive_on_this_thread_in_their_order(relay: Relay, qtbot: QtBot) -> None:
    owner, seen = QObject(), list[tuple[int, int]]()

    def note(number: int) -> None:
        seen.append((number, threading.get_ident()))

    def post() -> None:
        for number in range(20):
            relay.post(owner, partial(note, number))

    from_another_thread(post)
    assert seen == []
    qtbot.wait_until(lambda: len(seen) == 20)
    assert seen == [(number, threading.get_ident()) for number in range(20)]


@pytest.mark.parametrize("ended", ["deleted", "forgotten"])
def test_an_owner_that_ended_meanwhile_is_not_called(relay: Relay, qtbot: QtBot, ended: str) -> None:
    owner, seen = QObject(), list[str]()
    from_another_thread(
        partial(relay.post, owner, partial(seen.append, "called"), partial(seen.append, "gone"))
    )
    if ended == "deleted":
        owner.deleteLater()
        QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    else:
        del owner
        gc.collect()
    qtbot.wait_until(lambda: bool(seen))
    assert seen == ["gone"]


def test_an_exception_stops_no_other_call(relay: Relay, qtbot: QtBot) -> None:
    owner, seen = QObject(), list[int]()

    def fail() -> None:
        raise ZeroDivisionError

    with qtbot.captureExceptions() as caught:
        from_another_thread(partial(relay.post, owner, fail))
        from_another_thread(partial(relay.post, owner, partial(seen.append, 1)))
        qtbot.wait_until(lambda: bool(seen))
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]


def test_a_closed_one_carries_nothing_out(relay: Relay, qtbot: QtBot) -> None:
    owner, seen = QObject(), list[int]()
    relay.close()
    from_another_thread(partial(relay.post, owner, partial(seen.append, 1)))
    qtbot.wait(20)
    assert seen == []
