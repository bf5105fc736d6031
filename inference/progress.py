"""What an operation tells while it runs, and how it learns that it was cancelled.

Plain Python: the command line prints it, the service sends it as a signal, tests record it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inference.errors import Cancelled, Parked

if TYPE_CHECKING:  # the command line reads its arguments without NumPy
    import numpy as np
    from numpy.typing import NDArray

    from inference.messages import Message

PREVIEW_INTERVAL_S = 0.25
CHECKPOINT_INTERVAL_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One report: `done` of `total` steps of `phase`; `preview` is RGB uint8 [H, W, 3] or None."""

    phase: str
    done: int
    total: int
    preview: NDArray[np.uint8] | None = None


@dataclass
class Measurements:
    """What a run cost. Evaluations are forward passes of the denoiser, counted per sample.

    `seconds` of phases that run inside another are taken from that one, so that all add up.
    """

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    denoiser_evaluations: int = 0
    backward_evaluations: int = 0
    peak_memory_bytes: int = 0


class Progress:
    """Reports steps, measures phases, and raises `Cancelled` at the next step after `cancel`.

    `cancel` may be called from any thread. All other methods belong to the thread that runs the job.

    Args:
        park_requested: whether a long job shall make room at its next checkpoint.
        on_checkpoint: takes the states of a long job, one every `CHECKPOINT_INTERVAL_S`.
        measured: what earlier parts of the same job cost.
    """

    def __init__(
        self,
        on_step: Callable[[Step], None] | None = None,
        *,
        cancel_requested: Callable[[], bool] | None = None,
        park_requested: Callable[[], bool] | None = None,
        on_checkpoint: Callable[[bytes], None] | None = None,
        measured: Measurements | None = None,
    ) -> None:
        self.measured = measured if measured is not None else Measurements()
        self._on_step = on_step
        self._cancel_requested = cancel_requested
        self._park_requested = park_requested
        self._on_checkpoint = on_checkpoint
        self._next_checkpoint = time.monotonic() + CHECKPOINT_INTERVAL_S
        self.kept: bytes | None = None
        """The state that `on_checkpoint` was given last."""
        self.said: list[Message] = []
        """Sentences for the user that belong to the result, whatever the method is."""
        self._cancelled = threading.Event()
        self._phase = ""
        self._inner_s = 0.0  # what phases inside the current one took
        self._next_preview = 0.0

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        if self._cancel_requested is not None and self._cancel_requested():
            self._cancelled.set()
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if the job was cancelled."""
        if self.is_cancelled:
            raise Cancelled

    @property
    def wants_preview(self) -> bool:
        """Whether a preview would be shown now; making one costs time, so ask first."""
        return self._on_step is not None and time.monotonic() >= self._next_preview

    def step(self, done: int, total: int, preview: NDArray[np.uint8] | None = None) -> None:
        """Report `done` of `total`, or raise `Cancelled`."""
        self.check()
        if preview is not None:
            self._next_preview = time.monotonic() + PREVIEW_INTERVAL_S
        if self._on_step is not None:
            self._on_step(Step(phase=self._phase, done=done, total=total, preview=preview))

    def checkpoint(self, state: Callable[[], bytes]) -> None:
        """A place from which a long job can go on: call it before each unit of work.

        `state` gives all that the rest of the run depends on beside request and inputs; it is asked only when
        somebody wants it. Whoever goes on from it must come to the same bytes as an undisturbed run.

        Raises:
            Cancelled, Parked: the job was cancelled, or makes room for another.
        """
        self.check()
        if self._park_requested is not None and self._park_requested():
            raise Parked(state())
        if self._on_checkpoint is not None and time.monotonic() >= self._next_checkpoint:
            self._next_checkpoint = time.monotonic() + CHECKPOINT_INTERVAL_S
            self.kept = state()
            self._on_checkpoint(self.kept)

    @contextmanager
    def phase(self, name: str) -> Generator[None, None, None]:
        """Measure the seconds spent inside under `name`; nested phases name and count the innermost."""
        self.check()
        outer, self._phase = self._phase, name
        before_s, self._inner_s = self._inner_s, 0.0
        started = time.perf_counter()
        try:
            yield
        finally:
            whole = time.perf_counter() - started
            seconds = self.measured.seconds
            seconds[name] = seconds.get(name, 0.0) + whole - self._inner_s
            self._inner_s = before_s + whole
            self._phase = outer
