"""How much of a model is on the device at once, and how its weights are kept there. Loads nothing."""

from enum import Enum


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


def is_tighter(mode: MemoryMode, than: MemoryMode) -> bool:
    """Whether it needs less memory than another."""
    order = tuple(MemoryMode)
    return order.index(mode) > order.index(than)
