"""How much of a model is on the device at once, and how its weights are kept there. Loads nothing."""

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_PIECE_CHARACTERS = 25  # that one piece has at least: some scripts take three tokens for one


class MemoryMode(Enum):
    """How much of a model is on the device at once, from the fastest to the tightest."""

    FULL = "full"
    MODEL = "model"  # one network at a time
    EIGHT_BIT = "eight-bit"  # one network at a time, its weights kept in 8 bits
    GROUP = "group"  # one block of the denoiser at a time
    SEQUENTIAL = "sequential"  # one layer at a time


AUTO, EXACT, INT8, FLOAT8 = "auto", "exact", "int8", "float8"
STORAGES = (AUTO, EXACT, INT8, FLOAT8)
"""How weights are kept: as they are until memory is short, always as they are, or always in 8 bits."""


def modes_with(storage: str) -> tuple[MemoryMode, ...]:
    """The memory modes to choose from, from the fastest to the tightest."""
    return tuple(mode for mode in MemoryMode if storage == AUTO or mode is not MemoryMode.EIGHT_BIT)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks of memory beside the model.

    Args:
        width, height: of the picture; 0 is the model's own size.
        texts: that the text encoders read.
        loras: the files that are added to the model.
    """

    width: int = 0
    height: int = 0
    texts: tuple[str, ...] = ()
    loras: tuple[Path, ...] = ()

    def is_within(self, other: "Asked") -> bool:
        """Whether what is foreseen for another will do for this one; texts count by their length."""
        return (
            self.width * self.height <= other.width * other.height
            and self._pieces <= other._pieces
            and set(self.loras) <= set(other.loras)
        )

    @property
    def _pieces(self) -> int:
        """Roughly, by doublings: looking at all texts closely would cost more than it tells."""
        longest = max((len(text) for text in self.texts), default=0)
        return max(0, math.ceil(math.log2(max(longest, 1) / _PIECE_CHARACTERS)))


def is_tighter(mode: MemoryMode, than: MemoryMode) -> bool:
    """Whether it needs less memory than another."""
    order = tuple(MemoryMode)
    return order.index(mode) > order.index(than)
