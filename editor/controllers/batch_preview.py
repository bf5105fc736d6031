"""Three small pictures of a folder, edited by a recipe that is being changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from editor.batch.editing import edited
from editor.batch.plan import Selection, first_paths
from editor.batch.recipe import BatchRecipe
from editor.colour.conversion import to_srgb
from editor.controllers.batches import Asking, with_concepts_here
from editor.formats.files import open_file
from editor.generating.contents import visible
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import to_eight_bits
from editor.rendering.compositing import composite
from editor.system.background import Background, Task
from inference.errors import Cancelled, EditorError
from inference.messages import NOTHING, Message
from inference.request import Pixels
from inference.service import InferenceService

COUNT = 3
SIDE_PX = 512
_AFTER_MS = 150  # the hand rests

translate = QCoreApplication.translate


@dataclass(kw_only=True)
class Sample:
    """One picture: as it is, and as the recipe makes it; `scale` is its size as a share of the file's own."""

    path: PurePosixPath
    before: Pixels | None = None
    after: Pixels | None = None
    scale: float = 1.0
    error: Message = NOTHING


class BatchPreview(QObject):
    """Asks for what a recipe makes of some pictures of a folder; a newer recipe replaces an older one."""

    changed = Signal()

    def __init__(
        self, service: InferenceService, background: Background, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._service, self._background = service, background
        self._samples: list[Sample] = []
        self._folder: Path | None = None
        self._recipe: BatchRecipe | None = None
        self._asking: Asking | None = None
        self._turn = 0  # of recipes; older answers are not shown
        self._visit = 0  # of folders
        self._tasks: list[Task] = []
        self._timer = QTimer(self, singleShot=True, interval=_AFTER_MS)
        self._timer.timeout.connect(self._compute)

    @property
    def samples(self) -> tuple[Sample, ...]:
        return tuple(self._samples)

    @property
    def busy(self) -> bool:
        return any(not task.is_over for task in self._tasks) or self._timer.isActive()

    def show_folder(self, folder: Path | None, selection: Selection) -> None:
        """Take the first pictures of a folder."""
        self._visit += 1
        visit, self._folder, self._samples = self._visit, folder, []
        self.changed.emit()
        if folder is None:
            return

        def found(paths: list[PurePosixPath]) -> None:
            if visit == self._visit:
                self._samples = [Sample(path=path) for path in paths]
                for sample in self._samples:
                    self._read(folder, sample, visit)
                self.changed.emit()

        self._run(lambda: first_paths(folder, selection, COUNT), found, lambda _: None)

    def show_recipe(self, recipe: BatchRecipe) -> None:
        """Show what another recipe makes of them, once the hand rests."""
        self._recipe = recipe
        self._timer.start()

    def close(self) -> None:
        """Ask for nothing more; what is still worked on is not shown."""
        self._turn += 1
        self._visit += 1
        self._timer.stop()
        for task in self._tasks:
            task.cancel()
        if self._asking is not None:
            self._asking.close()

    def _run(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[EditorError], None]
    ) -> None:
        """Work that ends with this preview: nothing answers to an object that has gone."""
        self._tasks = [task for task in self._tasks if not task.is_over]
        self._tasks.append(self._background.run(work, done, failed))

    def _read(self, folder: Path, sample: Sample, visit: int) -> None:
        def done(read: tuple[Pixels, float]) -> None:
            if visit == self._visit:
                sample.before, sample.scale = read
                self.changed.emit()
                self._timer.start()

        def failed(error: EditorError) -> None:
            if visit == self._visit:
                sample.error = error.sentence
                self.changed.emit()

        self._run(lambda: _small(folder / sample.path), done, failed)

    def _compute(self) -> None:
        recipe = self._recipe
        if recipe is None:
            return
        self._turn += 1
        if self._asking is not None:
            self._asking.close()
            self._asking.deleteLater()
        label = translate("Batches", "Preview of the batch")
        self._asking = Asking(self._service, label, self)
        for sample in self._samples:
            if sample.before is not None:
                self._compute_one(sample, recipe, self._asking, self._turn)
        self.changed.emit()

    def _compute_one(self, sample: Sample, recipe: BatchRecipe, asking: Asking, turn: int) -> None:
        before = sample.before
        assert before is not None, "looked at just now"
        state = DocumentState.of_layer(Layer.of_pixels(name="", pixels=before))

        def work() -> Pixels | None:
            try:
                found = edited(
                    state,
                    SourceMetadata(),
                    with_concepts_here(recipe),
                    seed=recipe.seed_of(sample.path),
                    model_hash="",
                    carry_out=asking,
                    scale=sample.scale,
                )
            except Cancelled:
                return None
            return to_srgb(to_eight_bits(found.samples), found.profile)

        def done(after: Pixels | None) -> None:
            if turn == self._turn and after is not None:
                sample.after, sample.error = after, NOTHING
            self.changed.emit()

        def failed(error: EditorError) -> None:
            if turn == self._turn:
                sample.error = error.sentence
            self.changed.emit()

        self._run(work, done, failed)


def _small(path: Path) -> tuple[Pixels, float]:
    """A file's visible picture at most `SIDE_PX` long, and what share of its own size that is.

    Raises:
        EditorError: it cannot be read.
    """
    state = open_file(path).state
    pixels: Any = visible(composite(state.layers, state.area), state.icc_profile)
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    small = np.asarray(image)
    small.setflags(write=False)
    return small, max(image.size) / max(state.width, state.height)
