"""The composite of a layer tree as a picture: any part at once, or the whole document on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np

from editor.layers.layer import Layer, Node
from editor.layers.state import DocumentState
from editor.pixels.arithmetic import read_only, transparent
from editor.pixels.raster import TILE_PX, Area, Raster, Samples, frozen
from inference.progress import Progress
from inference.request import Pixels

if TYPE_CHECKING:  # the libraries behind these load when something is composed, not with the window
    from editor.blending.backdrop import Backdrop
    from editor.rendering.mipmaps import Mipmaps

__all__ = ["composite", "composite_samples", "flatten", "shared_mipmaps"]


def composite(nodes: Sequence[Node], region: Area, bounds: Area | None = None) -> Pixels:
    """The visible nodes (bottom to top) over each other inside `region`: read-only RGBA uint8.

    `bounds` is the document's area, beyond which blurs do not see; it is `region` if not given.
    A single opaque-as-is layer that covers the region is returned as it is, without a copy.
    """
    if region.is_empty:
        return np.zeros((0, 0, 4), np.uint8)
    shown = [node for node in nodes if node.visible and node.opacity > 0]
    if len(shown) == 1 and _passes_through(shown[0], region):
        layer = shown[0]
        assert isinstance(layer, Layer), "only a layer passes through"
        return layer.pixels[region.moved(-layer.x, -layer.y).within(Area(0, 0, layer.width, layer.height))]
    if not shown:
        return transparent(region.width, region.height)
    return read_only(cast("Pixels", composite_samples(nodes, region, 8, bounds=bounds)))


def flatten(state: DocumentState, progress: Progress | None = None) -> Raster:
    """The whole document as one raster of its own depth (8 or 16 bits), computed on all cores."""
    return Raster.of(frozen(composite_samples(state.layers, state.area, state.depth, progress)))


def composite_samples(
    nodes: Sequence[Node],
    region: Area,
    depth: int = 8,
    progress: Progress | None = None,
    bounds: Area | None = None,
) -> Samples:
    """RGBA samples [H, W, 4] of `region`, straight alpha, of 8 or 16 bits; colours without alpha are 0."""
    dtype = np.uint16 if depth == 16 else np.uint8
    result = cast("Samples", np.empty((region.height, region.width, 4), dtype))
    from editor.rendering.kernel import Renderer

    renderer = Renderer(shared_mipmaps())
    parts = list(_parts(region))

    def render(part: Area) -> None:
        pack(renderer.render(nodes, part, region if bounds is None else bounds), result[part.within(region)])

    if len(parts) == 1:
        render(parts[0])
        return result
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        _follow(pool, render, parts, progress)
    return result


def pack(canvas: Backdrop, into: Samples) -> None:
    """A canvas as straight integer samples, rounded."""
    import cv2

    from editor.blending.backdrop import rounded

    red, green, blue = rounded(canvas.colour, into.dtype)
    if canvas.opaque:
        alpha = np.full(canvas.alpha.shape, np.iinfo(into.dtype).max, into.dtype)
        into[:] = cv2.merge([red, green, blue, alpha])
        return
    alpha = rounded(canvas.alpha, into.dtype)
    into[:] = cv2.merge([red, green, blue, alpha])
    into[canvas.alpha <= 0] = 0


@lru_cache(maxsize=1)
def shared_mipmaps() -> Mipmaps:
    """What is known of tiles, for the whole process."""
    from editor.rendering.mipmaps import Mipmaps

    return Mipmaps()


def _follow(
    pool: ThreadPoolExecutor, render: Callable[[Area], None], parts: Sequence[Area], progress: Progress | None
) -> None:
    tasks = [pool.submit(render, part) for part in parts]
    try:
        for done, task in enumerate(tasks, 1):
            task.result()
            if progress is not None:
                progress.step(done, len(tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


def _parts(region: Area) -> Sequence[Area]:
    """Pieces of a tile's size that cover a region, on the tiles' own borders."""
    left, top = region.x - region.x % TILE_PX, region.y - region.y % TILE_PX
    return [
        Area(x, y, TILE_PX, TILE_PX).intersected(region)
        for y in range(top, region.bottom, TILE_PX)
        for x in range(left, region.right, TILE_PX)
    ]


def _passes_through(node: Node, region: Area) -> bool:
    """Over an empty backdrop every blend mode is the source itself."""
    if not isinstance(node, Layer) or node.clipped:  # what it is clipped to may be hidden
        return False
    return node.opacity == 1 and node.mask is None and node.area.contains(region)
