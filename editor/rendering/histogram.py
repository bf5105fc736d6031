"""How often each value occurs in a picture: what levels and curves are drawn over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Node
from editor.layers.state import DocumentState
from editor.pixels.raster import Area

BINS = 256
ENOUGH_PIXELS = 500_000  # a larger picture is counted at half, quarter … size

Counts = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Weights [256] of the values of each channel; a pixel counts by its alpha."""

    red: Counts
    green: Counts
    blue: Counts
    luminosity: Counts

    @property
    def total(self) -> float:
        return float(self.luminosity.sum())


def histogram_below(state: DocumentState, node_id: str) -> Histogram:
    """What an adjustment gets to see: the composite of its siblings below. Takes a while; any thread.

    Raises:
        EditorError: the document has no such node.
    """
    siblings = state.siblings(node_id)
    below = siblings[: state.index(node_id)]
    group = state.parent(node_id)
    while group is not None and not group.isolated:  # what is below a pass-through group shows through it
        outer = state.siblings(group.id)[: state.index(group.id)]
        below, group = (*outer, *below), state.parent(group.id)
    return histogram(below, state.area)


def histogram(nodes: Sequence[Node], document: Area, area: Area | None = None) -> Histogram:
    """The histogram of the nodes' composite inside `area` (default: the whole document)."""
    from editor.rendering.compositing import shared_mipmaps
    from editor.rendering.kernel import Renderer

    part = document if area is None else area.intersected(document)
    level = 0
    while (part.width >> level) * (part.height >> level) > ENOUGH_PIXELS:
        level += 1
    reduced = _reduced(part, level)
    canvas = Renderer(shared_mipmaps(), level).render(nodes, reduced, _reduced(document, level))
    red, green, blue = canvas.colour
    luminosity = np.float32(0.3) * red + np.float32(0.59) * green + np.float32(0.11) * blue
    channels = (red, green, blue, luminosity)
    counted = [_counted(channel, canvas.alpha) for channel in channels]
    return Histogram(red=counted[0], green=counted[1], blue=counted[2], luminosity=counted[3])


def shown_heights(counts: Counts) -> list[float]:
    """Counts as heights 0..1 in a mild root, so that few dark pixels can be seen beside many.

    The darkest and the brightest bin, where clipped pixels gather, do not set the scale.
    """
    top = max(float(counts[1:-1].max(initial=0)), 1.0)
    return np.sqrt(np.minimum(counts / top, 1)).tolist()


def _counted(values: NDArray[np.float32], weights: NDArray[np.float32]) -> Counts:
    bins = np.minimum((values * np.float32(255) + np.float32(0.5)).astype(np.int32), BINS - 1)
    return np.asarray(np.bincount(bins.ravel(), weights=weights.ravel(), minlength=BINS), np.float64)


def _reduced(area: Area, level: int) -> Area:
    return Area(area.x >> level, area.y >> level, -(-area.width >> level), -(-area.height >> level))
