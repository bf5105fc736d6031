"""Where a subject is in the source and in the target, from the attention of the pass that is running.

As MasaCtrl has it (arXiv:2304.08465): text attention of the usual layers, as far as this pass has come, mean
over layers and heads, min-max, everything above 0.1. A mask that is empty or full says nothing: then all of
the picture is injected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from inference.attention import AttentionStore
from inference.errors import EditorError

THRESHOLD = 0.1


@dataclass(frozen=True, kw_only=True)
class Masks:
    """Both masks of a pass, asked for while it runs.

    Args:
        target: where the subject is, float32 [h, w] in 0..1, or None as long as nothing is known.
        source: the same of the source, or None where no words stand for it there: then it is where the
            target's is.
    """

    target: Callable[[], Tensor | None]
    source: Callable[[], Tensor | None] | None = None


def of_features(source: Tensor | None, grid: tuple[int, ...]) -> Tensor | None:
    """The source's subject [h, w] as 0 or 1, [rows, columns]; None injects everywhere."""
    found = None if source is None else thresholded(source, grid)
    return None if found is None else found.float()


def of_attention(
    source: Tensor | None, target: Tensor | None, grid: tuple[int, int]
) -> tuple[Tensor, Tensor] | None:
    """Source and target [h, w] as bool [rows · columns]; None injects everywhere."""
    if source is None or target is None:
        return None
    masks = [thresholded(one, grid) for one in (source, target)]
    if masks[0] is None or masks[1] is None:
        return None
    return masks[0].flatten(), masks[1].flatten()


def thresholded(heat: Tensor, grid: tuple[int, ...]) -> Tensor | None:
    """`heat` [h, w] as bool at another grid; None if it is empty or full there."""
    size = cast("tuple[int, int]", tuple(grid))
    resized = torch.nn.functional.interpolate(heat[None, None].float(), size=size, mode="bilinear")[0, 0]
    low, high = resized.min(), resized.max()
    if not bool(high > low):
        return None
    found = (resized - low) / (high - low) > THRESHOLD
    return None if bool(found.all()) or not bool(found.any()) else found


def seen_so_far(store: AttentionStore, span: tuple[int, int], device: torch.device) -> Tensor | None:
    """What a store has of the span up to now."""
    try:
        return torch.tensor(store.heat(*span), device=device)
    except EditorError:  # no layer has run yet
        return None
