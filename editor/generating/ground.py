"""A method's picture in a document of any depth and profile, without loss where the method changed nothing.

Methods take and give 8-bit sRGB. Their picture is not what lies in the document: 16 bits become 8, colours go
through another profile and back. So what counts is the difference between what a method was given and what it
gave, in the document's colours, and it is added to the document's own samples:

    layer = original + (in_document(result) - in_document(picture))

Equal pixels stay equal to the last bit, and a change keeps the noise below it that dithers it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from editor.colour.conversion import from_srgb, same_colours
from editor.formats.preparing import scaled
from editor.generating.pictures_below import made_from_below, nodes_below, picture_at
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, Nodes
from editor.pixels.arithmetic import to_rgba
from editor.pixels.raster import Area, Raster, Samples, frozen
from editor.rendering.compositing import composite_samples
from inference.request import Pixels
from inference.sizes import enlarged, enlarged_size


@dataclass(frozen=True, eq=False)
class Ground:
    """`picture` is what a method is given (uint8 RGB or RGBA, sRGB); `original` the same in the document."""

    picture: Pixels
    original: Raster
    profile: bytes = b""
    plain: bool = True  # the document's samples are what methods give

    def brought(self, result: Pixels) -> Raster:
        """A method's picture of the same size as a raster that shares the tiles in which nothing changed."""
        known, found = _comparable(self.picture, result)
        tiles = [
            tuple(self._tile(column, row, known, found) for column in range(self.original.columns))
            for row in range(self.original.rows)
        ]
        return Raster(self.original.width, self.original.height, tiles)

    def enlarged(self, factor: float) -> Ground:
        """The same at many times the size: what "enlarge" goes out from, of the document's own samples."""
        width, height = enlarged_size(self.picture, factor)
        original = scaled(self.original.array(), width, height, "lanczos")
        return replace(self, picture=enlarged(self.picture, factor), original=Raster.of(original))

    def _tile(self, column: int, row: int, known: Pixels, found: Pixels) -> Samples:
        original = self.original.tile(column, row)
        place = self.original.tile_area(column, row).within(self.original.area)
        before, after = known[place], found[place]
        if np.array_equal(before, after):
            return original
        if self.plain:
            return frozen(to_rgba(after))
        depth = 257 if original.dtype == np.uint16 else 1
        moved = _wide(after, self.profile) - _wide(before, self.profile)
        changed = original.astype(np.int32) + moved * depth
        return frozen(np.clip(changed, 0, np.iinfo(original.dtype).max).astype(original.dtype))


def ground_of(state: DocumentState, nodes: Nodes, area: Area, picture: Pixels) -> Ground | None:
    """The ground that `nodes` of a document give in an area; None where they show something else. Any thread.

    Args:
        picture: what a method was given of that area.
    """
    if picture.shape[:2] != (area.height, area.width):
        return None
    profile = state.icc_profile
    plain = same_colours(profile, b"")
    if state.depth == 8 and plain:
        return Ground(picture, Raster.of(to_rgba(picture)))
    if not np.array_equal(picture_at(nodes, area, profile, state.area), picture):
        return None
    samples = composite_samples(nodes, area, state.depth, bounds=state.area)
    return Ground(picture, Raster.of(frozen(samples)), b"" if plain else profile, plain=False)


class Grounds:
    """The ground of one layer, made once for each state of what is below it."""

    def __init__(self) -> None:
        self._known: tuple[tuple[object, ...], Ground | None] | None = None

    def of(self, state: DocumentState, layer: Layer, recipe: Recipe) -> Ground | None:
        """For the picture that `recipe` holds; None without one. Any thread, one at a time."""
        picture = recipe.contents.get(recipe.picture)
        if not isinstance(picture, np.ndarray):
            return None
        key = (recipe.picture, *made_from_below(state).get(layer.id, (layer.area, state.icc_profile)))
        if self._known is None or self._known[0] != key:
            nodes = nodes_below(state, layer.id)
            self._known = key, ground_of(state, nodes, layer.area, picture)
        return self._known[1]


def without_ground(result: Pixels, profile: bytes) -> Raster:
    """A method's picture by itself, in a document's colours."""
    return Raster.of(to_rgba(from_srgb(result, profile)))


def brought(ground: Ground | None, result: Pixels, profile: bytes) -> Raster:
    """On its ground if there is one of its size."""
    if ground is None or ground.picture.shape[:2] != result.shape[:2]:
        return without_ground(result, profile)
    return ground.brought(result)


def _comparable(first: Pixels, second: Pixels) -> tuple[Pixels, Pixels]:
    return (first, second) if first.shape[2] == second.shape[2] else (to_rgba(first), to_rgba(second))


def _wide(pixels: Pixels, profile: bytes) -> NDArray[np.int32]:
    """RGBA in the document's colours, to be subtracted."""
    return to_rgba(from_srgb(pixels, profile)).astype(np.int32)
