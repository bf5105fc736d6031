"""Refine: a generated layer again with every subject in it; the controller "refinement"."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, Signal

from editor.colour.conversion import from_srgb
from editor.commands import Command, ReplaceState, place_result
from editor.controllers.base import Controller
from editor.controllers.sessions import Sessions
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.formats.files import ExportOptions, export_picture
from editor.generating.asking import is_as_made, place_again
from editor.generating.heatmaps import overlaid
from editor.generating.picture_scores import PictureScores
from editor.generating.requests import REFINE, refine_request
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, Frame, SourceMetadata
from editor.pixels.raster import Area
from editor.sliders.session import AttributeSession
from editor.words.said import said
from editor.words.wording import quoted
from inference.errors import EditorError
from inference.prompts.subjects import suggest
from inference.request import Result
from inference.service import Job

WHOLE_RUN = -1  # instead of a step: the mean over all steps

translate = QCoreApplication.translate


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Where the result of a job goes: onto the layer itself if that was refined before, else above it.

    `area` is where the layer lay, `frame` the canvas it lay on.
    """

    document: Document
    layer_id: str
    recipe: Recipe
    again: bool
    area: Area
    frame: Frame


@dataclass
class _Options:
    method: str = "ours+"
    overrides: dict[str, Any] = field(default_factory=dict[str, Any])


class Refinement(Controller):
    """What the Refine panel and its menu command call; one job a document at a time."""

    options_changed = Signal()
    busy_changed = Signal(bool)
    refined = Signal(object, str)  # Document, id of the layer that shows the result

    def __init__(self, shell: Shell, sessions: Sessions) -> None:
        super().__init__(shell)
        self._sessions = sessions
        self._options = _Options()
        self._jobs: dict[Job, _Asked] = {}
        self.scores = PictureScores(
            shell.service, shell.background, lambda: shell.settings.get("detector"), self
        )

    @property
    def method(self) -> str:
        return self._options.method

    @property
    def overrides(self) -> dict[str, Any]:
        """Parameters of `Refine` that differ from what the method says."""
        return dict(self._options.overrides)

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def set_method(self, method: str) -> None:
        """Choose a method; what was changed of another one is forgotten."""
        if method != self._options.method:
            self._options = _Options(method=method)
            self.options_changed.emit()

    def set_override(self, name: str, value: Any) -> None:
        """Change a parameter of the method; None gives the method's own again."""
        overrides = {key: kept for key, kept in self._options.overrides.items() if key != name}
        if value is not None:
            overrides[name] = value
        self._options.overrides = overrides

    def refine(self) -> None:
        """Refine the current document's generated layer with its chosen subjects."""
        document = self.document
        layer = document.recipe_layer if document is not None else None
        if document is None or layer is None:
            return
        try:
            request = refine_request(layer, self.method, self.overrides)
        except EditorError as error:
            self._shell.report(error)
            return
        recipe = layer.recipe
        assert recipe is not None, "the recipe layer has one"
        names = ", ".join(subject.text for subject in recipe.subjects)
        label = translate("Refinement", "Refine: {subjects}").format(subjects=names)
        again = recipe.request.operation == REFINE
        asked = _Asked(
            document=document,
            layer_id=layer.id,
            recipe=recipe,
            again=again,
            area=layer.area,
            frame=document.state.frame,
        )
        job = self._shell.service.submit(
            request,
            recipe.contents,
            label=label,
            supersedes=f"refine:{layer.id}",
            owner=self,
            done=self._on_finished,
            failed=self._on_failed,
            stopped=self._forget,
        )
        self._jobs[job] = asked
        self.busy_changed.emit(True)

    def suggest_subjects(self) -> None:
        """Choose the things that the prompt names as subjects, beside those that are chosen already."""
        session = self._sessions.current
        if session is None:
            return
        for suggestion in suggest(session.recipe.read_prompt.text):
            span = (suggestion.start, suggestion.end)
            taken = any(one.start < span[1] and span[0] < one.end for one in session.subjects)
            if not suggestion.is_setting and not taken:
                session.toggle_subject(*span)

    def place(
        self,
        document: Document,
        layer_id: str,
        result: Result,
        recipe: Recipe,
        place: tuple[int, int] | None = None,
    ) -> None:
        """Put a refined picture above a layer, as a layer with its own recipe: one step of the history.

        It lies where that layer does, or at `place`.
        """

        def make() -> Command:
            source, state = document.layer(layer_id), document.state
            at = (source.x, source.y) if place is None else place
            added = _beside(source, result, recipe, document, at)
            parent = state.parent(layer_id)
            after = state.inserted(
                [added], parent=parent.id if parent is not None else "", index=state.index(layer_id) + 1
            )
            text = translate("Refinement", "Refine {prompt}").format(prompt=quoted(_prompt(result), 24))
            return ReplaceState(document, replace(after, active=added.id, chosen=frozenset()), text)

        before = document.state.active
        self._shell.run(make)
        if document.state.active != before:
            self.refined.emit(document, document.state.active)

    def export_attention(
        self,
        session: AttributeSession,
        index: int,
        step: int,
        colour: tuple[int, int, int],
        path: Path,
    ) -> None:
        """Write a layer's picture with a map of one subject over it as PNG, on another thread."""
        heat, pixels = attention(session, index, step), session.document.layer(session.layer_id).pixels
        if heat is None:
            self._shell.report(EditorError("Where the model looks is not known for this subject."))
            return

        def write() -> None:
            shown = DocumentState.of_layer(Layer.of_pixels(overlaid(pixels, heat, colour), name="map"))
            export_picture(shown, SourceMetadata(), path.with_suffix(".png"), ExportOptions(format="png"))

        def done(_: object) -> None:
            text = translate("Refinement", "Exported {name}.").format(name=path.with_suffix(".png").name)
            self._shell.message.emit(text, "", "info")

        self._shell.background.run(write, done, self._shell.report, kept=True)

    def _on_finished(self, job: Job, result: Result) -> None:
        asked = self._forget(job)
        if asked is None or asked.document not in self._shell.documents:
            return
        if asked.document.state.find(asked.layer_id) is None:
            text = translate("Refinement", "The layer that was refined is no longer there.")
            self._shell.message.emit(text, "", "warning")
            return
        if asked.again and is_as_made(asked.document.state, asked.layer_id):
            self._replace(asked, result)
        else:
            layer = asked.document.layer(asked.layer_id)
            place = place_again(layer, asked.area, asked.frame, asked.document.state)
            self.place(asked.document, asked.layer_id, result, asked.recipe, place)
        for note in result.notes:
            self._shell.message.emit(said(note), "", "warning")

    def _replace(self, asked: _Asked, result: Result) -> None:
        recipe = Recipe.of(result, asked.recipe.contents, asked.recipe.subjects)
        text = translate("Refinement", "Refine again")
        self._shell.run(
            lambda: place_result(
                asked.document, asked.layer_id, result.images[0], recipe, text, maps=result.maps
            )
        )
        self.refined.emit(asked.document, asked.layer_id)

    def _on_failed(self, job: Job, error: EditorError) -> None:
        if self._forget(job) is not None:
            self._shell.report(error)

    def _forget(self, job: Job) -> _Asked | None:
        asked = self._jobs.pop(job, None)
        if asked is not None:
            self.busy_changed.emit(self.busy)
        return asked


