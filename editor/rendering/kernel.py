"""The fast composite of a layer tree over one area, at any mip level: float32 planes, little copied.

Equal to composing node by node with `editor.blending`; what cannot be seen is not computed: blank tiles, and
all that lies below an opaque normal layer. One area is one thread's work; long calls release the GIL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from editor import adjustments
from editor.blending.adjusting import adjust_onto
from editor.blending.backdrop import BOUNDLESS, Backdrop, Plane, Source, Strength, blend_onto, mix
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Adjustment, Group, Layer, Mask, Node
from editor.pixels.raster import Area
from editor.rendering.mipmaps import Mipmaps, scaled_area


class Renderer:
    """Composes nodes at one mip level; holds no picture itself."""

    def __init__(self, mipmaps: Mipmaps, level: int = 0) -> None:
        self._mipmaps = mipmaps
        self._level = level
        self._scale = 0.5**level

    def render(self, nodes: Sequence[Node], area: Area, bounds: Area | None = None) -> Backdrop:
        """The nodes over nothing inside `area`, given in pixels of the level.

        `bounds` is the document at that level: blurs and the like do not see beyond it.
        """
        around = area.grown(reach(nodes, self._level))
        if bounds is not None and bounds.contains(area):
            around = around.intersected(bounds)
        canvas = Backdrop.empty(around)
        self.compose(nodes, canvas, around)
        return canvas if around == area else canvas.part(area.within(around))

    def compose(self, nodes: Sequence[Node], canvas: Backdrop, area: Area) -> None:
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
        return self._mipmaps.is_full(node.raster, self._level, area.moved(-place.x, -place.y))

    def _add(self, canvas: Backdrop, node: Node, clipped: Sequence[Node], area: Area) -> None:
        if isinstance(node, Adjustment):
            self._adjust(canvas, node, area)
        elif isinstance(node, Group) and self._is_transparent_frame(node, clipped):
            self.compose(node.children, canvas, area)
        elif isinstance(node, Group) and not node.isolated and not clipped:
            after = canvas.copy()
            self.compose(node.children, after, area)
            mix(canvas, after, self._strength(node, area))
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

    def _add_pixels(self, canvas: Backdrop, node: Node, clipped: Sequence[Node], area: Area) -> None:
        place = self._place(node.area) if isinstance(node, Layer) else area
        boundless = node.blend_mode in BOUNDLESS or reach(clipped) > 0
        if not isinstance(node, Layer) or (boundless and not place.contains(area)):
            common, target, source = area, canvas, self._own(node, area)
        else:
            # only where the layer is
            common = place.intersected(area)
            target = canvas if common == area else canvas.part(common.within(area))
            source = self._layer(node, common)
        if source is None:
            return
        if clipped:
            source = self._with_clipped(source, clipped, common)
        blend_onto(target, source, self._strength(node, common), node.blend_mode)
        if target is not canvas:
            canvas.blank = False
            canvas.opaque = canvas.opaque and target.opaque

    def _with_clipped(self, source: Source | Backdrop, clipped: Sequence[Node], area: Area) -> Backdrop:
        base = source.planes() if isinstance(source, Source) else source
        inside = Backdrop(base.colour, np.ones_like(base.alpha), opaque=True)
        self._compose_inside(inside, _released(clipped), base.alpha, area)
        return Backdrop(inside.colour, base.alpha, base.opaque)

    def _compose_inside(self, canvas: Backdrop, nodes: Sequence[Node], seen: Plane, area: Area) -> None:
        """Put clipped nodes on an opaque canvas, which each of them leaves opaque.

        Its neighbours count for an adjustment by `seen`, the alpha of what the nodes are clipped to.
        """
        for node, clipped in self._seen(nodes, area):
            if isinstance(node, Adjustment):
                colour = self._adjusted(canvas.colour, seen, node).colour
                adjusted = Backdrop(colour, np.ones_like(seen), opaque=True)
                adjust_onto(canvas, adjusted, self._strength(node, area), node.blend_mode)
            elif isinstance(node, Group) and not node.isolated and not clipped:
                after = canvas.copy()
                self._compose_inside(after, node.children, seen, area)
                mix(canvas, after, self._strength(node, area))
            else:
                self._add_pixels(canvas, node, clipped, area)
            if not canvas.opaque:
                canvas.alpha[:] = 1
                canvas.opaque = True

    def _own(self, node: Node, area: Area) -> Backdrop:
        """A layer or group by itself over a whole area."""
        canvas = Backdrop.empty(area)
        if isinstance(node, Group):
            self.compose(node.children, canvas, area)
            return canvas
        assert isinstance(node, Layer), "adjustments have no pixels"
        common = self._place(node.area).intersected(area)
        found = self._layer(node, common) if not common.is_empty else None
        if found is not None:
            blend_onto(canvas.part(common.within(area)), found, np.float32(1), BlendMode.NORMAL)
            canvas.blank = False
        return canvas

    def _layer(self, layer: Layer, area: Area) -> Source | None:
        """The layer's own pixels in an area inside it; None where there is nothing to see."""
        x, y = self._corner(layer)
        samples, full, blank = self._mipmaps.patch(layer.raster, self._level, area.moved(-x, -y))
        if blank and layer.blend_mode not in BOUNDLESS:
            return None
        return Source(samples, full)

    def _corner(self, node: Layer | Mask) -> tuple[int, int]:
        return node.x >> self._level, node.y >> self._level

    def _strength(self, node: Node, area: Area) -> Strength:
        """Opacity times mask: a plane [h, w], or a number where there is no mask."""
        if node.mask is None or not node.mask.enabled:
            return np.float32(node.opacity)
        return self._mask(node.mask, area) * np.float32(node.opacity)

    def _mask(self, mask: Mask, area: Area) -> Plane:
        result = np.full((area.height, area.width), mask.outside / 255, np.float32)
        place = self._place(mask.area)
        common = place.intersected(area)
        if not common.is_empty:
            inside = common.moved(-place.x, -place.y)
            samples, _, _ = self._mipmaps.patch(mask.raster, self._level, inside)
            top = np.float32(np.iinfo(samples.dtype).max)
            result[common.within(area)] = samples[..., 0] / top
        return result

    def _adjust(self, canvas: Backdrop, node: Adjustment, area: Area) -> None:
        adjusted = self._adjusted(canvas.colour, canvas.alpha, node)
        adjusted.opaque, adjusted.blank = canvas.opaque, canvas.blank
        adjust_onto(canvas, adjusted, self._strength(node, area), node.blend_mode)

    def _adjusted(self, colour: Plane, alpha: Plane, node: Adjustment) -> Backdrop:
        planes = adjustments.apply(node.settings, np.concatenate([colour, alpha[None]]), self._scale)
        return Backdrop(planes[:3], planes[3])

    def _place(self, area: Area) -> Area:
        return area if self._level == 0 else scaled_area(area, self._level)


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
