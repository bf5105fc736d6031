"""The pictures (RGBA) and attention maps that a slider session has seen; no signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editor.colour.conversion import to_srgb
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, with_edits
from editor.pixels.arithmetic import to_rgba
from editor.sliders.keyframes import PictureCache, Pose, Shown, SliderKey, context_of, key_of, shown
from editor.sliders.requests import pose_of, poses
from inference.content import DeltaFile, named
from inference.operations import EditedParameters, SamplingParameters
from inference.request import Pixels, Request, Result

MAP_PREFIX = "attention/"


class SliderPictures:
    """Learns from results and layers; answers what to show."""

    def __init__(self) -> None:
        self.cache = PictureCache()
        self.maps: dict[str, NDArray[np.float32]] = {}
        self._contexts: set[tuple[object, ...]] = set()  # those whose pictures are kept
        self._pins: dict[SliderKey, DeltaFile] = {}  # the delta that each slider's pictures were made with
        self._contents: dict[str, Any] = {}

    def expect(self, recipe: Recipe) -> None:
        """Pictures of this prompt and model will be kept."""
        self._contexts.add(context_of(recipe.request))

    def learn_layer(self, layer: Layer, profile: bytes = b"") -> None:
        """The layer's own pixels, in the colours of `profile`, are the picture of its recipe."""
        if layer.recipe is None:
            return
        self.expect(layer.recipe)
        self.cache.put(pose_of(layer.recipe), to_srgb(layer.pixels, profile))
        self.maps.update(layer.maps)

    def learn(self, request: Request, result: Result, current: Recipe) -> bool:
        """Keep a result's pictures if they are of an expected prompt and model; whether they are."""
        if (
            not isinstance(request.parameters, SamplingParameters)
            or context_of(request) not in self._contexts
        ):
            return False
        self._learn_deltas(result)
        for pose, pixels in zip(poses(request), result.images, strict=False):
            self.cache.put(pose, to_rgba(pixels))
        if context_of(request) == context_of(current.request):
            self.maps.update(result.maps)
        return True

    def pinned(self, recipe: Recipe) -> Recipe:
        """The recipe with the deltas that its pictures were made with, so that it gives them again."""
        if not recipe.edits:
            return recipe
        edits = tuple(
            edit if edit.delta is not None else replace(edit, delta=self._pins.get(key_of(edit)))
            for edit in recipe.edits
        )
        done = with_edits(recipe, edits)
        kept = named({**recipe.contents, **self._contents}, done.request.parameters)
        return replace(done, contents=kept)

    def forget(self) -> None:
        """Deltas were added or replaced: pictures made with others are no longer what a slider gives."""
        self.cache = PictureCache()
        self._pins.clear()

    def _learn_deltas(self, result: Result) -> None:
        parameters = result.request.parameters
        if isinstance(parameters, EditedParameters):
            self._pins |= {key_of(edit): edit.delta for edit in parameters.edits if edit.delta is not None}
            self._contents |= result.contents

    def shown(self, recipe: Recipe, group: Sequence[SliderKey]) -> Shown | None:
        """The best picture known for a recipe while `group` moves."""
        return shown(self.cache, pose_of(recipe), group)

    def picture(self, recipe: Recipe) -> Pixels | None:
        """The exact picture, if it is known."""
        return self.cache.get(pose_of(recipe))

    def knows(self, pose: Pose) -> bool:
        return pose in self.cache

    def heat(self, span: tuple[int, int]) -> NDArray[np.float32] | None:
        """Where the model sees characters [start, end): [h, w] in 0..1."""
        return self.maps.get(f"{MAP_PREFIX}{span[0]}-{span[1]}")
