"""Selections put together, turned round, and turned into masks."""

from __future__ import annotations

import numpy as np

from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.selection.tiles import Values, everything, made
from inference.errors import EditorError
from inference.messages import listed

REPLACE, ADD, SUBTRACT, INTERSECT = "replace", "add", "subtract", "intersect"
MODES = (REPLACE, ADD, SUBTRACT, INTERSECT)


def combine(old: Mask | None, new: Mask, mode: str, within: Area) -> Mask:
    """What is selected after `new` met `old`; no old selection is everything, but adding to it replaces it.

    Raises:
        EditorError: an unknown mode.
    """
    if mode not in MODES:
        raise EditorError(
            "Selections cannot be combined by “{mode}”.", "Use {modes}.", mode=mode, modes=listed(MODES)
        )
    if mode == REPLACE or (old is None and mode in (ADD, INTERSECT)):
        return new
    old = old if old is not None else everything(within)
    if mode == ADD:
        return made(old.area.united(new.area), lambda part: np.maximum(old.read(part), new.read(part)))
    if mode == INTERSECT:
        return made(old.area.intersected(new.area), lambda part: np.minimum(old.read(part), new.read(part)))
    return made(old.area, lambda part: np.minimum(old.read(part), 255 - new.read(part)))


def invert(mask: Mask | None, within: Area) -> Mask:
    """Everything in `within` that is not selected; of no selection, nothing."""
    if mask is None:
        return made(Area(0, 0, 0, 0), _nothing)
    return made(within, lambda part: 255 - mask.read(part))


def from_mask(mask: Mask, within: Area) -> Mask:
    """The selection of what a layer's mask shows."""
    area = within if mask.outside else mask.area.intersected(within)
    return made(area, mask.read)


def to_mask(selection: Mask | None, within: Area) -> Mask:
    """A layer's mask that shows what is selected; of no selection, everything."""
    if selection is None:
        return Mask(raster=everything(within).raster, x=within.x, y=within.y, outside=255)
    return made(within, selection.read)


def moved(mask: Mask, dx: int, dy: int) -> Mask:
    return mask.changed(x=mask.x + dx, y=mask.y + dy)


def _nothing(part: Area) -> Values:
    return np.zeros((part.height, part.width), np.uint8)
