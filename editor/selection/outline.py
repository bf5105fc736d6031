"""The outline of a selection along the edges of pixels, for the marching ants."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.selection.tiles import Values, bounds

Polyline = list[tuple[float, float]]
_HALF = 128
_EAST, _SOUTH, _WEST, _NORTH = range(4)


def outline(mask: Mask, scale: float = 1.0, within: Area | None = None) -> list[Polyline]:
    """Closed lines around what is selected by half or more, in document coordinates, without a closing point.

    Inside lies to the right of the way. Call it on a pool thread for large pictures.

    Args:
        scale: screen pixels a document pixel; below 1 the outline is no finer than the screen.
        within: only this part is looked at; where it cuts the selection, the outline follows the cut.
    """
    area = bounds(mask)
    if within is not None:
        area = area.intersected(within)
    if area.is_empty:
        return []
    factor = max(1, math.floor(1 / scale)) if scale < 1 else 1
    chosen = _reduced(mask, area, factor)
    return [[(area.x + x * factor, area.y + y * factor) for x, y in line] for line in _traced(chosen)]


def _reduced(mask: Mask, area: Area, factor: int) -> NDArray[np.bool_]:
    """Whether cells of `factor` × `factor` pixels are selected on the whole; [rows, columns]."""
    import cv2

    if factor == 1:
        return mask.read(area) >= _HALF
    rows: list[Values] = []
    width = -(-area.width // factor)
    step = max(1, 512 // factor) * factor
    for y in range(area.y, area.bottom, step):
        height = min(step, area.bottom - y)
        band = mask.read(Area(area.x, y, width * factor, -(-height // factor) * factor))
        size = (width, band.shape[0] // factor)
        rows.append(np.asarray(cv2.resize(band, size, interpolation=cv2.INTER_AREA), np.uint8))
    return np.concatenate(rows) >= _HALF


def _traced(chosen: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """Corner points of all boundaries; parts that touch at a corner only are apart."""
    starts, ends, ways = _edges(chosen)
    following = _following(starts, ends, ways)
    corner = ways[following] != ways
    width = chosen.shape[1] + 1
    next_of, is_corner, end_of = following.tolist(), corner.tolist(), ends.tolist()
    seen = bytearray(len(next_of))
    lines: list[list[tuple[int, int]]] = []
    for first in range(len(next_of)):
        if seen[first]:
            continue
        line: list[tuple[int, int]] = []
        edge = first
        while not seen[edge]:
            seen[edge] = 1
            if is_corner[edge]:
                y, x = divmod(end_of[edge], width)
                line.append((x, y))
            edge = next_of[edge]
        lines.append(line)
    return lines


def _edges(chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]:
    """Directed edges between chosen pixels and others: start and end (numbers of grid points), direction."""
    height, width = chosen.shape
    framed = np.zeros((height + 2, width + 2), np.int8)
    framed[1:-1, 1:-1] = chosen
    down = framed[1:, 1:-1] - framed[:-1, 1:-1]  # [height + 1, width]: 1 enters the selection from above
    right = framed[1:-1, 1:] - framed[1:-1, :-1]  # [height, width + 1]: 1 enters it from the left
    row = width + 1
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], int]] = []
    for plane, sign, way in ((down, 1, _EAST), (down, -1, _WEST), (right, 1, _NORTH), (right, -1, _SOUTH)):
        y, x = np.nonzero(plane == sign)
        low = y * row + x
        high = low + (1 if plane is down else row)
        forward = way in (_EAST, _SOUTH)
        parts.append((low if forward else high, high if forward else low, way))
    starts = np.concatenate([part[0] for part in parts])
    ends = np.concatenate([part[1] for part in parts])
    ways = np.concatenate([np.full(len(part[0]), part[2], np.int8) for part in parts])
    return starts, ends, ways


def _following(
    starts: NDArray[np.int64], ends: NDArray[np.int64], ways: NDArray[np.int8]
) -> NDArray[np.int64]:
    """For each edge, the one that goes on from its end; at a crossing, the one that turns right."""
    order = np.argsort(starts, kind="stable")
    ordered = starts[order]
    first = np.searchsorted(ordered, ends)
    following = order[first]
    last = np.minimum(first + 1, len(order) - 1)
    crossing = (ordered[last] == ends) & (last != first)
    turns_right = ways[order[last]] == (ways + 1) % 4
    return np.where(crossing & turns_right, order[last], following)
