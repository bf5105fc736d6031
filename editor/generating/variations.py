"""The same recipe with other seeds, for the filmstrip; no widget."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QCoreApplication, QObject, Signal

from editor.colour.conversion import to_srgb
from editor.commands import AddResult, place_result, push
from editor.document.document import Document
from editor.generating.ground import Grounds, brought
from editor.generating.requests import canonical
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, with_parameters
from editor.pixels.arithmetic import to_rgb
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.operations import SamplingParameters
from inference.request import Pixels, Result
from inference.service import InferenceService, Job

LARGEST_SEED = 2**32 - 1

translate = QCoreApplication.translate


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One picture of the filmstrip; `pixels` (RGB) is None until it is computed, `error` says why never."""

    seed: int
    pixels: Pixels | None = None
    error: Message = NOTHING


class VariationSession(QObject):
    """Variations of one layer; the layer's own picture is the first.

    Raises:
        EditorError: the layer has no recipe with a seed.
    """

    changed = Signal(int)  # index: its picture came, or failed
    reset = Signal()  # the list itself is new
    current_changed = Signal(int)  # the layer shows another of them; -1 for none
    failed = Signal(object)  # EditorError

    def __init__(
        self, document: Document, layer_id: str, service: InferenceService, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._layer_id = layer_id
        self._service = service
        self._recipe = _recipe_of(document, layer_id)
        self._variations: list[Variation] = []
        self._jobs: dict[Job, int] = {}
        document.layer_changed.connect(self._on_layer_changed)

    @property
    def variations(self) -> tuple[Variation, ...]:
        return tuple(self._variations)

    @property
    def current(self) -> int:
        """Index of the variation that the layer shows, or -1."""
        layer = self._layer()
        recipe = layer.recipe if layer is not None else None  # the layer may have been deleted
        seeds = [variation.seed for variation in self._variations]
        same = recipe is not None and recipe.seed in seeds and recipe == self._with_seed(recipe.seed)
        return seeds.index(recipe.seed) if same and recipe is not None and recipe.seed is not None else -1

    def start(self, count: int) -> None:
        """Ask for `count` new seeds beside the layer's own, which comes first."""
        self._cancel_jobs()
        layer = self._document.layer(self._layer_id)
        self._recipe = _recipe_of(self._document, self._layer_id)
        own = self._recipe.seed or 0
        self._variations = [
            Variation(seed=own, pixels=to_rgb(to_srgb(layer.pixels, self._document.icc_profile)))
        ]
        self._variations += [
            Variation(seed=(own + offset) % (LARGEST_SEED + 1)) for offset in range(1, count + 1)
        ]
        self.reset.emit()
        for index in range(1, count + 1):
            self._submit(index)

    def choose(self, index: int) -> None:
        """Give the layer that variation's picture and seed: one step of the history."""
        variation, layer = self._variations[index], self._layer()
        if variation.pixels is None or index == self.current or layer is None:
            return
        if not self._fits(layer):
            self.failed.emit(
                EditorError(
                    "“{name}” was changed since: these variations no longer fit it.",
                    "Undo that, or make new ones.",
                    name=layer.name,
                )
            )
            return
        text = translate("VariationSession", "Use the variation with seed {seed}").format(seed=variation.seed)
        recipe = self._with_seed(variation.seed)
        try:
            command = place_result(self._document, self._layer_id, self._raster(variation), recipe, text)
        except EditorError as error:
            self.failed.emit(error)
            return
        if isinstance(command, AddResult):
            self._layer_id = command.layer.id  # the next choice changes that one
        push(self._document, command)

    def _fits(self, layer: Layer) -> bool:
        """Whether the layer still has the form of the pictures: one that was cut or turned has another."""
        recipe = layer.recipe
        return recipe is not None and not recipe.lacks_picture and recipe.picture == self._recipe.picture

    def _raster(self, variation: Variation) -> Raster:
        """The variation's picture in the document's colours and depth."""
        assert variation.pixels is not None, "only pictures are chosen"
        state, layer = self._document.state, self._document.layer(self._layer_id)
        ground = Grounds().of(state, layer, self._recipe)
        return brought(ground, variation.pixels, state.icc_profile)

    def _layer(self) -> Layer | None:
        return next((layer for layer in self._document.state.rasters() if layer.id == self._layer_id), None)

    def close(self) -> None:
        """Cancel what is under way."""
        self._cancel_jobs()
        self._document.disconnect(self)

    def _submit(self, index: int) -> None:
        seed = self._variations[index].seed
        label = translate("VariationSession", "Variation with seed {seed}").format(seed=seed)
        job = self._service.submit(
            canonical(self._with_seed(seed).request),
            self._recipe.contents,
            label=label,
            owner=self,
            done=self._on_job_finished,
            failed=self._on_job_failed,
            stopped=self._on_job_cancelled,
        )
        self._jobs[job] = index

    def _with_seed(self, seed: int | None) -> Recipe:
        return with_parameters(self._recipe, seed=seed)

    def _on_job_finished(self, job: Job, result: Result) -> None:
        index = self._jobs.pop(job, None)
        if index is not None:
            self._set(index, replace(self._variations[index], pixels=to_rgb(result.images[0])))

    def _on_job_failed(self, job: Job, error: EditorError) -> None:
        index = self._jobs.pop(job, None)
        if index is not None:
            self._set(index, replace(self._variations[index], error=error.whole))

    def _on_job_cancelled(self, job: Job) -> None:
        index = self._jobs.pop(job, None)
        if index is not None:
            self._set(index, replace(self._variations[index], error=Message("Stopped")))

    def _set(self, index: int, variation: Variation) -> None:
        self._variations[index] = variation
        self.changed.emit(index)

    def _on_layer_changed(self, layer_id: str) -> None:
        if layer_id == self._layer_id:
            self.current_changed.emit(self.current)

    def _cancel_jobs(self) -> None:
        jobs, self._jobs = self._jobs, {}
        for job in jobs:
            self._service.cancel(job)


def _recipe_of(document: Document, layer_id: str) -> Recipe:
    recipe = document.layer(layer_id).recipe
    if recipe is None or not isinstance(recipe.request.parameters, SamplingParameters):
        raise EditorError("This layer has no seed, so it has no variations.", "Choose a generated layer.")
    if not recipe.has_seed:
        raise EditorError(
            "This edit is the same with every seed, so it has no variations.",
            "Move its sliders, or say it in other words.",
        )
    return recipe
