"""How well the subjects of a prompt are in a picture, asked of the inference service and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.layers.layer import Layer
from editor.layers.recipes import Subject
from editor.system.background import Background
from inference.content import Picture, content_hash
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.operations import Score
from inference.prompts.subjects import subjects_of
from inference.request import Pixels, Request, Result
from inference.service import InferenceService

translate = QCoreApplication.translate

_KEPT = 256


@dataclass(frozen=True, kw_only=True)
class PictureScore:
    """What a judge found: which subjects are right, and similarities in 0..1 (see `inference.metrics`).

    `problem` says why there is no score.
    """

    seen: tuple[bool, ...] = ()
    similarities: Mapping[str, float] | None = None
    problem: Message = NOTHING

    @property
    def all_seen(self) -> bool:
        """What TIAM counts: whether every subject is right."""
        return bool(self.seen) and all(self.seen)


class PictureScores(QObject):
    """Scores pictures in the background; an answer that is known comes at once."""

    changed = Signal()

    def __init__(
        self,
        service: InferenceService,
        background: Background,
        detector: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        """`detector` gives the detection model that the user chose, or ""."""
        super().__init__(parent)
        self._service = service
        self._background = background
        self._detector = detector
        self._known: dict[tuple[object, ...], PictureScore] = {}
        self._kept: dict[tuple[object, ...], Pixels] = {}  # so that an identity is never another picture's

    def of_layer(self, layer: Layer) -> PictureScore | None:
        """The score of a generated layer's picture; None while it is being worked out."""
        recipe = layer.recipe
        if recipe is None or not recipe.subjects:
            return None
        return self.of(layer.pixels, recipe.prompt, recipe.subjects, recipe.request.model)

    def of(
        self, pixels: Pixels, prompt: str, subjects: tuple[Subject, ...], model: str
    ) -> PictureScore | None:
        """The score of any picture; None while it is being worked out."""
        key = (id(pixels), prompt, tuple(subject.span for subject in subjects), model, self._detector())
        if key in self._known:
            return self._known[key]
        if key not in self._kept:
            self._ask(key, pixels, prompt, model)
        return None

    def _ask(self, key: tuple[object, ...], pixels: Pixels, prompt: str, model: str) -> None:
        self._kept[key] = pixels
        while len(self._kept) > _KEPT:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._known.pop(oldest, None)
        spans: tuple[tuple[int, int], ...] = key[2]  # type: ignore[assignment]
        detector = str(key[4])

        def submit(name: str) -> None:
            parameters = Score(
                image=Picture(name), prompt=prompt, subjects=subjects_of(prompt, spans), detector=detector
            )
            self._service.submit(
                Request(operation="score", parameters=parameters, model=model),
                {name: pixels},
                label=translate("PictureScores", "Look for the subjects"),
                owner=self,
                done=lambda job, result: self._learn(key, _score(result, len(parameters.subjects))),
                failed=lambda job, error: self._failed(key, error),
                stopped=lambda job: self._kept.pop(key, None),  # asked again when somebody looks
            )

        self._background.run(lambda: content_hash(pixels), submit, lambda error: self._failed(key, error))

    def _failed(self, key: tuple[object, ...], error: EditorError) -> None:
        self._learn(key, PictureScore(problem=error.sentence))

    def _learn(self, key: tuple[object, ...], score: PictureScore) -> None:
        if key in self._kept:
            self._known[key] = score
            self.changed.emit()


def _score(result: Result, count: int) -> PictureScore:
    seen = tuple(result.scores.get(f"subject {index}", 0.0) > 0 for index in range(count))
    others = {name: value for name, value in result.scores.items() if not name.startswith("subject ")}
    return PictureScore(seen=seen, similarities=others)
