"""Several methods and seeds for one prompt, side by side with their scores; no widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.generating.picture_scores import PictureScore, PictureScores
from editor.generating.picture_sheet import PictureSheet
from editor.generating.requests import refine_request
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from inference.service import InferenceService

translate = QCoreApplication.translate

LARGEST_SEED = 2**32 - 1


class Place(NamedTuple):
    """One picture of the sheet."""

    method: str
    seed: int


class ContactSheet(PictureSheet[Place]):
    """Asks for every method with every seed, in the order of the seeds, and for their scores."""

    scored = Signal()

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
        super().__init__(service, parent)
        self._layer = layer
        self._called = called
        self._scores = scores
        scores.changed.connect(self.scored)

    @property
    def seed(self) -> int:
        """The layer's own seed, the sheet's first."""
        recipe = self._layer.recipe
        return (recipe.seed or 0) if recipe is not None else 0

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
            for place in self._missing(wanted)
        }
        recipe = self._layer.recipe
        contents = recipe.contents if recipe is not None else None
        self._lay_out(wanted)
        for place, request in requests.items():
            label = translate("ContactSheet", "Compare: {method}, seed {seed}")
            label = label.format(method=self._called(place.method), seed=place.seed)
            self._ask(place, request, contents, label)

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
