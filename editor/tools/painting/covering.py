"""Paint over a whole area at once, tile by tile: fill and gradient."""

from __future__ import annotations

import numpy as np

from editor.layers.layer import Mask, Node
from editor.pixels.raster import Area
from editor.tools.painting.coverage import tiles_of
from editor.tools.painting.paint import NORMAL, painted
from editor.tools.painting.stroke import Paint
from editor.tools.painting.target import Target


def covered(
    target: Target,
    paint: Paint,
    area: Area,
    *,
    mode: str = NORMAL,
    opacity: float = 1.0,
    limit: Mask | None = None,
) -> Node | None:
    """The target's node painted over in `area` of the document, as far as the selection and `limit` reach.

    None if that is nowhere. Call it on a pool thread: it takes a while on large pictures.
    """
    raster, touched = target.raster, Area(0, 0, 0, 0)
    dx, dy = target.area.x, target.area.y
    for _, inside in tiles_of(area.moved(-dx, -dy).intersected(raster.area)):
        place = inside.moved(dx, dy)
        share = np.full((inside.height, inside.width), opacity, np.float32)
        chosen = target.limit(place)
        if chosen is not None:
            share *= chosen
        if limit is not None:
            share *= limit.read(place) * np.float32(1 / 255)
        if not share.any():
            continue
        before = target.raster.read(inside)
        after = painted(before, share, paint(place), mode, keeps_alpha=target.keeps_alpha)
        if after is not before:
            raster = raster.written(inside.x, inside.y, after)
            touched = touched.united(place)
    return None if raster is target.raster else target.trimmed(raster, touched)
