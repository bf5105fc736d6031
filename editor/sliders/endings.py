"""Ends of gestures that wait for their pictures: each becomes one step of the history when it has it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from editor.sliders.draft import Change
from editor.sliders.keyframes import Pose, SliderKey
from editor.sliders.requests import pose_of
from inference.service import Job


@dataclass(eq=False)
class Ending:
    """The end of a gesture: what it changes, the sliders that moved, the job for its picture."""

    change: Change
    group: tuple[SliderKey, ...]
    job: Job | None = None

    @property
    def pose(self) -> Pose:
        return pose_of(self.change.recipe)


class Endings:
    """Those that wait, in the order in which they will be pushed; `cancel` stops a job."""

    def __init__(self, cancel: Callable[[Job], object]) -> None:
        self._waiting: list[Ending] = []
        self._cancel = cancel

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def first(self) -> Ending | None:
        return self._waiting[0] if self._waiting else None

    def add(self, ending: Ending) -> None:
        self._waiting.append(ending)

    def remove(self, ending: Ending) -> None:
        self._waiting.remove(ending)

    def supersede(self, slot: str) -> None:
        """Forget those whose job a new one of that slot supersedes: drafts build on each other, so the new
        one contains what they changed."""
        self._waiting = [one for one in self._waiting if one.job is None or one.job.supersedes != slot]

    def wait_for(self, job: Job) -> bool:
        """Whether one of them waits for that job."""
        return any(ending.job is job for ending in self._waiting)

    def forget(self, group: tuple[SliderKey, ...]) -> None:
        """The same sliders are moved again before the picture came: only the new end counts."""
        dropped = [ending for ending in self._waiting if ending.group == group]
        self._waiting = [ending for ending in self._waiting if ending.group != group]
        self._cancel_all(dropped)

    def forget_all(self, keys: Collection[SliderKey]) -> None:
        """The same for all that moved none but these."""
        for group in {one.group for one in self._waiting if one.group and set(one.group) <= set(keys)}:
            self.forget(group)

    def drop(self) -> None:
        """Forget all and stop their jobs."""
        dropped, self._waiting = self._waiting, []
        self._cancel_all(dropped)

    def _cancel_all(self, endings: list[Ending]) -> None:
        # only what waits no longer: a cancelled job that is waited for is the user's wish to go back
        for ending in endings:
            if ending.job is not None:
                self._cancel(ending.job)
