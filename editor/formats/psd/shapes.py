"""Photoshop's vector masks drawn as pixels, and the colour of its fill layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from editor.pixels.raster import Raster, frozen

_STEPS = 12  # straight pieces of a curve between two knots
_FINER = 4  # drawn so much larger, then averaged
_MOST_KNOTS = 100_000
_SUBTRACT, _INTERSECT, _EXCLUDE, _CONTINUED = 2, 3, 0, -1


def fill_colour(layer: Any) -> tuple[int, int, int, int] | None:
    """The RGB colour of a solid fill or a shape; None for gradients, patterns and other colours."""
    data = getattr(layer, "data", None)
    if data is None:
        for key in (b"SoCo", b"vscg"):
            block = layer.tagged_blocks.get_data(key)
            if block is not None and b"Clr " in block:
                data = block[b"Clr "]
    try:
        values = [float(data[key]) for key in (b"Rd  ", b"Grn ", b"Bl  ")]  # pyright: ignore
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    red, green, blue = (max(0, min(255, round(value))) for value in values)
    return red, green, blue, 255


def vector_mask(mask: Any, width: int, height: int) -> Raster:
    """The paths of a mask, smooth-edged, over the whole document."""
    shapes = _shapes(mask.paths)
    # without a path it reveals all or nothing; the first shape that takes away takes from everything
    everything = bool(mask.initial_fill_rule) if not shapes else shapes[0][0] in (_SUBTRACT, _INTERSECT)
    result = np.full((height, width), 255 if everything else 0, np.uint8)
    for operation, paths in shapes:
        outlines = [_outline(path, width, height) for path in paths]
        outlines = [outline for outline in outlines if len(outline) >= 3]
        if outlines:
            result = _combined(result, _drawn(outlines, width, height), operation)
    return Raster.of(frozen(255 - result if mask.inverted else result))


def _shapes(paths: Iterable[Any]) -> list[tuple[int, list[Any]]]:
    """Paths that are drawn as one, with how they are combined with what is there."""
    found: list[tuple[int, list[Any]]] = []
    knots = 0
    for path in paths:
        knots += len(path)
        if knots > _MOST_KNOTS:
            raise ValueError("a path with too many knots")
        if int(path.operation) == _CONTINUED and found:
            found[-1][1].append(path)
        else:
            found.append((int(path.operation), [path]))
    return found


def _outline(path: Any, width: int, height: int) -> NDArray[np.float64]:
    """Points [n, 2] (x, y) in pixels along the Bézier curves of a path."""
    knots = [(knot.preceding, knot.anchor, knot.leaving) for knot in path]
    if len(knots) < 2:
        return np.zeros((0, 2))
    handles = np.array(knots, np.float64)[:, :, ::-1] * (width, height)  # stored as (y, x) shares
    following = np.roll(handles, -1, axis=0)
    t = np.linspace(0, 1, _STEPS, endpoint=False)[None, :, None]
    start, out, into, end = (
        part[:, None] for part in (handles[:, 1], handles[:, 2], following[:, 0], following[:, 1])
    )
    rest = 1 - t
    curve = rest**3 * start + 3 * rest**2 * t * out + 3 * rest * t**2 * into + t**3 * end
    points = curve.reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("a path with broken knots")
    return np.clip(points, -10 * max(width, height), 10 * max(width, height))


def _drawn(outlines: list[NDArray[np.float64]], width: int, height: int) -> NDArray[np.uint8]:
    """Outlines filled together: what lies inside an even number of them is a hole."""
    finer = _FINER if width * height <= 10**7 else 1
    whole = np.zeros((height * finer, width * finer), np.uint8)
    for outline in outlines:
        image = Image.new("L", (width * finer, height * finer))
        points: Any = [tuple(point) for point in (outline * finer - 0.5).tolist()]
        ImageDraw.Draw(image).polygon(points, fill=255)
        whole ^= np.asarray(image)
    return np.asarray(Image.fromarray(whole).reduce(finer)) if finer > 1 else whole


def _combined(below: NDArray[np.uint8], new: NDArray[np.uint8], operation: int) -> NDArray[np.uint8]:
    if operation == _SUBTRACT:
        return np.minimum(below, 255 - new)
    if operation == _INTERSECT:
        return np.minimum(below, new)
    if operation == _EXCLUDE:
        return np.maximum(np.minimum(below, 255 - new), np.minimum(255 - below, new))
    return np.maximum(below, new)
