"""How fast each model is on this machine, as the jobs of this session showed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from inference.request import Result
from inference.service import InferenceService, Job

_PHASES = ("sample", "invert", "learn")
"""In which the network is what takes the time."""


class Speeds(QObject):
    """Seconds of one pass through a model, of the latest job that had some."""

    changed = Signal()

    def __init__(self, service: InferenceService, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._seconds: dict[str, float] = {}
        service.job_finished.connect(self._on_finished)

    def of(self, model: str) -> float | None:
        """None while nothing was computed with it."""
        return self._seconds.get(model)

    def _on_finished(self, job: Job, result: Result) -> None:
        measured = result.measured
        count = measured.denoiser_evaluations + measured.backward_evaluations
        seconds = sum(measured.seconds.get(phase, 0.0) for phase in _PHASES)
        if result.cached or not count or seconds <= 0:
            return
        self._seconds[job.request.model] = seconds / count
        self.changed.emit()
