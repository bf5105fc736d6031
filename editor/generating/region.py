"""The part of a document that an operation works on: what is selected with its surroundings, or all of it."""

from __future__ import annotations

import numpy as np

from editor.layers.state import DocumentState
from editor.pixels.raster import Area

CONTEXT = 0.5
"""How much of the surroundings a model sees on each side, in shares of the selection's longer side."""

WHOLE = 0.7  # of the picture's area: a larger region is the picture
_SLIMMEST = 0.5  # shorter by longer side: models know few slimmer pictures
_LEAST_PX = 64


def region_of(state: DocumentState) -> Area:
    """Where an operation on the visible picture works, in the document.

    Without a selection, or with one of nearly everything, it is the whole canvas.
    """
    found = selected(state)
    if found is None:
        return state.area
    around = round(max(found.width, found.height) * CONTEXT)
    # beyond the edge is nothing to be seen, and more on the other side would only make the subject smaller
    seen = Area(
        found.x - around, found.y - around, found.width + 2 * around, found.height + 2 * around
    ).intersected(state.area)
    width = max(seen.width, round(seen.height * _SLIMMEST), _LEAST_PX)
    height = max(seen.height, round(seen.width * _SLIMMEST), _LEAST_PX)
    x = _placed(seen.x + seen.width / 2, width, state.width)
    y = _placed(seen.y + seen.height / 2, height, state.height)
    region = Area(x, y, min(width, state.width), min(height, state.height))
    if region.width * region.height > WHOLE * state.width * state.height:
        return state.area
    return region


def _placed(middle: float, size: int, limit: int) -> int:
    """Where a stretch around `middle` begins, pushed inside of 0..limit."""
    return max(0, min(round(middle - size / 2), limit - size))


def selected(state: DocumentState) -> Area | None:
    """The box around what is selected on the canvas; None without a selection there."""
    selection = state.selection
    if selection is None:
        return None
    area = state.area if selection.outside else selection.area.intersected(state.area)
    if area.is_empty:
        return None
    values = selection.read(area)
    rows, columns = np.flatnonzero(values.any(1)), np.flatnonzero(values.any(0))
    if not len(rows):
        return None
    left, top = int(columns[0]), int(rows[0])
    return Area(area.x + left, area.y + top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
