"""Several texts and strengths for one picture, side by side; no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication, QObject

from editor.generating.picture_sheet import PictureSheet
from editor.layers.recipes import Recipe
from inference.errors import EditorError
from inference.operations import Translate
from inference.request import Request
from inference.service import InferenceService

translate = QCoreApplication.translate

MOST_PROMPTS = 8


class Spot(NamedTuple):
    """One picture of the sheet."""

    prompt: str
    structure: float


class TranslationSheet(PictureSheet[Spot]):
    """Asks for every text at every strength; what was seen in the picture serves them all."""

    def __init__(
        self,
        request: Request,
        contents: Mapping[str, Any],
        service: InferenceService,
        parent: QObject | None = None,
    ) -> None:
        """`request` is a translation's; text and strength come from the spots."""
        super().__init__(service, parent)
        self._request = request
        self._contents = contents

    def start(self, spots: Sequence[Spot]) -> None:
        """Ask for what is not there yet; pictures that are, stay.

        Raises:
            EditorError: there is no text, or there are too many.
        """
        prompts = {spot.prompt.strip() for spot in spots}
        if not spots or "" in prompts:
            raise EditorError("The prompt is empty.", "Write one text a line.")
        if len(prompts) > MOST_PROMPTS:
            raise EditorError(
                "There are {count} texts.", "Write at most {most}.", count=len(prompts), most=MOST_PROMPTS
            )
        self.stop()
        missing = self._missing(spots)
        self._lay_out(spots)
        for spot in missing:
            label = translate("TranslationSheet", "Compare: {prompt}").format(prompt=spot.prompt)
            self._ask(spot, self._asked(spot), self._contents, label)

    def recipe(self, spot: Spot) -> Recipe:
        """The recipe of a picture that is there."""
        result = self._cells[spot].result
        assert result is not None, "asked for pictures that are there"
        return Recipe.of(result, self._contents)

    def _asked(self, spot: Spot) -> Request:
        parameters = self._request.parameters
        assert isinstance(parameters, Translate), "the sheet is made for one"
        changed = replace(parameters, prompt=spot.prompt, structure=spot.structure)
        return replace(self._request, parameters=changed)
