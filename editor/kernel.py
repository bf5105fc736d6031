"""The fast composite of a layer tree over one area, at any mip level: float32 planes, little copied.

Equal to composing node by node with `editor.blending`; what cannot be seen is not computed: blank tiles, and
all that lies below an opaque normal layer. One area is one thread's work; long calls release the GIL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from editor import adjustments
from editor.blend_mode import BlendMode
from editor.blending import BLENDS, blend
from editor.layer import Adjustment, Group, Layer, Mask, Node
from editor.mipmaps import Facts, Mipmaps, scaled_area
from editor.raster import Area, Raster

Plane: TypeAlias = NDArray[np.float32]
Window: TypeAlias = tuple[slice, slice]

# Modes whose result depends on the source also where it is transparent.
BOUNDLESS = frozenset({BlendMode.DESTINATION_IN, BlendMode.DESTINATION_ATOP})
_ONE = np.float32(1)


@dataclass
class Canvas:
    """A composite that is being made: straight colour [3, h, w] and alpha [h, w] in 0..1.

    `opaque` says that alpha is 1 everywhere, which makes everything cheaper.
    """

    colour: Plane
    alpha: Plane
    opaque: bool = False

    @classmethod
    def empty(cls, area: Area) -> Canvas:
        shape = (area.height, area.width)
        return cls(np.zeros((3, *shape), np.float32), np.zeros(shape, np.float32))

    def copy(self) -> Canvas:
        return Canvas(self.colour.copy(), self.alpha.copy(), self.opaque)

    def part(self, window: Window) -> Canvas:
        """A view of some rows and columns; writing to it writes here."""
        return Canvas(self.colour[:, *window], self.alpha[window], self.opaque)


class Renderer:
    """Composes nodes at one mip level; holds no picture itself."""

    def __init__(self, mipmaps: Mipmaps, level: int = 0) -> None:
        self._mipmaps = mipmaps
        self._level = level
        self._scale = 0.5**level

    def render(self, nodes: Sequence[Node], area: Area, bounds: Area | None = None) -> Canvas:
        """The nodes over nothing inside `area`, given in pixels of the level.

        `bounds` is the document at that level: blurs and the like do not see beyond it.
        """
        around = area.grown(reach(nodes, self._level))
        if bounds is not None and bounds.contains(area):
            around = around.intersected(bounds)
        canvas = Canvas.empty(around)
        self.compose(nodes, canvas, around)
        return canvas if around == area else canvas.part(area.within(around))

    def compose(self, nodes: Sequence[Node], canvas: Canvas, area: Area) -> None:
        """Put the nodes over what the canvas shows."""
        for base, clipped in self._seen(nodes, area):
            self._add(canvas, base, clipped, area)

    def _seen(self, nodes: Sequence[Node], area: Area) -> list[tuple[Node, list[Node]]]:
        """The clipping runs that count in an area: from the topmost that hides all below it."""
        runs = [run for run in clipping_runs(nodes) if self._contributes(run[0], area)]
        for index in range(len(runs) - 1, 0, -1):
            if self._hides(runs[index][0], area):
                return runs[index:]
        return runs

    def _contributes(self, node: Node, area: Area) -> bool:
        if not node.visible or node.opacity == 0:
            return False
        if node.blend_mode in BOUNDLESS or node.area is None:
            return True
        return not self._place(node.area).intersected(area).is_empty

    def _hides(self, node: Node, area: Area) -> bool:
        if not isinstance(node, Layer) or node.blend_mode is not BlendMode.NORMAL or node.opacity < 1:
            return False
        if node.mask is not None and node.mask.enabled:
            return False
        place = self._place(node.area)
        if not place.contains(area):
            return False
        inside = area.moved(-place.x, -place.y)
        tiles = self._mipmaps.tiles_in(node.raster, self._level, inside)
        return all(self._facts(node.raster, c, r).full for _, c, r in tiles)

    def _add(self, canvas: Canvas, node: Node, clipped: Sequence[Node], area: Area) -> None:
        if isinstance(node, Adjustment):
            self._adjust(canvas, node, area)
        elif isinstance(node, Group) and self._is_transparent_frame(node, clipped):
            self.compose(node.children, canvas, area)
        elif isinstance(node, Group) and not node.isolated and not clipped:
            after = canvas.copy()
            self.compose(node.children, after, area)
            _mix(canvas, after, self._strength(node, area))
        else:
            self._add_pixels(canvas, node, clipped, area)

    def _is_transparent_frame(self, group: Group, clipped: Sequence[Node]) -> bool:
        """Whether the children may as well stand in the group's place."""
        plain = group.opacity == 1 and (group.mask is None or not group.mask.enabled) and not clipped
        if not plain:
            return False
        if not group.isolated:
            return True
        # source-over is associative, so a group of nothing else dissolves
        return group.blend_mode is BlendMode.NORMAL and all(
            isinstance(child, Layer) and child.blend_mode is BlendMode.NORMAL and not child.clipped
            for child in group.children
        )

    def _add_pixels(self, canvas: Canvas, node: Node, clipped: Sequence[Node], area: Area) -> None:
        if isinstance(node, Layer) and node.blend_mode not in BOUNDLESS:
            # only where the layer is
            common = self._place(node.area).intersected(area)
            window = common.within(area)
            source = self._layer(node, common)
            target = canvas if common == area else canvas.part(window)
        else:
            common, target, source = area, canvas, self._own(node, area)
        if source is None:
            return
        if clipped:
            inside = Canvas(source.colour.copy(), np.ones_like(source.alpha), opaque=True)
            self.compose(_released(clipped), inside, common)
            source = Canvas(inside.colour, source.alpha, source.opaque)
        covers = common == area
        became_opaque = _blend(target, source, self._strength(node, common), node.blend_mode)
        if covers and became_opaque:
            canvas.opaque = True
        elif node.blend_mode in _THINNING:
            canvas.opaque = False

    def _own(self, node: Node, area: Area) -> Canvas | None:
        """A layer or isolated group by itself over a whole area."""
        canvas = Canvas.empty(area)
        if isinstance(node, Group):
            self.compose(node.children, canvas, area)
            return canvas
        assert isinstance(node, Layer), "adjustments have no pixels"
        common = self._place(node.area).intersected(area)
        found = self._layer(node, common) if not common.is_empty else None
        if found is not None:
            window = common.within(area)
            canvas.colour[:, *window], canvas.alpha[window] = found.colour, found.alpha
        return canvas

    def _layer(self, layer: Layer, area: Area) -> Canvas | None:
        """The layer's own pixels in an area inside it; None where there is nothing to see."""
        place = self._place(layer.area)
        inside = area.moved(-place.x, -place.y)
        tiles = self._mipmaps.tiles_in(layer.raster, self._level, inside)
        facts = [self._facts(layer.raster, c, r) for _, c, r in tiles]
        if all(fact.blank for fact in facts):
            return None
        samples = self._samples(layer.raster, inside)
        planes = _planes(samples)
        return Canvas(planes[:3], planes[3], opaque=all(fact.full for fact in facts))

    def _samples(self, raster: Raster, area: Area) -> NDArray[np.uint8] | NDArray[np.uint16]:
        tiles = self._mipmaps.tiles_in(raster, self._level, area)
        if len(tiles) == 1:
            place, column, row = tiles[0]
            return self._mipmaps.tile(raster, self._level, column, row)[area.within(place)]
        dtype = raster.dtype if self._level == 0 else np.dtype(np.uint8)
        samples = np.empty((area.height, area.width, raster.channels), dtype)
        for place, column, row in tiles:
            common = place.intersected(area)
            tile = self._mipmaps.tile(raster, self._level, column, row)
            samples[common.within(area)] = tile[common.within(place)]
        return samples

    def _facts(self, raster: Raster, column: int, row: int) -> Facts:
        return self._mipmaps.facts(self._mipmaps.tile(raster, self._level, column, row))

    def _strength(self, node: Node, area: Area) -> Plane | np.float32:
        """Opacity times mask: a plane [h, w], or a number where there is no mask."""
        if node.mask is None or not node.mask.enabled:
            return np.float32(node.opacity)
        return self._mask(node.mask, area) * np.float32(node.opacity)

    def _mask(self, mask: Mask, area: Area) -> Plane:
        result = np.full((area.height, area.width), mask.outside / 255, np.float32)
        place = self._place(mask.area)
        common = place.intersected(area)
        if not common.is_empty:
            samples = self._samples(mask.raster, common.moved(-place.x, -place.y))
            top = np.float32(np.iinfo(samples.dtype).max)
            result[common.within(area)] = samples[..., 0] / top
        return result

    def _adjust(self, canvas: Canvas, node: Adjustment, area: Area) -> None:
        planes = np.concatenate([canvas.colour, canvas.alpha[None]])
        adjusted = adjustments.apply(node.settings, planes, self._scale)
        after = Canvas(adjusted[:3], adjusted[3], canvas.opaque)
        if node.blend_mode in BLENDS:
            after.colour = BLENDS[node.blend_mode](canvas.colour, after.colour)
        _mix(canvas, after, self._strength(node, area))

    def _place(self, area: Area) -> Area:
        return area if self._level == 0 else scaled_area(area, self._level)


