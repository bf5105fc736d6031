"""Several pictures asked for at once, side by side, whatever they differ in; no widget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal

from inference.messages import NOTHING, Message
from inference.request import Request, Result
from inference.service import InferenceService, Job

Place = TypeVar("Place")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is known of a picture; `error` says why it will not come, `stopped` that nobody waits for it."""

    result: Result | None = None
    error: Message = NOTHING
    stopped: bool = False


class PictureSheet(QObject, Generic[Place]):
    """What is known of the picture at each place, and the jobs that will bring the others."""

    changed = Signal(object)  # Place
    finished = Signal()

    def __init__(self, service: InferenceService, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._cells: dict[Place, Cell] = {}
        self._jobs: dict[Job, Place] = {}

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def done(self) -> tuple[int, int]:
        """Pictures that are there or failed, and all."""
        return len(self._cells) - len(self._jobs), len(self._cells)

    def cell(self, place: Place) -> Cell | None:
        return self._cells.get(place)

    def stop(self) -> None:
        """Cancel what is under way."""
        for job in list(self._jobs):
            self._service.cancel(job)

    def _missing(self, places: Iterable[Place]) -> list[Place]:
        """Those without a picture."""
        return [place for place in places if (cell := self._cells.get(place)) is None or cell.result is None]

    def _lay_out(self, places: Iterable[Place]) -> None:
        """These places and no others; pictures that are there, stay."""
        self._cells = {place: self._cells.get(place, Cell()) for place in places}

    def _ask(self, place: Place, request: Request, contents: Mapping[str, Any] | None, label: str) -> None:
        self._cells[place] = Cell()
        job = self._service.submit(
            request,
            contents,
            label=label,
            owner=self,
            done=lambda job, result: self._end(job, Cell(result=result)),
            failed=lambda job, error: self._end(job, Cell(error=error.sentence)),
            stopped=lambda job: self._end(job, Cell(stopped=True)),
        )
        self._jobs[job] = place

    def _end(self, job: Job, cell: Cell) -> None:
        place = self._jobs.pop(job, None)
        if place is None:
            return
        if place in self._cells:
            self._cells[place] = cell
            self.changed.emit(place)
        if not self._jobs:
            self.finished.emit()
