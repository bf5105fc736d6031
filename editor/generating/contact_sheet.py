"""Several methods and seeds for one prompt, side by side with their scores; no widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.generating.picture_scores import PictureScore, PictureScores
from editor.generating.requests import refine_request
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from inference.messages import NOTHING, Message
from inference.request import Result
from inference.service import InferenceService, Job

translate = QCoreApplication.translate

LARGEST_SEED = 2**32 - 1


class Place(NamedTuple):
    """One picture of the sheet."""

    method: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is known of a picture; `error` says why it will not come, `stopped` that nobody waits for it."""

    result: Result | None = None
    error: Message = NOTHING
    stopped: bool = False


class ContactSheet(QObject):
    """Asks for every method with every seed, in the order of the seeds, and for their scores."""

    changed = Signal(object)  # Place
    scored = Signal()
    finished = Signal()

    def __init__(
        self,
        layer: Layer,
        service: InferenceService,
        scores: PictureScores,
        parent: QObject | None = None,
        *,
        called: Callable[[str], str] = str,
    ) -> None:
        """`called` gives what a person calls a method."""
        super().__init__(parent)
        self._layer = layer
        self._called = called
        self._service = service
        self._scores = scores
        self._cells: dict[Place, Cell] = {}
        self._jobs: dict[Job, Place] = {}
        scores.changed.connect(self.scored)

    @property
    def seed(self) -> int:
        """The layer's own seed, the sheet's first."""
        recipe = self._layer.recipe
        return (recipe.seed or 0) if recipe is not None else 0

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def done(self) -> tuple[int, int]:
        """Pictures that are there or failed, and all."""
        return len(self._cells) - len(self._jobs), len(self._cells)

    def cell(self, place: Place) -> Cell | None:
        return self._cells.get(place)

    def seeds(self, count: int) -> tuple[int, ...]:
        return tuple((self.seed + offset) % (LARGEST_SEED + 1) for offset in range(count))

    def start(self, methods: Sequence[str], count: int) -> None:
        """Ask for what is not there yet; pictures that are, stay.

        Raises:
            EditorError: the layer has no prompt or no subjects.
        """
        self.stop()
        wanted = [Place(method, seed) for seed in self.seeds(count) for method in methods]
        requests = {
            place: refine_request(self._layer, place.method, seed=place.seed)
            for place in wanted
            if place not in self._cells or self._cells[place].result is None
        }
        recipe = self._layer.recipe
        self._cells = {place: self._cells.get(place, Cell()) for place in wanted}
        for place, request in requests.items():
            self._cells[place] = Cell()
            label = translate("ContactSheet", "Compare: {method}, seed {seed}")
            label = label.format(method=self._called(place.method), seed=place.seed)
            job = self._service.submit(
                request,
                recipe.contents if recipe is not None else None,
                label=label,
                owner=self,
                done=lambda job, result: self._end(job, Cell(result=result)),
                failed=lambda job, error: self._end(job, Cell(error=error.sentence)),
                stopped=lambda job: self._end(job, Cell(stopped=True)),
            )
            self._jobs[job] = place

    def stop(self) -> None:
        """Cancel what is under way."""
        for job in list(self._jobs):
            self._service.cancel(job)

    def score(self, place: Place) -> PictureScore | None:
        """The score of a picture that is there; None until it is known."""
        cell, recipe = self._cells.get(place), self._layer.recipe
        if cell is None or cell.result is None or recipe is None:
            return None
        pixels, model = cell.result.images[0], recipe.request.model
        return self._scores.of(pixels, recipe.prompt, recipe.subjects, model)

    def recipe(self, place: Place) -> Recipe:
        """The recipe of a picture that is there."""
        cell, recipe = self._cells[place], self._layer.recipe
        assert cell.result is not None, "asked for pictures that are there"
        assert recipe is not None, "checked when the sheet was started"
        return Recipe.of(cell.result, recipe.contents, recipe.subjects)

    def close(self) -> None:
        self.stop()
        self._scores.disconnect(self)

    def _end(self, job: Job, cell: Cell) -> None:
        place = self._jobs.pop(job, None)
        if place is None:
            return
        if place in self._cells:
            self._cells[place] = cell
            self.changed.emit(place)
        if not self._jobs:
            self.finished.emit()
