"""Several LoRAs on one layer as one addition, without a second copy of their numbers.

The sum of two additions is one of the sum of their ranks, which a layer computes as quickly as one alone.
What was read of each file is a part of the joined halves from then on, so that they are in memory once.
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inference.backbones.additions import Addition
from inference.loras.keys import Place


@dataclass(frozen=True, eq=False, kw_only=True)
class Factors:
    """A layer's halves [r, in, …] and [out, r] as its LoRA has them, and α/r."""

    down: Tensor
    up: Tensor
    scale: float


@dataclass(frozen=True, eq=False)
class Piece:
    """What one LoRA adds to one layer, and where its factors are kept."""

    addition: Addition
    kept: MutableMapping[Place, Factors]
    place: Place


def joined(pieces: Sequence[Piece]) -> Addition:
    """All at once; `kept` holds parts of the result afterwards, wherever it held these very numbers.

    Alone it is joined as well if it was a part of a sum before, whose other parts would stay in memory.
    """
    first = pieces[0].addition
    if len(pieces) == 1 and _is_whole(first.down) and _is_whole(first.up):
        return first
    whole = Addition(
        down=torch.cat([one.addition.down for one in pieces]),
        up=torch.cat([one.addition.up for one in pieces], dim=1),
        scales=torch.cat([one.addition.scales for one in pieces]),
    )
    start = 0
    for one in pieces:
        end = start + len(one.addition.down)
        factors = one.kept[one.place]
        if _is_same(factors.down, one.addition.down) and _is_same(factors.up, one.addition.up):
            down = whole.down[start:end].view(factors.down.shape)
            one.kept[one.place] = replace(factors, down=down, up=whole.up[:, start:end])
        start = end
    return whole


def _is_whole(tensor: Tensor) -> bool:
    """Whether it is all that is in its memory."""
    return tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def _is_same(kept: Tensor, used: Tensor) -> bool:
    """Whether both are the same numbers in memory: not cast, cut in pieces or turned for a layer."""
    return (kept.data_ptr(), kept.numel(), kept.dtype) == (used.data_ptr(), used.numel(), used.dtype)
