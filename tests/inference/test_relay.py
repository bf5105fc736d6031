import gc
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from pytestqt.qtbot import QtBot

from inference.relay import Relay, collect_due


@pytest.fixture
def relay(qtbot: QtBot) -> Iterator[Relay]:
    collects = gc.isenabled()
    yield Relay()
    if collects:
        gc.enable()


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


class _Ring(QObject):
    """Holds itself, so that only a look for garbage ends it; with a timer that its own thread has to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.own = self
        self.timer = QTimer(self, interval=0)
        self.timer.start()


def test_garbage_ends_on_this_thread_whoever_makes_objects(relay: Relay, qtbot: QtBot) -> None:
    ended: list[int] = []
    made: list[list[object]] = []

    def make_objects() -> None:
        made.extend([] for _ in range(200 * gc.get_threshold()[0]))

    gc.collect()
    ring = _Ring()
    ring.destroyed.connect(lambda: ended.append(threading.get_ident()), Qt.ConnectionType.DirectConnection)
    del ring
    from_another_thread(make_objects)
    assert ended == []
    collect_due()
    assert ended == [threading.get_ident()]


def test_garbage_is_looked_for_by_itself(relay: Relay, qtbot: QtBot) -> None:
    gc.collect()
    kept: list[list[object]] = [[] for _ in range(gc.get_threshold()[0] + 100)]
    assert gc.get_count()[0] > gc.get_threshold()[0]
    qtbot.wait_until(lambda: gc.get_count()[0] < gc.get_threshold()[0])
    assert kept