def map_steps(layer: Layer, span: tuple[int, int]) -> tuple[int, ...]:
    """The steps at which a layer keeps a map of a subject, ascending."""
    prefix = f"attention/{span[0]}-{span[1]}@"
    return tuple(sorted(int(key.removeprefix(prefix)) for key in layer.maps if key.startswith(prefix)))


def attention(session: AttributeSession, index: int, step: int = WHOLE_RUN) -> NDArray[np.float32] | None:
    """Where the model looked for a subject of a session's layer: [h, w] in 0..1, None if it is not known."""
    if step == WHOLE_RUN:
        return session.heat(index)
    layer, (start, end) = session.document.layer(session.layer_id), session.subjects[index].span
    return layer.maps.get(f"attention/{start}-{end}@{step}")


def _beside(source: Layer, result: Result, recipe: Recipe, document: Document, at: tuple[int, int]) -> Layer:
    """The refined layer; `recipe` is that of the layer that was refined."""
    return Layer.of_pixels(
        from_srgb(result.images[0], document.icc_profile),
        blend_mode=source.blend_mode,
        name=translate("Refinement", "{name} refined").format(name=source.name),
        recipe=Recipe.of(result, recipe.contents, recipe.subjects),
        maps=result.maps,
        x=at[0],
        y=at[1],
        mask=document.state.selection,
    )


def _prompt(result: Result) -> str:
    return str(getattr(result.request.parameters, "prompt", ""))
