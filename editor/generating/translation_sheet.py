"""Several texts and strengths for one picture, side by side; no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.layers.recipes import Recipe
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.operations import Translate
from inference.request import Request, Result
from inference.service import InferenceService, Job

translate = QCoreApplication.translate

MOST_PROMPTS = 8


class Spot(NamedTuple):
    """One picture of the sheet."""

    prompt: str
    structure: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is known of a picture; `error` says why it will not come, `stopped` that nobody waits for it."""

    result: Result | None = None
    error: Message = NOTHING
    stopped: bool = False


class TranslationSheet(QObject):
    """Asks for every text at every strength; what was seen in the picture serves them all."""

    changed = Signal(object)  # Spot
    finished = Signal()

    def __init__(
        self,
        request: Request,
        contents: Mapping[str, Any],
        service: InferenceService,
        parent: QObject | None = None,
    ) -> None:
        """`request` is a translation's; text and strength come from the spots."""
        super().__init__(parent)
        self._request = request
        self._contents = contents
        self._service = service
        self._pictures: dict[Spot, Picture] = {}
        self._jobs: dict[Job, Spot] = {}

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def done(self) -> tuple[int, int]:
        """Pictures that are there or failed, and all."""
        return len(self._pictures) - len(self._jobs), len(self._pictures)

    def picture(self, spot: Spot) -> Picture | None:
        return self._pictures.get(spot)

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
        self._pictures = {spot: self._pictures.get(spot, Picture()) for spot in spots}
        for spot in spots:
            if self._pictures[spot].result is None:
                self._ask(spot)

    def stop(self) -> None:
        """Cancel what is under way."""
        for job in list(self._jobs):
            self._service.cancel(job)

    def recipe(self, spot: Spot) -> Recipe:
        """The recipe of a picture that is there."""
        result = self._pictures[spot].result
        assert result is not None, "asked for pictures that are there"
        return Recipe.of(result, self._contents)

    def _ask(self, spot: Spot) -> None:
        self._pictures[spot] = Picture()
        parameters = self._request.parameters
        assert isinstance(parameters, Translate), "the sheet is made for one"
        asked = replace(parameters, prompt=spot.prompt, structure=spot.structure)
        label = translate("TranslationSheet", "Compare: {prompt}").format(prompt=spot.prompt)
        job = self._service.submit(
            replace(self._request, parameters=asked),
            self._contents,
            label=label,
            owner=self,
            done=lambda job, result: self._end(job, Picture(result=result)),
            failed=lambda job, error: self._end(job, Picture(error=error.sentence)),
            stopped=lambda job: self._end(job, Picture(stopped=True)),
        )
        self._jobs[job] = spot

    def _end(self, job: Job, picture: Picture) -> None:
        spot = self._jobs.pop(job, None)
        if spot is None:
            return
        if spot in self._pictures:
            self._pictures[spot] = picture
            self.changed.emit(spot)
        if not self._jobs:
            self.finished.emit()
