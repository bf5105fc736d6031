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
from functools import lru_cache
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
_BLOCK_PX = 256  # worked on at a time
# Products of so few rows are computed by the thread that asks for them. There is one for each core already,
# and those that BLAS would start for more made it all twice as slow.
_ROWS_AT_ONCE = 16
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
    change = changes(edited, unedited)
    difference = edited.astype(np.float32) - unedited
    touched = (edited != unedited).any(-1) | (change > 0)
    grain = _grain(picture, unedited)
    found = picture.copy()

    def bring_back(number: int, block: tuple[int, int, int, int]) -> None:
        part = _Part(block, width, height, (edited.shape[1], edited.shape[0]))
        if not touched[part.around].any():
            return
        rows = part.rows
        values = picture[rows] + part.enlarged(difference)
        share = part.enlarged(change[..., None])
        if share.any():
            np.clip(share, 0, 1, out=share)
            lost = part.enlarged(unedited) - picture[rows]
            lost *= share
            values += lost
            if grain:
                noise = np.random.default_rng(number).standard_normal(share.shape, np.float32)
                values += share * noise * np.float32(grain)
        found[rows] = np.rint(np.clip(values, 0, 255, out=values), out=values)

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
    """A block of a picture [H, W], and what of a copy [h, w] shows in it.

    Pixels of the copy beyond the block are seen as in the whole. Bicubic as Pillow has it, but as products of
    matrices: a block takes a third of the time, and nothing is rounded in between.
    """

    def __init__(
        self, block: tuple[int, int, int, int], width: int, height: int, copy: tuple[int, int]
    ) -> None:
        left, top, right, bottom = block
        self.rows = slice(top, bottom), slice(left, right)
        down, self._down = _weights(top, bottom, height, copy[1])
        across, self._across = _weights(left, right, width, copy[0])
        self.around = down, across

    def enlarged(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """This part of [h, w, C] at the picture's size."""
        rows = self._across @ values[self.around].astype(np.float32, copy=False)  # [h, W, C]: few
        flat = rows.reshape(len(rows), -1)
        found = np.empty((len(self._down), flat.shape[1]), np.float32)
        for first in range(0, len(found), _ROWS_AT_ONCE):
            few = slice(first, first + _ROWS_AT_ONCE)
            np.matmul(self._down[few], flat, out=found[few])
        return found.reshape(-1, *rows.shape[1:])


@lru_cache(maxsize=64)  # those of a row of blocks, and of a column; of a copy as large as the picture 17 MB
def _weights(start: int, stop: int, length: int, have: int) -> tuple[slice, NDArray[np.float32]]:
    """Which of `have` pixels show in [start, stop) of `length`, and how much each counts for each of them."""
    scale = have / length
    beside = math.ceil(_SUPPORT_PX * max(1.0, scale))
    first, last = max(0, math.floor(start * scale) - beside), min(have, math.ceil(stop * scale) + beside)
    each = Image.fromarray(np.eye(last - first, dtype=np.float32))
    box = (0.0, max(0.0, start * scale - first), float(last - first), min(stop * scale, have) - first)
    found = each.resize((last - first, stop - start), Image.Resampling.BICUBIC, box=box)
    return slice(first, last), np.asarray(found, np.float32)


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
