"""What is written: a document's composite, made when it is asked for, band by band or whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Group, Layer, Node
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import TILE_PX, Area, Raster, Samples, frozen, to_eight_bits, to_sixteen_bits
from editor.rendering.compositing import composite_samples
from inference.request import Pixels

WHOLE_BYTES = 64 * 2**20  # smaller pictures are composed at once, and known to be opaque or not
_REMOVING = (BlendMode.DESTINATION_IN, BlendMode.DESTINATION_OUT, BlendMode.DESTINATION_ATOP)


class Picture:
    """The composite of a document as straight RGBA of `depth` 8 or 16 bits, and what its source carried."""

    def __init__(
        self,
        *,
        state: DocumentState,
        source: SourceMetadata,
        samples: Samples | None = None,
        depth: int | None = None,
    ) -> None:
        """`samples` [H, W, 4] stand in for the composite if they are given, and then say size and depth."""
        self.state = state
        self.source = source
        self._given = samples
        self._kept: tuple[int, Samples] | None = None
        self.depth = samples.dtype.itemsize * 8 if samples is not None else depth or state.depth

    @property
    def width(self) -> int:
        return self._given.shape[1] if self._given is not None else self.state.width

    @property
    def height(self) -> int:
        return self._given.shape[0] if self._given is not None else self.state.height

    def band(self, top: int, rows: int) -> Samples:
        """Some rows [rows, width, 4] from `top` on."""
        if self._is_whole:
            return self.samples[top : top + rows]
        first, last = top // TILE_PX, (top + rows - 1) // TILE_PX
        strips = [self._strip(index) for index in range(first, last + 1)]
        whole: Any = strips[0] if len(strips) == 1 else np.concatenate(strips)
        return whole[top - first * TILE_PX :][:rows]

    @cached_property
    def samples(self) -> Samples:
        """The whole picture [H, W, 4], read-only."""
        if self._given is not None:
            return self._given
        return rendered(self.state, self.state.area, self.depth)

    @property
    def pixels(self) -> Pixels:
        """The whole picture with 8 bits."""
        return to_eight_bits(self.samples)

    @cached_property
    def is_opaque(self) -> bool:
        """Whether nothing is transparent; for a large picture by what its layers are, which may miss some."""
        if self._is_whole:
            return bool((self.samples[..., 3] == np.iinfo(self.samples.dtype).max).all())
        return _covers(self.state.layers, self.state.area)

    @property
    def only_raster(self) -> Raster | None:
        """The raster of the layer that is the whole picture just as it is, if there is one."""
        layer = _alone(self.state.layers, self.state.area) if self._given is None else None
        return layer.raster if layer is not None and layer.area == self.state.area else None

    def _strip(self, index: int) -> Samples:
        """A row of tiles; the last one is kept, because bands come one after the other."""
        if self._kept is None or self._kept[0] != index:
            rows = min(TILE_PX, self.height - index * TILE_PX)
            area = Area(0, index * TILE_PX, self.width, rows)
            self._kept = (index, rendered(self.state, area, self.depth))
        return self._kept[1]

    @property
    def _is_whole(self) -> bool:
        whole = self.width * self.height * self.depth // 2 <= WHOLE_BYTES
        return whole or self._given is not None or "samples" in self.__dict__


def rendered(state: DocumentState, area: Area, depth: int) -> Samples:
    """The composite of an area with 8 or 16 bits; a single layer alone gives its own samples."""
    alone = _alone(state.layers, area)
    if alone is None:
        return frozen(composite_samples(state.layers, area, depth))
    samples = alone.raster.read(area.moved(-alone.x, -alone.y))
    return to_sixteen_bits(samples) if depth == 16 else to_eight_bits(samples)


def _alone(nodes: Sequence[Node], area: Area) -> Layer | None:
    """The only visible layer, if it fills the area just as it is."""
    shown = [node for node in nodes if node.visible and node.opacity > 0]
    if len(shown) != 1 or not isinstance(shown[0], Layer):
        return None
    layer = shown[0]
    plain = layer.opacity == 1 and layer.mask is None and not layer.clipped
    return layer if plain and layer.area.contains(area) else None


def _covers(nodes: Sequence[Node], area: Area) -> bool:
    """Whether some plain opaque layer fills the area and nothing takes from it."""
    shown = [node for node in nodes if node.visible]
    if any(node.blend_mode in _REMOVING or isinstance(node, Group) for node in shown):
        return False
    return any(
        isinstance(node, Layer)
        and node.opacity == 1
        and node.mask is None
        and not node.clipped
        and node.area.contains(area)
        and _is_opaque(node)
        for node in shown
    )


def _is_opaque(layer: Layer) -> bool:
    raster = layer.raster
    return all(
        bool((raster.tile(column, row)[..., 3] == raster.top).all())
        for row in range(raster.rows)
        for column in range(raster.columns)
    )
