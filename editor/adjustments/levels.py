"""Levels: the range of input values that is spread over the range of output values, with a gamma."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from editor.adjustments import tone_table
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

Range = tuple[float, float, float, float, float]
"""(black, gamma, white, output black, output white); all but gamma in 0..1."""

NEUTRAL: Range = (0.0, 1.0, 1.0, 0.0, 1.0)
GAMMA_MIN, GAMMA_MAX = 0.1, 10.0
SMALLEST_SPAN = 1 / 255  # between black and white


@dataclass(frozen=True, kw_only=True)
class Levels(Parameters):
    """One range for all channels, and one for each."""

    combined: Range = param(NEUTRAL, N_("Adjustments", "All channels"), hidden=True)
    red: Range = param(NEUTRAL, N_("Adjustments", "Red"), hidden=True)
    green: Range = param(NEUTRAL, N_("Adjustments", "Green"), hidden=True)
    blue: Range = param(NEUTRAL, N_("Adjustments", "Blue"), hidden=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for declared in self.declared():
            _check(declared.declaration.label, getattr(self, declared.name))


def apply(settings: Levels, planes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """out = o₀ + (o₁ - o₀)·clip((C - black) / (white - black))^(1/gamma), the channel's range first."""
    del scale
    result = planes.copy()
    for index, own in enumerate((settings.red, settings.green, settings.blue)):
        for given in (own, settings.combined):
            if given != NEUTRAL:
                result[index] = tone_table.looked_up(result[index], _table(given))
    return result


def spread(values: NDArray[np.float32], given: Range) -> NDArray[np.float32]:
    """Values in 0..1 through one range."""
    black, gamma, white, low, high = (np.float32(value) for value in given)
    inside = np.clip((values - black) / (white - black), 0, 1)
    if gamma != 1:
        inside = inside ** np.float32(1 / gamma)
    return low + (high - low) * inside


@lru_cache(maxsize=16)
def _table(given: Range) -> NDArray[np.float32]:
    return spread(tone_table.inputs(), given).astype(np.float32)


def _check(name: str, given: object) -> None:
    said = repr(given)
    numbers = cast("tuple[object, ...]", given) if isinstance(given, tuple) else ()
    if len(numbers) != 5 or not all(isinstance(value, int | float) for value in numbers):
        raise EditorError("Levels of “{name}” are {given}: five numbers are needed.", name=name, given=said)
    black, gamma, white, low, high = cast("Range", numbers)
    if not all(0 <= value <= 1 for value in (black, white, low, high)):
        raise EditorError("Levels of “{name}” are {given}: allowed is 0 to 1.", name=name, given=said)
    if not GAMMA_MIN <= gamma <= GAMMA_MAX:
        raise EditorError(
            "Gamma of “{name}” is {gamma}: allowed is {low:g} to {high:g}.",
            name=name,
            gamma=repr(gamma),
            low=GAMMA_MIN,
            high=GAMMA_MAX,
        )
    if white - black < SMALLEST_SPAN * 0.999:
        raise EditorError("White of “{name}” must lie above black.", "Move them apart.", name=name)
