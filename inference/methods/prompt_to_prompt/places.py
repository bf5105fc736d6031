"""Where a change by words may be, and what of it is shown: places as latents and as pixels.

A map of attention has few cells. Latents take it as it is, or led along the edges of the picture; pixels
fade from one to the other.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor
from torch.nn import functional

from inference.methods.generate import Heat, span_heat
from inference.methods.only_subject import SEEN_FROM
from inference.methods.outlines import outlined
from inference.request import Pixels

Span = tuple[int, int]
_SUBJECT_FROM = 0.15  # of a map's range: there is the subject
_EDGE_FROM, _EDGE_TO = 0.1, 0.2  # the same along edges: nothing of it, and it alone
_AROUND = 8  # a share of a map's cell: so much around a shape is its, as what is drawn at an edge blends both
_CELL_FILLED = 0.75  # of a latent's area


def soft(mask: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A mask [h, w] of latents for pixels: 1 inside of a latent, fading to nothing within one around it."""
    height, width = size
    cell = max(height / mask.shape[0], width / mask.shape[1])
    whole = Image.fromarray(np.rint(mask * 255).astype(np.uint8)).resize(
        (width, height), Image.Resampling.NEAREST
    )
    wider = whole.filter(ImageFilter.MaxFilter(2 * round(cell / 2) + 1))
    box = ImageFilter.BoxBlur(cell / 4)  # twice, it ends where a Gaussian would go on
    return np.asarray(wider.filter(box).filter(box), np.float32) / np.float32(255)


def shape_of(seen: NDArray[np.float32], picture: Pixels) -> NDArray[np.float32]:
    """The shape of what a map [h, w] shows, 0..1 at the picture's size and along its edges."""
    planes = torch.tensor(np.ascontiguousarray(picture[..., :3])).permute(2, 0, 1).float() / 255
    found = outlined(_in_range(torch.tensor(seen)), planes)
    ramp = (found - _EDGE_FROM) / (_EDGE_TO - _EDGE_FROM)
    return np.asarray(ramp.clamp(0, 1).numpy(), np.float32)


def widened(shape: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """A shape [H, W] that was found from a map of so many rows, and what is drawn at its edges."""
    radius = max(1, round(len(shape) / cells / _AROUND))
    planes = torch.tensor(shape)[None, None]
    wider = functional.max_pool2d(planes, 2 * radius + 1, stride=1, padding=radius)
    return np.asarray(wider[0, 0].numpy(), np.float32)


def whole_cells(shape: NDArray[np.float32], latents: Tensor) -> Tensor:
    """[1, 1, h, w] of 0 and 1: the latents that hold little beside a shape [H, W]."""
    size = cast("tuple[int, int]", tuple(latents.shape[-2:]))
    filled = functional.interpolate(torch.tensor(shape)[None, None], size=size, mode="area")
    return (filled > _CELL_FILLED).float().to(latents.device)


def around_subject(heat: Heat, span: Span, latents: Tensor) -> Tensor | None:
    """About the shape of the subject at `span`, [1, 1, h, w] of 0 and 1; None if nothing is known.

    Half a cell of the map around it is taken as well, not a whole one as for what is removed: the ground at
    its feet belongs to the surroundings.
    """
    found = span_heat(heat, span)
    if found is None:
        return None
    values = torch.tensor(found)[None, None]
    strong = (_in_range(values) > _SUBJECT_FROM).float()
    size = cast("tuple[int, int]", tuple(latents.shape[-2:]))
    whole = functional.interpolate(strong, size=size, mode="nearest")
    half = max(1, round(size[0] / values.shape[-2] / 2))
    grown = functional.max_pool2d(whole, 2 * half + 1, stride=1, padding=half)
    return grown.to(latents.device)


def words_at(heat: Heat, spans: Sequence[Span], latents: Tensor) -> Tensor | None:
    """Where the words at `spans` are in the picture; None if nothing is known."""
    found = [seen for span in spans if (seen := span_heat(heat, span)) is not None]
    if not found:
        return None
    total = _in_range(torch.tensor(sum(found[1:], found[0]))[None, None])
    pooled = functional.max_pool2d(total, 3, stride=1, padding=1)
    size = cast("tuple[int, int]", tuple(latents.shape[-2:]))
    whole = functional.interpolate(pooled, size=size, mode="bilinear", align_corners=False)
    return (whole > 4 * SEEN_FROM).float().to(latents.device)


def nearest(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A map [h, w] as pixels: at each the nearest of its values."""
    rows, columns = (np.arange(count) * have // count for count, have in zip(size, values.shape, strict=True))
    return values[rows][:, columns]


def _in_range(values: Tensor) -> Tensor:
    """0 for the least of them, and 1 for the greatest."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp(min=1e-12)
