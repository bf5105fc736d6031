import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest

from editor.system import workers as workers_module
from editor.system.workers import Workers, anything_runs


class Blocked:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self.begun, self.free, self.over = threading.Event(), threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.free.wait(10)
        self.over.set()


def test_work_begins_in_the_order_it_came_on_so_many_threads() -> None:
    workers, seen = Workers("test", most=2), list[int]()
    first, second = Blocked(), Blocked()
    workers.add(first)
    workers.add(second)
    for number in range(5):
        workers.add(lambda number=number: seen.append(number))
    assert first.begun.wait(5)
    assert second.begun.wait(5)
    assert not workers.wait(0.05)
    assert seen == []
    first.free.set()
    assert first.over.wait(5)
    second.free.set()
    assert workers.wait(5)
    assert seen == [0, 1, 2, 3, 4]


def test_what_is_given_up_holds_nobody_up() -> None:
    workers, seen = Workers("test", most=1), list[str]()
    endless, waiting = Blocked(), Blocked()
    workers.add(endless)
    workers.add(waiting)
    workers.add(lambda: seen.append("next"))
    assert endless.begun.wait(5)
    assert workers.give_up(waiting)
    assert not workers.give_up(endless)
    assert workers.wait(5)
    assert seen == ["next"]
    assert not waiting.begun.is_set()
    assert anything_runs()
    endless.free.set()
    assert endless.over.wait(5)
    workers.add(lambda: seen.append("last"))
    assert workers.wait(5)
    assert seen == ["next", "last"]


def test_the_number_of_threads_stays_when_work_is_given_up_again_and_again() -> None:
    workers = Workers("counted", most=1)
    for _ in range(20):
        endless = Blocked()
        workers.add(endless)
        assert endless.begun.wait(5)
        workers.give_up(endless)
        endless.free.set()
    both = [Blocked(), Blocked()]
    for one in both:
        workers.add(one)
    assert both[0].begun.wait(5)
    assert not both[1].begun.wait(0.05)
    for one in both:
        one.free.set()
    assert workers.wait(5)


def test_after_closing_nothing_begins() -> None:
    workers, seen = Workers("test", most=1), list[int]()
    endless = Blocked()
    workers.add(endless)
    assert endless.begun.wait(5)
    workers.add(lambda: seen.append(1))
    workers.close()
    workers.add(lambda: seen.append(2))
    endless.free.set()
    assert workers.wait(5)
    assert seen == []


def test_idle_threads_end_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "LINGER_S", 0.05)
    workers = Workers("lingering")
    for _ in range(4):
        workers.add(lambda: time.sleep(0.01))
    assert workers.wait(5)
    gone = weakref.ref(workers)
    del workers
    until = time.monotonic() + 5
    while gone() is not None and time.monotonic() < until:
        time.sleep(0.02)
        gc.collect()
    assert gone() is None
    assert not [thread for thread in threading.enumerate() if thread.name == "lingering"]


def test_an_endless_read_does_not_keep_the_process() -> None:
    code = (
        "import os, time; from editor.system.workers import Workers; reader, writer = os.pipe(); "
        "Workers('endless').add(lambda: os.read(reader, 1)); time.sleep(0.1)"
    )
    begun = time.monotonic()
    run = subprocess.run([sys.executable, "-c", code], timeout=120, check=False, capture_output=True)
    assert run.returncode == 0, run.stderr
    assert time.monotonic() - begun < 5
