"""The composite of a layer tree: the NumPy reference, float32 and straight alpha, by `editor.blending`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from editor import adjustments, blending
from editor.layer import Adjustment, BlendMode, Group, Layer, Node
from editor.pixels import read_only, transparent
from editor.raster import Area
from inference.request import Pixels

BAND_ROWS = 256  # rows composed at once: bounds the memory of the float buffers


def composite(nodes: Sequence[Node], region: Area) -> Pixels:
    """The visible nodes (bottom to top) over each other inside `region`: read-only RGBA uint8.

    A single opaque-as-is layer that covers the region is returned as it is, without a copy.
    """
    if region.is_empty:
        return np.zeros((0, 0, 4), np.uint8)
    shown = [node for node in nodes if _contributes(node, region)]
    if len(shown) == 1 and _passes_through(shown[0], region):
        layer = shown[0]
        assert isinstance(layer, Layer), "only a layer passes through"
        return layer.pixels[region.moved(-layer.x, -layer.y).within(Area(0, 0, layer.width, layer.height))]
    if not shown:
        return transparent(region.width, region.height)
    reach = sum(adjustments.reach_px(node.settings) for node in _adjustments(nodes))
    result = np.empty((region.height, region.width, 4), np.uint8)
    for top in range(0, region.height, BAND_ROWS):
        rows = min(BAND_ROWS, region.height - top)
        band = Area(region.x, region.y + top, region.width, rows)
        around = band.grown(reach)
        canvas = compose(nodes, np.zeros((around.height, around.width, 4), np.float32), around)
        result[top : top + rows] = (canvas[band.within(around)] * 255 + 0.5).astype(np.uint8)
    return read_only(result)


def compose(nodes: Sequence[Node], backdrop: NDArray[np.float32], area: Area) -> NDArray[np.float32]:
    """The nodes over a backdrop, straight RGBA [H, W, 4] in 0..1 over `area` of the document."""
    canvas = backdrop
    for base, clipped in _clipping_runs(nodes):
        if _contributes(base, area):
            canvas = _blend_node(canvas, base, clipped, area)
    return canvas


def blend_pixels(
    backdrop: NDArray[np.float32], source: NDArray[np.float32], mode: BlendMode
) -> NDArray[np.float32]:
    """Source over backdrop, both straight RGBA [..., 4] in 0..1; a result without alpha is all zero."""
    below, above = np.moveaxis(backdrop, -1, 0), np.moveaxis(source, -1, 0)
    colour, alpha = blending.blend(below[:3], below[3], above[:3], above[3], mode)
    return np.moveaxis(np.concatenate([colour, alpha[None]], dtype=np.float32), 0, -1)


def _blend_node(
    canvas: NDArray[np.float32], node: Node, clipped: Sequence[Node], area: Area
) -> NDArray[np.float32]:
    strength = _strength(node, area)
    if isinstance(node, Adjustment):
        planes = np.ascontiguousarray(np.moveaxis(canvas, 2, 0))
        adjusted = np.moveaxis(adjustments.apply(node.settings, planes), 0, 2)
        return _mixed(canvas, _adjusted(canvas, adjusted, node.blend_mode), strength)
    if isinstance(node, Group) and not node.isolated:
        return _mixed(canvas, compose(node.children, canvas, area), strength)
    source = _own_pixels(node, area)
    if clipped:
        alpha = source[..., 3:]
        shown = compose(clipped, np.concatenate([source[..., :3], np.ones_like(alpha)], axis=2), area)
        source = np.concatenate([shown[..., :3], alpha], axis=2)
    source = np.concatenate([source[..., :3], source[..., 3:] * strength], axis=2)
    return blend_pixels(canvas, source, node.blend_mode)


def _own_pixels(node: Node, area: Area) -> NDArray[np.float32]:
    """A layer or isolated group by itself, without its opacity and mask."""
    empty = np.zeros((area.height, area.width, 4), np.float32)
    if isinstance(node, Group):
        return compose(node.children, empty, area)
    assert isinstance(node, Layer), "adjustments have no pixels"
    common = node.area.intersected(area)
    if not common.is_empty:
        values = node.raster.read(common.moved(-node.x, -node.y))
        empty[common.within(area)] = values / np.float32(node.raster.top)
    return empty


def _strength(node: Node, area: Area) -> NDArray[np.float32]:
    """Opacity times mask [H, W, 1]."""
    if node.mask is None or not node.mask.enabled:
        return np.full((area.height, area.width, 1), node.opacity, np.float32)
    return (node.mask.read(area)[..., None] / np.float32(255) * np.float32(node.opacity)).astype(np.float32)


def _adjusted(
    canvas: NDArray[np.float32], adjusted: NDArray[np.float32], mode: BlendMode
) -> NDArray[np.float32]:
    if mode is BlendMode.NORMAL:
        return adjusted
    opaque = np.concatenate([canvas[..., :3], np.ones_like(canvas[..., 3:])], axis=2)
    top = np.concatenate([adjusted[..., :3], np.ones_like(canvas[..., 3:])], axis=2)
    return np.concatenate([blend_pixels(opaque, top, mode)[..., :3], canvas[..., 3:]], axis=2)


def _mixed(
    before: NDArray[np.float32], after: NDArray[np.float32], strength: NDArray[np.float32]
) -> NDArray[np.float32]:
    """From before to after by `strength`, colours weighted by alpha."""
    alpha = before[..., 3:] * (1 - strength) + after[..., 3:] * strength
    premultiplied = before[..., :3] * before[..., 3:] * (1 - strength)
    premultiplied = premultiplied + after[..., :3] * after[..., 3:] * strength
    colour = np.divide(premultiplied, alpha, out=np.zeros_like(premultiplied), where=alpha > 0)
    return np.concatenate([colour, alpha], axis=2)


def _clipping_runs(nodes: Sequence[Node]) -> list[tuple[Node, list[Node]]]:
    """Each unclipped node with the visible clipped ones right above it; at the bottom, to nothing."""
    runs: list[tuple[Node, list[Node]]] = []
    for node in nodes:
        if node.clipped and runs and not isinstance(runs[-1][0], Adjustment):
            runs[-1][1].append(node)
        else:
            runs.append((node, []))
    return runs


def _adjustments(nodes: Sequence[Node]) -> list[Adjustment]:
    found: list[Adjustment] = []
    for node in nodes:
        if isinstance(node, Adjustment):
            found.append(node)
        elif isinstance(node, Group):
            found += _adjustments(node.children)
    return found


def _contributes(node: Node, region: Area) -> bool:
    if not node.visible or node.opacity == 0:
        return False
    return node.area is None or not node.area.intersected(region).is_empty


def _passes_through(node: Node, region: Area) -> bool:
    """Over an empty backdrop every blend mode is the source itself."""
    return isinstance(node, Layer) and node.opacity == 1 and node.mask is None and node.area.contains(region)
