"""What a scaled or coarser copy of a picture lacks, given back to an edit of that copy.

A model works on a copy: scaled to its size, and again through its autoencoder. A larger copy lacks something,
too: scaled up and down again a picture is not quite what it was. Where an edit changed nothing,
the picture itself is the answer; where it changed something, the picture's fine structure belongs to what is
there no more, and only its grain is kept:

    result = enlarged(edited) + (1 - change)·(picture - enlarged(unedited)) + change·grain
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from inference.request import Pixels

UNCHANGED, CHANGED = 4.0, 24.0
"""Differences, of 255, up to which nothing has changed, and from which all has."""

MOST_GRAIN = 8.0  # standard deviation, of 255: more is structure
_AROUND = 1 / 64  # how far around a change, in shares of the shorter side, its surroundings count as changed
_NORMAL = 1.4826  # a normal distribution's standard deviation in medians of its absolute values
_BLOCK_PX = 256  # worked on at a time
_SUPPORT_PX = 3  # of the copy, or of the picture where that is the smaller one: bicubic looks at two beyond


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
    """An edit of a copy of another size at the size of the picture.

    Args:
        picture: uint8 [H, W, 3].
        unedited, edited: uint8 [h, w, 3], the copy before and after.

    Returns:
        uint8 [H, W, 3], read-only; equal to `picture` wherever the two copies are.
    """
    height, width = picture.shape[:2]
    share = Image.fromarray(np.rint(changes(edited, unedited) * 255).astype(np.uint8))
    before, after = Image.fromarray(unedited), Image.fromarray(edited)
    touched = (edited != unedited).any(-1) | (np.asarray(share) > 0)
    grain = _grain(picture, unedited)
    found = picture.copy()

    def bring_back(number: int, block: tuple[int, int, int, int]) -> None:
        part = _Part(block, width, height, (edited.shape[1], edited.shape[0]))
        if not touched[part.around].any():
            return
        rows = part.rows
        change = part.enlarged(share)[..., None].astype(np.float32) / 255
        values = part.enlarged(after) + (1 - change) * (
            picture[rows].astype(np.float32) - part.enlarged(before)
        )
        if grain and change.any():
            noise = np.random.default_rng(number)
            values += change * noise.normal(0, grain, change.shape).astype(np.float32)
        found[rows] = np.rint(np.clip(values, 0, 255))

    blocks = list(_blocks(width, height))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for _ in pool.map(bring_back, range(len(blocks)), blocks):
            pass
    found.setflags(write=False)
    return found


def _blocks(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """(left, top, right, bottom) of squares that cover a picture: a photo is worked on where it changes."""
    for top in range(0, height, _BLOCK_PX):
        for left in range(0, width, _BLOCK_PX):
            yield left, top, min(left + _BLOCK_PX, width), min(top + _BLOCK_PX, height)


class _Part:
    """A block of a picture [H, W], and what of a copy [h, w] shows in it."""

    def __init__(
        self, block: tuple[int, int, int, int], width: int, height: int, copy: tuple[int, int]
    ) -> None:
        left, top, right, bottom = block
        across, down = copy[0] / width, copy[1] / height
        self.rows = slice(top, bottom), slice(left, right)
        self._box = left * across, top * down, right * across, bottom * down
        self._size = right - left, bottom - top
        beside, above = (math.ceil(_SUPPORT_PX * max(1.0, scale)) for scale in (across, down))
        self.around = (
            slice(max(0, math.floor(self._box[1]) - above), math.ceil(self._box[3]) + above),
            slice(max(0, math.floor(self._box[0]) - beside), math.ceil(self._box[2]) + beside),
        )

    def enlarged(self, image: Image.Image) -> NDArray[np.uint8]:
        """This part of the copy at the picture's size; pixels beyond it are seen as in the whole."""
        return np.asarray(image.resize(self._size, Image.Resampling.BICUBIC, box=self._box))


def _grain(picture: Pixels, copy: Pixels) -> float:
    """The standard deviation of the luminance that a copy lacks where there is no structure.

    A larger copy has all of it.
    """
    height, width = picture.shape[:2]
    if copy.shape[0] >= height and copy.shape[1] >= width:
        return 0.0
    step = max(1, round((height * width / 1e6) ** 0.5))
    seen = picture[::step, ::step]
    size = seen.shape[1], seen.shape[0]
    box = (0.0, 0.0, copy.shape[1] * min(1.0, size[0] * step / width), float(copy.shape[0]))
    box = (*box[:3], copy.shape[0] * min(1.0, size[1] * step / height))
    known = np.asarray(Image.fromarray(copy).resize(size, Image.Resampling.BICUBIC, box=box))
    lacking = (seen.astype(np.float32) - known).mean(-1)
    return min(float(np.median(np.abs(lacking))) * _NORMAL, MOST_GRAIN)
