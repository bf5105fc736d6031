import random

import pytest

from editor.recovery.autosave import TICK_S
from editor.recovery.schedule import Schedule

BOUND_S = 30.0


def worst_loss(seconds: int, write_s: float, seed: int, rest: float) -> float:
    """The largest time from the first change that is not on disk to a kill, at any moment of a session.

    Time goes in steps of 0.1 s; changes come at random, with a share `rest` of pauses.
    """
    chance = random.Random(seed)
    schedule = Schedule(expected_s=write_s)
    unsaved: list[float] = []  # times of changes that no finished write has
    writing: tuple[float, int] | None = None  # when it ends, how many of `unsaved` it holds
    last_tick, seen, worst = 0.0, 0, 0.0
    for step in range(seconds * 10):
        now = step / 10
        if chance.random() > rest:
            unsaved.append(now)
        if writing is not None and now >= writing[0]:
            schedule.written(write_s)
            unsaved, seen, writing = unsaved[writing[1] :], seen - writing[1], None
        if step % round(TICK_S * 10) == 0:
            if len(unsaved) > seen:
                schedule.touch(now, last_tick)
                seen = len(unsaved)
            if writing is None and schedule.due(now, BOUND_S, TICK_S):
                schedule.begun()
                writing = (now + write_s, len(unsaved))
            last_tick = now
        if unsaved:
            worst = max(worst, now - unsaved[0])
    return worst


@pytest.mark.parametrize("write_s", [0.0, 0.5, 3.0, 9.0, 12.0])
@pytest.mark.parametrize("rest", [0.0, 0.5, 0.97])
def test_a_kill_never_costs_more_than_the_bound(write_s: float, rest: float) -> None:
    assert worst_loss(600, write_s, 1, rest) <= BOUND_S


def test_a_pause_is_used() -> None:
    schedule = Schedule()
    schedule.touch(10.0, 9.0)
    assert not schedule.due(11.0, BOUND_S, TICK_S)
    assert schedule.due(12.0, BOUND_S, TICK_S)


def test_nothing_is_written_without_a_change() -> None:
    schedule = Schedule()
    assert not schedule.due(1000.0, BOUND_S, TICK_S)
    schedule.touch(10.0, 9.0)
    schedule.begun()
    assert not schedule.due(1000.0, BOUND_S, TICK_S)


def test_a_failure_is_tried_again_later() -> None:
    schedule = Schedule()
    schedule.touch(10.0, 9.0)
    schedule.failed(schedule.begun(), 12.0, BOUND_S)
    assert not schedule.due(20.0, BOUND_S, TICK_S)
    assert schedule.due(42.0, BOUND_S, TICK_S)
    assert schedule.changed_at == 9.0
