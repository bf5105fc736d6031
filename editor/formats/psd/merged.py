"""Photoshop's own picture of a document: compared with our layers, and offered where they look different."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from editor.formats.decoding import BrokenFileError, said_broken
from editor.formats.psd.pixels import flat_samples
from editor.layers.layer import Group, Layer, Node
from editor.pixels.raster import Area, Raster, Samples, to_eight_bits
from editor.rendering.compositing import composite_samples
from inference.messages import Message

NAME = "Photoshop's picture"
LAYERS = "Layers"
_BAND_ROWS = 16
_MOST_PIXELS = 4_000_000  # compared; of larger documents, bands
_SEEN = 24  # of 255: what one sees at once
_SHARE_IF_LOSSY = 0.0005  # of the pixels, where something is known to be left out
_SHARE = 0.01


def with_picture(
    document: Any, nodes: tuple[Node, ...], lossy: bool, notes: list[Message]
) -> tuple[Node, ...]:
    """The nodes, or, if they look different, the merged picture over a hidden group of them.

    `lossy` says whether something is known to be missing.
    """
    try:
        with said_broken(NAME):
            merged = _merged_unlike(document, nodes, lossy)
    except BrokenFileError:
        return nodes  # the layers are there, and nothing to compare them with
    if merged is None:
        return nodes
    notes.append(
        Message(
            "The layers look different than in Photoshop. “{name}” is what Photoshop shows; hide "
            "it and show the group “{layers}” to see and edit them.",
            name=NAME,
            layers=LAYERS,
        )
    )
    group = Group(name=LAYERS, children=nodes, isolated=False, visible=False)
    return group, Layer(name=NAME, raster=Raster.of(merged))


def _merged_unlike(document: Any, nodes: tuple[Node, ...], lossy: bool) -> Samples | None:
    """The merged picture if the nodes look different; None if they do not or there is none."""
    if not document.has_preview():
        return None
    merged = flat_samples(document, [])
    area = Area(0, 0, int(document.width), int(document.height))
    if merged.shape[:2] != (area.height, area.width) or not np.ptp(merged, axis=(0, 1)).any():
        return None  # one colour everywhere is what programs write that draw no such picture
    share = _difference(merged, nodes, area)
    return merged if share > (_SHARE_IF_LOSSY if lossy else _SHARE) else None


def _difference(merged: Samples, nodes: tuple[Node, ...], area: Area) -> float:
    """The share of pixels, of those that are looked at, that differ visibly over white."""
    pixels = area.width * area.height
    step = _BAND_ROWS * max(1, -(-pixels // _MOST_PIXELS))
    differing = looked_at = 0
    for top in range(0, area.height, step):
        band = Area(0, top, area.width, min(_BAND_ROWS, area.height - top))
        ours = _over_white(to_eight_bits(composite_samples(nodes, band, 8)))
        theirs = _over_white(to_eight_bits(merged[top : top + band.height]))
        differing += int((np.abs(ours - theirs).max(axis=-1) > _SEEN).sum())
        looked_at += band.width * band.height
    return differing / looked_at


def _over_white(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A little blurred: how edges are smoothed does not count."""
    alpha = pixels[..., 3:].astype(np.float32) / np.float32(255)
    return np.asarray(cv2.blur(pixels[..., :3] * alpha + np.float32(255) * (1 - alpha), (3, 3)), np.float32)
