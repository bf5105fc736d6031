"""Suggests what a picture shows, where a detector can say: the controller "descriptions"."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.generating.asking import Given, picture_from
from editor.generating.region import region_of
from editor.generating.suggestions import question, sentence
from inference.content import Picture, content_hash
from inference.detection_labels import detection_labels
from inference.errors import EditorError
from inference.operations import MOST_SUBJECTS, RefineSubject, Score
from inference.request import Pixels, Request, Result
from inference.service import Job
from inference.sizes import resized

if TYPE_CHECKING:
    from inference.models import Catalogue

_LOOKED_AT_PX = 512  # detectors need no more

translate = QCoreApplication.translate


class Descriptions(Controller):
    """Asks the judge of the operation "score" about everything that it knows."""

    suggested = Signal(object, str)  # Document, the description
    busy_changed = Signal(bool)

    def __init__(self, shell: Shell, catalogue: Catalogue) -> None:
        super().__init__(shell)
        self._catalogue = catalogue
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        return self._job is not None

    @property
    def can_suggest(self) -> bool:
        """Whether there is a detector for what the chosen model draws."""
        return bool(self._kinds())

    def suggest(self) -> None:
        """Look at the current document, or at what is selected there; `suggested` tells what it shows."""
        document, kinds = self.document, self._kinds()
        if document is None or not kinds or self.busy:
            return
        state, model = document.state, str(self._shell.settings.get("model"))
        prompt, spans = question(kinds, MOST_SUBJECTS)

        def look() -> Pixels:
            area = region_of(state)  # what a model will see
            rows, columns = slice(area.y, area.y + area.height), slice(area.x, area.x + area.width)
            found = picture_from(Given.DOCUMENT, state)[rows, columns, :3]
            scale = min(1.0, _LOOKED_AT_PX / max(found.shape[:2]))
            return resized(
                found, max(1, round(found.shape[1] * scale)), max(1, round(found.shape[0] * scale))
            )

        def submit(pixels: Pixels) -> None:
            if document not in self._shell.documents:
                return
            name = content_hash(pixels)
            parameters = Score(
                image=Picture(name),
                prompt=prompt,
                subjects=tuple(RefineSubject(start=start, end=end) for start, end in spans),
                detector=str(self._shell.settings.get("detector")),
            )
            named = [prompt[start:end] for start, end in spans]
            self._job = self._shell.service.submit(
                Request(operation="score", parameters=parameters, model=model),
                {name: pixels},
                label=translate("Descriptions", "Look at what the picture shows"),
                owner=self,
                done=lambda job, result: self._on_done(document, named, result),
                failed=self._on_failed,
                stopped=lambda job: self._over(),
            )
            self.busy_changed.emit(True)

        self._shell.background.run(look, submit, self._shell.report)

    # inside

    def _kinds(self) -> tuple[str, ...]:
        try:
            entry = self._catalogue.find(str(self._shell.settings.get("model")))
        except EditorError:
            return ()
        if entry.sandbox:
            from inference.miniworld.scene import KINDS  # with its first use

            return tuple(KINDS)
        return _kinds_of(str(self._shell.settings.get("detector")))

    def _on_done(self, document: Document, named: list[str], result: Result) -> None:
        self._over()
        found = [word for index, word in enumerate(named) if result.scores.get(f"subject {index}", 0.0) > 0]
        text = sentence(found)
        if text:
            self.suggested.emit(document, text)
            return
        words = translate("Descriptions", "The detector finds nothing that it knows in this picture.")
        self._shell.message.emit(
            words, translate("Descriptions", "Say in your own words what it shows."), "info"
        )

    def _on_failed(self, job: Job, error: EditorError) -> None:
        self._over()
        self._shell.report(error)

    def _over(self) -> None:
        self._job = None
        self.busy_changed.emit(False)


def _kinds_of(detector: str) -> tuple[str, ...]:
    """The kinds that a detection model of the user's knows; none if there is none."""
    try:
        return _labels_of(detector) if detector else ()
    except EditorError:  # not kept: it may be there later
        return ()


@cache
def _labels_of(detector: str) -> tuple[str, ...]:
    return tuple(sorted(detection_labels(detector)))
