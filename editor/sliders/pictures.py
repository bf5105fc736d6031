"""The pictures and attention maps that a slider session has seen; no signals.

A method's pictures become rasters in the document's colours and depth (`prepared`), which for a large one
takes a while and may be done on any thread. A raster shares the tiles in which it equals the layer's own, so
that a photo of which a face changes is held once, and the canvas is told that only the face changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from editor.generating.ground import Grounds, brought
from editor.generating.heatmaps import subject_box
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, with_edits
from editor.layers.state import DocumentState
from editor.layers.subject_masks import automatic_mask
from editor.pixels.raster import Area, Raster, sharing
from editor.rendering.thumbnails import sampled_part
from editor.sliders.keyframes import (
    PictureCache,
    Pose,
    Shown,
    SliderKey,
    context_of,
    sampling_parameters,
    shown,
)
from editor.sliders.requests import pose_of, poses
from inference.content import DeltaFile, named
from inference.operations import EditedParameters, SamplingParameters, SubjectEdit
from inference.request import Pixels, Request, Result

Origin: TypeAlias = tuple[str, int | None, str]
MAP_PREFIX = "attention/"
_LOOK_PX = 96
_SEEN = re.compile(r"seen/(\d+)-(\d+)/(\d+)", re.ASCII)


class Prepared(NamedTuple):
    """A result's pictures in the document, and the state of the document in which they are so."""

    rasters: tuple[Raster, ...]
    profile: bytes


def prepared(
    state: DocumentState, layer: Layer, result: Result, recipe: Recipe, grounds: Grounds
) -> Prepared:
    """A result's pictures in the document; any thread.

    Args:
        layer: whose pictures they are.
        recipe: holds the picture that they were made from, if any.
    """
    ground = grounds.of(state, layer, recipe)
    rasters = [brought(ground, image, state.icc_profile) for image in result.images]
    if result.maps and recipe.picture:
        automatic_mask(layer, {**layer.maps, **result.maps})  # kept there, for when it is shown
    return Prepared(tuple(sharing(raster, layer.raster) for raster in rasters), state.icc_profile)


def looked_at(raster: Raster, heat: NDArray[np.float32] | None) -> Pixels:
    """The subject in a picture, small: what two positions of its slider are compared by."""
    box = subject_box(heat) if heat is not None else QRectF(0, 0, 1, 1)
    left, top = int(box.left() * raster.width), int(box.top() * raster.height)
    width, height = int(box.width() * raster.width), int(box.height() * raster.height)
    part = Area(left, top, max(1, width), max(1, height)).intersected(raster.area)
    return sampled_part(raster, part, max(1, max(part.width, part.height) // _LOOK_PX))


def _pin(request: Request, edit: SubjectEdit) -> tuple[str, str, str]:
    """What decides an edit's delta: at the same characters another prompt may have another subject."""
    words = sampling_parameters(request).prompt[edit.start : edit.end]
    return request.model, words.casefold(), edit.attribute


class SliderPictures:
    """Learns from results and layers; answers what to show."""

    def __init__(self) -> None:
        self.cache = PictureCache()
        self._maps: dict[Origin, dict[str, NDArray[np.float32]]] = {}
        self._contexts: set[tuple[object, ...]] = set()  # those whose pictures are kept
        self._pins: dict[tuple[str, str, str], DeltaFile] = {}  # the delta that pictures were made with
        self._contents: dict[str, Any] = {}
        self._lost: set[tuple[Pose, int, int]] = set()  # pictures in which a subject was not found

    def expect(self, recipe: Recipe) -> None:
        """Pictures of this prompt and model will be kept."""
        self._contexts.add(context_of(recipe.request))

    def learn_layer(self, layer: Layer) -> None:
        """The layer's own pixels are the picture of its recipe."""
        if layer.recipe is None:
            return
        self.expect(layer.recipe)
        self.cache.put(pose_of(layer.recipe), layer.raster)
        self._take_maps(layer.recipe, layer.maps)

    def expects(self, request: Request) -> bool:
        """Whether its pictures are of a prompt and model that is expected."""
        return isinstance(request.parameters, SamplingParameters) and context_of(request) in self._contexts

    def learn(self, request: Request, result: Result, rasters: Sequence[Raster], current: Recipe) -> bool:
        """Keep a result's pictures, as `prepared` gives them, if they are expected; whether they are."""
        if not self.expects(request):
            return False
        self._learn_deltas(request, result)
        for pose, raster in zip(poses(request), rasters, strict=False):
            self.cache.put(pose, raster)
        self._learn_lost(request, result)
        if context_of(request) == context_of(current.request):
            self._take_maps(current, result.maps)
        return True

    def maps_of(self, recipe: Recipe) -> Mapping[str, NDArray[np.float32]]:
        """What was seen in a recipe's picture: characters of another prompt say nothing of this one.

        Nothing of one that was cut or turned since.
        """
        return {} if recipe.lacks_picture else self._maps.get(recipe.origin, {})

    def _take_maps(self, recipe: Recipe, maps: Mapping[str, NDArray[np.float32]]) -> None:
        if not recipe.lacks_picture:
            self._maps.setdefault(recipe.origin, {}).update(maps)

    def pinned(self, recipe: Recipe) -> Recipe:
        """The recipe with the deltas that its pictures were made with, so that it gives them again."""
        if not recipe.edits:
            return recipe
        edits = tuple(
            edit
            if edit.delta is not None
            else replace(edit, delta=self._pins.get(_pin(recipe.request, edit)))
            for edit in recipe.edits
        )
        done = with_edits(recipe, edits)
        kept = named({**recipe.contents, **self._contents}, done.request.parameters)
        return replace(done, contents=kept)

    def forget(self) -> None:
        """Deltas were added or replaced: pictures made with others are no longer what a slider gives."""
        self.cache = PictureCache()
        self._pins.clear()
        self._lost.clear()

    def lost(self, pose: Pose, span: tuple[int, int]) -> bool:
        """Whether a subject was looked for in a picture and not found."""
        return (pose, *span) in self._lost

    def _learn_lost(self, request: Request, result: Result) -> None:
        known = poses(request)
        for name, value in result.scores.items():
            found = _SEEN.fullmatch(name)
            if found is None:
                continue
            start, end, number = map(int, found.groups())
            if number < len(known):
                (self._lost.discard if value else self._lost.add)((known[number], start, end))

    def _learn_deltas(self, request: Request, result: Result) -> None:
        parameters = result.request.parameters
        if isinstance(parameters, EditedParameters):
            for edit in parameters.edits:
                if edit.delta is not None:
                    self._pins[_pin(request, edit)] = edit.delta
            self._contents |= result.contents

    def shown(self, recipe: Recipe, group: Sequence[SliderKey]) -> Shown | None:
        """The best picture known for a recipe while `group` moves."""
        return shown(self.cache, pose_of(recipe), group)

    def picture(self, recipe: Recipe) -> Raster | None:
        """The exact picture, if it is known."""
        return self.cache.get(pose_of(recipe))

    def knows(self, pose: Pose) -> bool:
        return pose in self.cache

    def heat(self, recipe: Recipe, span: tuple[int, int]) -> NDArray[np.float32] | None:
        """Where the model sees characters [start, end) in a recipe's picture: [h, w] in 0..1."""
        return self.maps_of(recipe).get(f"{MAP_PREFIX}{span[0]}-{span[1]}")
