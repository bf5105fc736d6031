"""Selections taken from what a document holds: a layer's alpha, brightness, attention maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Layer, Mask
from editor.pixels.raster import Area, to_eight_bits
from editor.selection.tiles import Values, made
from editor.selection.wand import Read
from inference.errors import EditorError

_SOFTNESS = 0.08  # of a heat map's range: over this its selection goes from nothing to everything


def from_alpha(layer: Layer, within: Area) -> Mask:
    """What a layer covers."""
    area = layer.area.intersected(within)

    def make(part: Area) -> Values:
        samples = layer.raster.read(part.moved(-layer.x, -layer.y))
        return to_eight_bits(samples[..., 3])

    return made(area, make)


def from_luminosity(read: Read, within: Area) -> Mask:
    """Bright parts more than dark ones (Rec. 709 weights on the encoded values), times alpha."""

    def make(part: Area) -> Values:
        samples = to_eight_bits(read(part)).astype(np.float32)
        bright = samples[..., 0] * 0.2126 + samples[..., 1] * 0.7152 + samples[..., 2] * 0.0722
        return np.rint(bright * samples[..., 3] / 255).astype(np.uint8)

    return made(within, make)


def from_heatmap(heat: NDArray[np.float32], place: Area, within: Area, threshold: float = 0.4) -> Mask:
    """Where a map [h, w] that lies over `place` of the document is at least `threshold` of its maximum.

    The map is enlarged smoothly; the edge is as soft as the map is coarse.

    Raises:
        EditorError: a threshold out of range, or a map of another shape.
    """
    if not 0 < threshold <= 1:
        raise EditorError(
            "The threshold is {threshold:g}: allowed is more than 0 and up to 1.", threshold=threshold
        )
    if heat.ndim != 2 or 0 in heat.shape:
        raise EditorError("An attention map cannot have the shape {shape}.", shape=heat.shape)
    peak = float(heat.max())
    if not np.isfinite(peak) or peak <= 0:
        return made(Area(0, 0, 0, 0), lambda part: np.zeros((part.height, part.width), np.uint8))
    level = np.ascontiguousarray(heat / peak, np.float32)

    def make(part: Area) -> Values:
        strength = _enlarged(level, part, place)
        share = np.clip((strength - threshold) / _SOFTNESS + 0.5, 0, 1)
        return np.rint(share * 255).astype(np.uint8)

    return made(place.intersected(within), make)


def subject_map(layer: Layer, start: int, end: int) -> NDArray[np.float32]:
    """The attention map of the words from `start` to `end` of a layer's prompt.

    Raises:
        EditorError: the layer has none.
    """
    found = layer.maps.get(f"attention/{start}-{end}")
    if found is None:
        raise EditorError(
            "There is no attention map of this subject.",
            "Generate the picture again, then select the subject.",
        )
    return found


def _enlarged(level: NDArray[np.float32], part: Area, place: Area) -> NDArray[np.float32]:
    import cv2

    height, width = level.shape
    across = (np.arange(part.x, part.right, dtype=np.float32) - place.x + 0.5) * width / place.width - 0.5
    down = (np.arange(part.y, part.bottom, dtype=np.float32) - place.y + 0.5) * height / place.height - 0.5
    shape = (part.height, part.width)
    columns = np.ascontiguousarray(np.broadcast_to(across, shape), np.float32)
    rows = np.ascontiguousarray(np.broadcast_to(down[:, None], shape), np.float32)
    large = cv2.remap(level, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(large, np.float32)
