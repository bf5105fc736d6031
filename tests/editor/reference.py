"""The composite written down node by node, slow and plain: what the fast one is measured against."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from editor import adjustments, blending
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Node
from editor.pixels.raster import Area

BOUNDLESS = (BlendMode.DESTINATION_IN, BlendMode.DESTINATION_ATOP)


def composed(nodes: Sequence[Node], area: Area) -> NDArray[np.float32]:
    """Straight RGBA [H, W, 4] in 0..1 of the nodes over nothing."""
    return compose(nodes, np.zeros((area.height, area.width, 4), np.float32), area)


def compose(nodes: Sequence[Node], backdrop: NDArray[np.float32], area: Area) -> NDArray[np.float32]:
    """The nodes over a backdrop, straight RGBA [H, W, 4] in 0..1 over `area` of the document."""
    canvas = backdrop
    for base, clipped in _clipping_runs(nodes):
        if _contributes(base, area):
            canvas = _blend_node(canvas, base, clipped, area)
    return canvas


def _blend_node(
    canvas: NDArray[np.float32], node: Node, clipped: Sequence[Node], area: Area
) -> NDArray[np.float32]:
    strength = _strength(node, area)
    if isinstance(node, Adjustment):
        planes = np.ascontiguousarray(np.moveaxis(canvas, 2, 0))
        adjusted = np.moveaxis(adjustments.apply(node.settings, planes), 0, 2)
        return _mixed(canvas, _adjusted(canvas, adjusted, node.blend_mode), strength)
    if isinstance(node, Group) and not node.isolated and not clipped:
        return _mixed(canvas, compose(node.children, canvas, area), strength)
    source = _own_pixels(node, area)
    if clipped:
        alpha = source[..., 3:]
        shown = compose(
            [node.changed(clipped=False) for node in clipped],
            np.concatenate([source[..., :3], np.ones_like(alpha)], axis=2),
            area,
        )
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
    mask = node.mask
    values = np.full((area.height, area.width, 1), mask.outside / 255, np.float32)
    common = mask.area.intersected(area)
    if not common.is_empty:
        inside = common.moved(-mask.x, -mask.y)
        values[common.within(area)] = mask.raster.read(inside) / np.float32(mask.raster.top)
    return values * np.float32(node.opacity)


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


def _contributes(node: Node, region: Area) -> bool:
    if not node.visible or node.opacity == 0:
        return False
    if node.blend_mode in BOUNDLESS:
        return True
    return node.area is None or not node.area.intersected(region).is_empty


def blend_pixels(
    backdrop: NDArray[np.float32], source: NDArray[np.float32], mode: BlendMode
) -> NDArray[np.float32]:
    below, above = np.moveaxis(backdrop, -1, 0), np.moveaxis(source, -1, 0)
    colour, alpha = blending.blend(below[:3], below[3], above[:3], above[3], mode)
    return np.moveaxis(np.concatenate([colour, alpha[None]], dtype=np.float32), 0, -1)
