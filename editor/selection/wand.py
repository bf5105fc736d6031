"""Selections by likeness of colour: the magic wand and the colour range."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from editor.layers.layer import Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Samples
from editor.rendering.compositing import composite_samples
from editor.selection.tiles import FULL, Values, bands, empty, made
from inference.errors import EditorError

Read: TypeAlias = Callable[[Area], Samples]
"""Gives the RGBA samples [h, w, 4] of any part of the document."""

_SOFTEN = np.array([1, 2, 1], np.float32) / 4


def merged_reader(state: DocumentState) -> Read:
    """Reads what all layers show together."""
    depth = state.depth
    return lambda area: composite_samples(state.layers, area, depth)


def layer_reader(layer: Layer) -> Read:
    """Reads one layer; outside of it, transparent samples."""

    def read(area: Area) -> Samples:
        common = layer.area.intersected(area)
        if common == area:
            return layer.raster.read(area.moved(-layer.x, -layer.y))
        samples: Samples = np.zeros((area.height, area.width, 4), layer.raster.dtype)
        if not common.is_empty:
            samples[common.within(area)] = layer.raster.read(common.moved(-layer.x, -layer.y))
        return samples

    return read


def wand(
    read: Read,
    within: Area,
    point: tuple[int, int],
    tolerance: int,
    *,
    contiguous: bool = True,
    antialias: bool = True,
) -> Mask:
    """What has about the colour at `point`, if `contiguous` only what hangs together with it.

    Takes as much as 0.2 s for 24 megapixels, so call it on a pool thread; holds two bytes a pixel.

    Args:
        within: the document.
        tolerance: largest difference in any channel, alpha among them, in steps of 8 bits.

    Raises:
        EditorError: a tolerance out of range.
    """
    _check(tolerance)
    x, y = point
    if within.intersected(Area(x, y, 1, 1)).is_empty:
        return empty()
    like = _alike(read, within, read(Area(x, y, 1, 1))[0, 0], tolerance)
    if contiguous:
        like = _connected(like, x - within.x, y - within.y)
    found = _filled_box(like)
    if found is None:
        return empty()
    area = found.grown(1).intersected(within.moved(-within.x, -within.y))
    cut = like[area.y : area.bottom, area.x : area.right]
    if antialias:
        cut = _softened(cut)
    return made(area.moved(within.x, within.y), lambda part: cut[part.within(area.moved(within.x, within.y))])


def colour_range(
    read: Read, within: Area, colour: tuple[int, int, int, int], tolerance: int, softness: float = 0.5
) -> Mask:
    """What has about a colour (straight RGBA, 0..255): all of it up to `tolerance` in every channel, less and
    less of it up to 1 + `softness` times as far. Transparent pixels count by their alpha.

    Raises:
        EditorError: a tolerance or softness out of range.
    """
    _check(tolerance)
    if not 0 <= softness <= 10:
        raise EditorError("The softness is {softness:g}: allowed is 0 to 10.", softness=softness)
    fade = max(tolerance, 1) * softness

    def make(part: Area) -> Values:
        samples = read(part)
        scale = 1 if samples.dtype == np.uint8 else 257
        apart = np.zeros(samples.shape[:2], np.float32)
        for channel in range(3):
            difference = np.abs(samples[..., channel].astype(np.float32) - colour[channel] * scale)
            np.maximum(apart, difference / scale, out=apart)
        share = (apart <= tolerance) if fade == 0 else np.clip((tolerance + fade - apart) / fade, 0, 1)
        alpha = samples[..., 3].astype(np.float32) / scale
        return np.rint(share * alpha).astype(np.uint8)

    return made(within, make)


def _check(tolerance: int) -> None:
    if not 0 <= tolerance <= 255:
        raise EditorError("The tolerance is {tolerance}: allowed is 0 to 255.", tolerance=tolerance)


def _alike(read: Read, within: Area, seed: Samples, tolerance: int) -> Values:
    """255 where every channel differs from the seed's [4] by at most `tolerance`, else 0; [H, W]."""
    import cv2

    like = np.empty((within.height, within.width), np.uint8)
    for band in bands(within):
        samples = np.ascontiguousarray(read(band))
        far = tolerance * (1 if samples.dtype == np.uint8 else 257)
        low = tuple(float(v) - far for v in seed)
        high = tuple(float(v) + far for v in seed)
        if int(seed[3]) == 0:  # colours under full transparency mean nothing
            low, high = (-1.0, -1.0, -1.0, low[3]), (65536.0, 65536.0, 65536.0, high[3])
        like[band.within(within)] = cv2.inRange(samples, low, high)
    return like


def _connected(like: Values, x: int, y: int) -> Values:
    """Of what is 255, the part that hangs together with (x, y) over shared sides."""
    import cv2

    height, width = like.shape
    found = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | (FULL << 8) | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
    cv2.floodFill(like, found, (x, y), (FULL,), (0,), (0,), flags)
    return found[1:-1, 1:-1]


def _filled_box(chosen: Values) -> Area | None:
    import cv2

    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(chosen))
    return Area(x, y, width, height) if width else None


def _softened(values: Values) -> Values:
    import cv2

    blurred = cv2.sepFilter2D(values, -1, _SOFTEN, _SOFTEN, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.uint8)