_THINNING = frozenset({BlendMode.DESTINATION_IN, BlendMode.DESTINATION_OUT, BlendMode.DESTINATION_ATOP})


def reach(nodes: Sequence[Node], level: int = 0) -> int:
    """How far around an area its composite depends on pixels, in pixels of the level."""
    total = 0
    for node in nodes:
        if isinstance(node, Adjustment) and node.visible:
            total += adjustments.reach_px(node.settings)
        elif isinstance(node, Group) and node.visible:
            total += reach(node.children)
    return -(-total >> level)


def clipping_runs(nodes: Sequence[Node]) -> list[tuple[Node, list[Node]]]:
    """Each unclipped node with the clipped ones right above it; at the bottom, clipped to nothing.

    A hidden base hides what is clipped to it.
    """
    runs: list[tuple[Node, list[Node]]] = []
    for node in nodes:
        if node.clipped and runs and not isinstance(runs[-1][0], Adjustment):
            runs[-1][1].append(node)
        else:
            runs.append((node, []))
    return runs


def _released(nodes: Sequence[Node]) -> list[Node]:
    """Clipped nodes as they blend with each other inside their base."""
    return [node.changed(clipped=False) for node in nodes]


def _planes(samples: NDArray[np.uint8] | NDArray[np.uint16]) -> Plane:
    """Samples [h, w, C] as planes [C, h, w] in 0..1."""
    factor = np.float32(1 / np.iinfo(samples.dtype).max)
    planes = np.empty((samples.shape[2], *samples.shape[:2]), np.float32)
    for index, plane in enumerate(cv2.split(samples)):
        planes[index] = plane
    planes *= factor
    return planes


