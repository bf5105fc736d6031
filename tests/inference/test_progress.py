"""Reporting, cancelling and measuring."""

import numpy as np
import pytest

from inference.errors import Cancelled
from inference.progress import Progress, Step


def test_steps_carry_the_innermost_phase() -> None:
    seen: list[Step] = []
    progress = Progress(seen.append)
    with progress.phase("sample"):
        progress.step(1, 3)
        with progress.phase("decode"):
            progress.step(1, 1)
        progress.step(2, 3)
    assert [(step.phase, step.done, step.total) for step in seen] == [
        ("sample", 1, 3),
        ("decode", 1, 1),
        ("sample", 2, 3),
    ]


def test_phases_add_up_also_when_they_fail() -> None:
    progress = Progress()
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"), progress.phase("sample"):
            raise ValueError("broken")
    assert progress.measured.seconds["sample"] > 0


def test_a_phase_inside_another_is_not_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("inference.progress.time.perf_counter", lambda: clock[0])

    def work(seconds: float, problem: str = "") -> None:
        clock[0] += seconds
        if problem:
            raise ValueError(problem)

    progress = Progress()
    for _ in range(2):
        with progress.phase("sample"):
            work(1)
            with progress.phase("refine"):
                work(10)
                with progress.phase("load"):
                    work(100)
            work(2)
            with pytest.raises(ValueError, match="broken"), progress.phase("refine"):
                work(20, "broken")
    work(1000)
    with progress.phase("decode"):
        work(5)
    assert progress.measured.seconds == {"sample": 6, "refine": 60, "load": 200, "decode": 5}


def test_cancelled_at_the_next_step_and_nothing_is_reported() -> None:
    seen: list[Step] = []
    progress = Progress(seen.append)
    progress.step(1, 2)
    progress.cancel()
    with pytest.raises(Cancelled):
        progress.step(2, 2)
    with pytest.raises(Cancelled):
        progress.check()
    assert len(seen) == 1


def test_cancel_may_be_asked_from_outside() -> None:
    wish = [False]
    progress = Progress(cancel_requested=lambda: wish[0])
    progress.check()
    wish[0] = True
    assert progress.is_cancelled
    wish[0] = False
    assert progress.is_cancelled, "a cancelled job stays cancelled"


def test_previews_are_wanted_only_when_shown_and_not_too_often() -> None:
    assert not Progress().wants_preview
    progress = Progress(lambda step: None)
    assert progress.wants_preview
    progress.step(1, 9, np.zeros((2, 2, 3), np.uint8))
    assert not progress.wants_preview
