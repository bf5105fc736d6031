"""What the Select menu calls: the controller "selection"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from editor import selection
from editor.controllers.base import Controller
from editor.edits.masks import mask_added
from editor.layers.layer import Mask
from editor.layers.recipes import Subject
from editor.layers.state import DocumentState
from inference.errors import EditorError

translate = QCoreApplication.translate

Change = Callable[[Mask, DocumentState], Mask]


class SelectionController(Controller):
    """Changes what is selected in the current document."""

    def all(self) -> None:
        """Select the whole picture."""
        text = translate("Commands", "Select all")
        self._set(lambda state: selection.everything(state.area), text)

    def clear(self) -> None:
        """Select nothing in particular: painting reaches everything again."""
        document = self.document
        if document is not None and document.state.selection is not None:
            self._now(lambda s: replace(s, selection=None), translate("Commands", "Deselect"))

    def again(self) -> None:
        """Select what was selected last in this document."""
        document = self.document
        if document is None:
            return
        history = document.undo_stack
        before = (step.before.selection for step in reversed(history.steps[: history.index()]))
        last = next((mask for mask in before if mask is not None), None)
        if document.state.selection is None and last is not None:
            self._now(lambda s: replace(s, selection=last), translate("Commands", "Select again"))

    def invert(self) -> None:
        text = translate("Commands", "Invert selection")
        self._set(lambda state: selection.invert(_needed(state), state.area), text)

    def from_layer(self) -> None:
        """Select what the active layer covers."""
        text = translate("Commands", "Select the layer's pixels")
        self._set(lambda state: selection.from_alpha(state.layer(state.active), state.area), text)

    def from_mask(self) -> None:
        """Select what the active node's mask shows."""
        text = translate("Commands", "Select what the mask shows")

        def made(state: DocumentState) -> Mask:
            mask = state.node(state.active).mask
            if mask is None:
                raise EditorError(
                    "“{name}” has no mask.", "Add one first.", name=state.node(state.active).name
                )
            return selection.from_mask(mask, state.area)

        self._set(made, text)

    def from_luminosity(self) -> None:
        """Select bright parts more than dark ones."""
        text = translate("Commands", "Select bright parts")
        self._set(lambda state: selection.from_luminosity(selection.merged_reader(state), state.area), text)

    def subjects(self) -> None:
        """Select all subjects of the picture, by where the model saw them."""
        text = translate("Commands", "Select the subjects")
        self._set(_all_subjects, text)

    def to_mask(self) -> None:
        """Keep what is selected as the mask of the active node."""
        text = translate("Commands", "Selection as mask")
        self._beside(lambda state: mask_added(state, state.active, "selection"), text)

    # with a number of pixels, asked for by a form

    def grow(self, radius: float) -> None:
        text = translate("Commands", "Grow selection by {radius} px").format(radius=round(radius, 1))
        self._change(lambda mask, state: selection.grow(mask, radius, state.area), text)

    def shrink(self, radius: float) -> None:
        text = translate("Commands", "Shrink selection by {radius} px").format(radius=round(radius, 1))
        self._change(lambda mask, state: selection.shrink(mask, radius, state.area), text)

    def feather(self, radius: float) -> None:
        text = translate("Commands", "Feather selection by {radius} px").format(radius=round(radius, 1))
        self._change(lambda mask, state: selection.feather(mask, radius, state.area), text)

    def border(self, width: float) -> None:
        text = translate("Commands", "Border of {width} px").format(width=round(width, 1))
        self._change(lambda mask, state: selection.border(mask, width, state.area), text)

    def smooth(self, radius: float) -> None:
        text = translate("Commands", "Smooth selection by {radius} px").format(radius=round(radius, 1))
        self._change(lambda mask, state: selection.smooth(mask, radius, state.area), text)

    # inside

    def _change(self, change: Change, text: str) -> None:
        self._set(lambda state: change(_needed(state), state), text)

    def _set(self, make: Callable[[DocumentState], Mask], text: str) -> None:
        self._beside(lambda state: replace(state, selection=_found(make(state))), text)


def _needed(state: DocumentState) -> Mask:
    if state.selection is None:
        raise EditorError("Nothing is selected.", "Select a part of the picture first.")
    return state.selection


def _found(mask: Mask) -> Mask:
    if selection.is_empty(mask):
        raise EditorError("Nothing would be selected.", "The selection stays as it was.")
    return mask


def _all_subjects(state: DocumentState) -> Mask:
    layer = state.layer(state.active)
    subjects: tuple[Subject, ...] = layer.recipe.subjects if layer.recipe is not None else ()
    if not subjects:
        raise EditorError("This layer has no subjects.", "Choose a generated layer and click on words.")
    masks = [
        selection.from_heatmap(
            selection.subject_map(layer, subject.start, subject.end), layer.area, state.area
        )
        for subject in subjects
    ]
    united = masks[0]
    for mask in masks[1:]:
        united = selection.combine(united, mask, selection.ADD, state.area)
    return united
