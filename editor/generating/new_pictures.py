"""Pictures that are generated from a prompt: each becomes a document when it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, Subject
from editor.words.wording import quoted
from inference.errors import EditorError
from inference.operations import Generate, SamplingParameters
from inference.prompts.words import find_subject
from inference.request import Request, Result
from inference.service import InferenceService, Job

if TYPE_CHECKING:
    from inference.models import Catalogue

SAMPLE_PROMPT = "a photo of a man and a woman on the beach"

translate = QCoreApplication.translate


class NewPictures(QObject):
    """Asks the service for pictures and makes documents of them."""

    made = Signal(object, tuple)  # Document, notes to show with it
    failed = Signal(object)  # EditorError

    def __init__(
        self, service: InferenceService, catalogue: Catalogue, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._service = service
        self._catalogue = catalogue

    def ask(self, parameters: SamplingParameters, model: str, subjects: tuple[Subject, ...] = ()) -> Job:
        """Start one.

        Raises:
            EditorError: no prompt, or no such model.
        """
        if not parameters.prompt.strip():
            raise EditorError("The prompt is empty.", "Say in words what the picture shows.")
        self._catalogue.find(model)
        request = Request(operation="generate", parameters=parameters, model=model)
        label = translate("Application", "New picture") + f": {parameters.prompt}"
        return self._service.submit(
            request,
            label=label,
            owner=self,
            done=lambda job, result: self._make(result, subjects),
            failed=lambda job, error: self.failed.emit(error),
        )

    def _make(self, result: Result, subjects: tuple[Subject, ...]) -> None:
        recipe = Recipe.of(result, subjects=subjects)
        layer = Layer.of_pixels(
            name=translate("Application", "Generated"),
            pixels=result.images[0],
            recipe=recipe,
            maps=result.maps,
        )
        document = Document.from_layer(layer, title=quoted(recipe.prompt, 32).strip("“”"))
        document.undo_stack.resetClean()  # it is in no file yet
        self.made.emit(document, result.notes)


def sample_request() -> tuple[Generate, tuple[Subject, ...]]:
    """What is generated at the first start where no sample picture is installed."""
    spans = (find_subject(SAMPLE_PROMPT, word) for word in ("man", "woman"))
    subjects = tuple(
        Subject(start=start, end=end, text=SAMPLE_PROMPT[start:end], colour_index=index)
        for index, (start, end) in enumerate(spans)
    )
    return Generate(prompt=SAMPLE_PROMPT, seed=7), subjects
