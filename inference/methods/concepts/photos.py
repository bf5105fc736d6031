"""Photos as a concept is learnt from: cropped by the subject, never squashed, their moments kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.backbones.base import Backbone
from inference.request import Pixels
from inference.sizes import resized

Crop: TypeAlias = tuple[float, float, float]
"""Middle (x, y) as shares of width and height, side as a share of the largest part of the model's shape."""

WHOLE: Crop = (0.5, 0.5, 1.0)
SMALLEST_SIDE = 0.2
_GREY = 128  # behind what is transparent
_STRONG = 0.35  # of the peak of a map
# Around the strong part of a map, which is a subject's middle: a subject that is cut off is learnt so.
_ROOM = 3.0
_ROOM_AROUND_ALPHA = 1.5  # which is exact
_DIFFUSE = 0.75  # share of the photo beyond which a map tells nothing of a place


def part_of(pixels: Pixels, crop: Crop, width: int, height: int) -> Pixels:
    """RGB [height, width, 3] of a part of a photo, which keeps its proportions and stays inside."""
    left, top, right, bottom = place_of(pixels.shape[1], pixels.shape[0], crop, width / height)
    return resized(np.ascontiguousarray(opaque(pixels)[top:bottom, left:right]), width, height)


def place_of(width: int, height: int, crop: Crop, aspect: float) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in pixels of a part with sides in the ratio `aspect`."""
    x, y, side = crop
    wide = min(width, height * aspect) * min(max(side, SMALLEST_SIDE), 1.0)
    columns, rows = max(1, round(wide)), max(1, round(wide / aspect))
    left = min(max(round(x * width - columns / 2), 0), width - columns)
    top = min(max(round(y * height - rows / 2), 0), height - rows)
    return left, top, left + columns, top + rows


def opaque(pixels: Pixels) -> Pixels:
    """RGB [H, W, 3], what is transparent on grey."""
    if pixels.shape[2] == 3:
        return pixels
    share = pixels[..., 3:].astype(np.float32) / 255
    mixed = pixels[..., :3].astype(np.float32) * share + _GREY * (1 - share)
    return np.rint(mixed).astype(np.uint8)


def crop_of(heat: NDArray[np.float32], width: int, height: int, aspect: float, room: float = _ROOM) -> Crop:
    """A part of a photo of this size around the strongest place of a map [h, w] of it; all if it has none."""
    low, peak = float(heat.min()), float(heat.max())
    if not peak > low:
        return WHOLE
    strong = _region((heat - low) / (peak - low) >= _STRONG, np.unravel_index(int(heat.argmax()), heat.shape))
    if strong.mean() > _DIFFUSE:
        return WHOLE
    rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
    top, bottom = rows[0] / heat.shape[0] * height, (rows[-1] + 1) / heat.shape[0] * height
    left, right = columns[0] / heat.shape[1] * width, (columns[-1] + 1) / heat.shape[1] * width
    wide = max(right - left, (bottom - top) * aspect) * room
    side = min(1.0, max(SMALLEST_SIDE, wide / min(width, height * aspect)))
    return (float((left + right) / 2 / width), float((top + bottom) / 2 / height), float(side))


def crop_of_alpha(pixels: Pixels, aspect: float) -> Crop | None:
    """The part around what is not transparent; None for a photo that is opaque or nothing."""
    if pixels.shape[2] == 3 or pixels[..., 3].min() > 0 or not pixels[..., 3].any():
        return None
    seen = (pixels[..., 3] > _GREY / 2).astype(np.float32)
    if not seen.any():
        return None
    return crop_of(seen, pixels.shape[1], pixels.shape[0], aspect, _ROOM_AROUND_ALPHA)


def _region(strong: NDArray[np.bool_], start: Sequence[np.intp]) -> NDArray[np.bool_]:
    """The connected part of `strong` around `start`, neighbours by sides and corners."""
    found = np.zeros_like(strong)
    found[tuple(start)] = True
    while True:
        padded = np.pad(found, 1)
        grown = np.zeros_like(found)
        for row in range(3):
            for column in range(3):
                grown |= padded[row : row + found.shape[0], column : column + found.shape[1]]
        grown &= strong
        if bool((grown == found).all()):
            return found
        found = grown


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation [1, C, h, w] of a photo's latents."""

    mean: Tensor
    deviation: Tensor

    def drawn(self, generator: torch.Generator) -> Tensor:
        """One sample of the autoencoder's posterior; the generator is on the CPU."""
        noise = torch.randn(self.mean.shape, generator=generator)
        return self.mean + self.deviation * noise.to(self.mean)


def moments_of(
    backbone: Backbone, photos: Sequence[Pixels], *, flip: bool
) -> tuple[tuple[Moments, ...], ...]:
    """The moments of each photo [H, W, 3] of the model's size, and with `flip` of its mirror image."""
    found: list[tuple[Moments, ...]] = []
    for photo in photos:
        sides = (photo, np.ascontiguousarray(photo[:, ::-1])) if flip else (photo,)
        found.append(tuple(Moments(*backbone.encode_moments(side)) for side in sides))
    return tuple(found)
