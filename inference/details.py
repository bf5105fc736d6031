"""What a smaller or coarser copy of a picture lacks, given back to an edit of that copy.

A model works on a copy: scaled to its size, and again through its autoencoder. Where an edit changed nothing,
the picture itself is the answer; where it changed something, the picture's fine structure belongs to what is
there no more, and only its grain is kept:

    result = enlarged(edited) + (1 - change)·(picture - enlarged(unedited)) + change·grain
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from inference.request import Pixels

UNCHANGED, CHANGED = 4.0, 24.0
"""Differences, of 255, up to which nothing has changed, and from which all has."""

MOST_GRAIN = 8.0  # standard deviation, of 255: more is structure
_AROUND = 1 / 64  # how far around a change, in shares of the shorter side, its surroundings count as changed
_NORMAL = 1.4826  # a normal distribution's standard deviation in medians of its absolute values
_STRIP_ROWS = 512  # at a time, so that a large photo takes little memory


def changes(edited: Pixels, unedited: Pixels) -> NDArray[np.float32]:
    """How much was changed, [H, W] in 0..1, of two pictures [H, W, 3]."""
    difference = np.abs(edited.astype(np.int16) - unedited).max(-1)
    reach = max(1, round(min(difference.shape) * _AROUND))
    image = Image.fromarray(np.clip(difference, 0, 255).astype(np.uint8))
    spread = image.filter(ImageFilter.MaxFilter(2 * reach + 1)).filter(ImageFilter.GaussianBlur(reach / 2))
    around = np.maximum(np.asarray(spread, np.float32), difference)
    share = np.clip((around - UNCHANGED) / (CHANGED - UNCHANGED), 0, 1)
    return (share * share * (3 - 2 * share)).astype(np.float32)


def brought_back(picture: Pixels, unedited: Pixels, edited: Pixels) -> Pixels:
    """An edit of a smaller copy at the size of the picture.

    Args:
        picture: uint8 [H, W, 3].
        unedited, edited: uint8 [h, w, 3], the copy before and after.

    Returns:
        uint8 [H, W, 3], read-only; equal to `picture` wherever the two copies are.
    """
    height, width = picture.shape[:2]
    share = np.asarray(_enlarged(np.rint(changes(edited, unedited) * 255).astype(np.uint8), width, height))
    before, after = _enlarged(unedited, width, height), _enlarged(edited, width, height)
    grain = _grain(picture, before)
    noise = np.random.default_rng(0)
    found = np.empty_like(picture)
    for top in range(0, height, _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        change = share[rows, :, None].astype(np.float32) / 255
        values = after[rows] + (1 - change) * (picture[rows].astype(np.float32) - before[rows])
        if grain:
            values += change * noise.normal(0, grain, change.shape).astype(np.float32)
        found[rows] = np.rint(np.clip(values, 0, 255))
    found.setflags(write=False)
    return found


def _grain(picture: Pixels, copy: Pixels) -> float:
    """The standard deviation of the luminance that a copy lacks where there is no structure."""
    step = max(1, round((picture.shape[0] * picture.shape[1] / 1e6) ** 0.5))
    lacking = (picture[::step, ::step].astype(np.float32) - copy[::step, ::step]).mean(-1)
    return min(float(np.median(np.abs(lacking))) * _NORMAL, MOST_GRAIN)


def _enlarged(pixels: Any, width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