def _blend(canvas: Canvas, source: Canvas, strength: Plane | np.float32, mode: BlendMode) -> bool:
    """Blend in place; whether the canvas is opaque now wherever it was written.

    For the blend modes, with k = as·strength:  ao = k + ab·(1 - k),  Co = Cb + (k / ao)·(C' - Cb)  where
    C' = Cs + ab·(B(Cb, Cs) - Cs); the same as the equations of `editor.blending`, with fewer operations.
    """
    whole = not isinstance(strength, np.ndarray) and strength == 1
    if mode is not BlendMode.NORMAL and mode not in BLENDS:
        alpha = np.broadcast_to(source.alpha * strength, canvas.alpha.shape)
        canvas.colour[:], canvas.alpha[:] = blend(canvas.colour, canvas.alpha, source.colour, alpha, mode)
        return canvas.opaque and mode not in _THINNING
    if mode is BlendMode.NORMAL and source.opaque and whole:
        canvas.colour[:], canvas.alpha[:] = source.colour, 1
        return True
    share = strength if source.opaque else (source.alpha if whole else source.alpha * strength)
    mixed = source.colour if mode is BlendMode.NORMAL else BLENDS[mode](canvas.colour, source.colour)
    if canvas.opaque:
        step = mixed - canvas.colour
        step *= share
        canvas.colour += step
        return True
    if mode is not BlendMode.NORMAL:
        mixed = mixed - source.colour
        mixed *= canvas.alpha
        mixed += source.colour
    alpha = canvas.alpha * (_ONE - share)
    alpha += share
    weight = np.divide(share, alpha, out=np.zeros_like(alpha), where=alpha > 0)
    step = mixed - canvas.colour
    step *= weight
    canvas.colour += step
    canvas.alpha[:] = alpha
    return source.opaque and whole


def _mix(canvas: Canvas, after: Canvas, strength: Plane | np.float32) -> None:
    """From the canvas to `after` by `strength`, colours weighted by alpha; in place."""
    if not isinstance(strength, np.ndarray) and strength == 1:
        canvas.colour[:], canvas.alpha[:] = after.colour, after.alpha
        canvas.opaque = after.opaque
        return
    if canvas.opaque and after.opaque:
        canvas.colour += (after.colour - canvas.colour) * strength
        return
    before = canvas.alpha * (_ONE - strength)
    gained = after.alpha * strength
    alpha = before + gained
    total = canvas.colour * before + after.colour * gained
    shape = total.shape
    seen = np.broadcast_to(alpha > 0, shape)
    canvas.colour[:] = np.divide(total, np.broadcast_to(alpha, shape), out=np.zeros_like(total), where=seen)
    canvas.alpha[:] = alpha
    canvas.opaque = False
