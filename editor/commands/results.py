"""Commands that give layers the results of methods, and recipes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from editor.colour.conversion import from_srgb
from editor.commands.base import Command, translate
from editor.document.document import Document
from editor.edits.nodes import refuse_locked
from editor.edits.tree import added
from editor.layers.layer import Layer, raster_of
from editor.layers.recipes import Recipe, Subject
from editor.layers.state import DocumentState
from editor.layers.subject_masks import with_mask
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import short
from inference.request import Pixels


class ReplaceLayerResult(Command):
    """Give a layer new pixels and the recipe that made them; `text` is such as “Set age of “man” to +0.64”.

    `pixels` of another size than the layer's resize a document that consists of this layer alone, if it fills
    the canvas. `place` is where they lie if not where the layer did.
    """

    def __init__(
        self, document: Document, layer_id: str, pixels: Pixels | Raster, recipe: Recipe | None, text: str,
        maps: Any = None, place: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        state = document.state
        layer = state.layer(layer_id)
        refuse_locked(state, [layer_id])
        x, y = (layer.x, layer.y) if place is None else place
        kept = layer.maps if maps is None else maps
        changed = layer.changed(raster=_raster(pixels), recipe=recipe, maps=kept, x=x, y=y)
        changed = with_mask(layer, changed)
        after = state.with_layer(changed)
        if len(state.layers) == 1 and layer.area == state.area:
            after = replace(after, width=changed.width, height=changed.height)
        super().__init__(document, text, after)


class AddResult(Command):
    """Put a result into a layer of its own right above the one it was made from, and select it.

    What is selected becomes its mask, so that the picture changes there alone; `pixels` are in the
    document's colours. It lies above the layer that it was made from, so what is below it is no longer what
    its recipe began with.
    """

    def __init__(
        self, document: Document, layer_id: str, pixels: Pixels | Raster, recipe: Recipe | None, text: str,
        maps: Any = None,
    ) -> None:  # fmt: skip
        state = document.state
        below = state.layer(layer_id)
        self.layer = Layer(
            name=translate("Commands", "{name}, edited").format(name=below.name),
            raster=_raster(pixels),
            made=None if recipe is None else replace(recipe, from_below=False),
            maps=below.maps if maps is None else maps,
            x=below.x,
            y=below.y,
            opacity=below.opacity,
            blend_mode=below.blend_mode,
            clipped=below.clipped,
            mask=state.selection,
        )
        super().__init__(document, text, added(state, self.layer, layer_id))


def place_result(
    document: Document,
    layer_id: str,
    pixels: Pixels | Raster,
    recipe: Recipe | None,
    text: str,
    maps: Any = None,
) -> ReplaceLayerResult | AddResult:
    """The command that gives a method's picture to the document: sRGB of 8 bits, or a raster of the document.

    Without a selection the layer gets it. With one, a new layer above gets it, with the selection as its
    mask and the recipe, so that the sliders go on working there; that layer is then changed in place.

    Raises:
        EditorError: the layer is locked, or the document's profile cannot be used.
    """
    state = document.state
    own = pixels if isinstance(pixels, Raster) else from_srgb(pixels, state.icc_profile)
    if state.selection is None or is_limited(state, layer_id):
        return ReplaceLayerResult(document, layer_id, own, recipe, text, maps)
    return AddResult(document, layer_id, own, recipe, text, maps)


def is_limited(state: DocumentState, layer_id: str) -> bool:
    """Whether the layer's mask is the selection already."""
    mask = state.node(layer_id).mask
    return mask is not None and state.selection is not None and mask.raster is state.selection.raster


def _raster(pixels: Pixels | Raster) -> Raster:
    return pixels if isinstance(pixels, Raster) else raster_of(pixels)


class SetRecipe(Command):
    """Change a layer's recipe without its pixels: sliders added or removed at zero."""

    def __init__(self, document: Document, layer_id: str, recipe: Recipe, text: str) -> None:
        state = document.state
        super().__init__(document, text, state.with_layer(state.layer(layer_id).changed(recipe=recipe)))


class SetSubjects(SetRecipe):
    """Choose which words of a layer's prompt are subjects.

    Raises:
        EditorError: the layer has no recipe, or a subject lies outside its prompt.
    """

    def __init__(
        self, document: Document, layer_id: str, subjects: Iterable[Subject], text: str = ""
    ) -> None:
        recipe = document.layer(layer_id).recipe
        if recipe is None:
            raise EditorError("This layer has no prompt, so it has no subjects.", "Choose a generated layer.")
        chosen = tuple(subjects)
        for subject in chosen:
            if not 0 <= subject.start < subject.end <= len(recipe.prompt):
                raise EditorError("“{text}” is not in the prompt.", text=short(subject.text))
        text = text or translate("Commands", "Choose subjects")
        super().__init__(document, layer_id, replace(recipe, subjects=chosen), text)
