"""Invert: every colour becomes its opposite."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.parameters import Parameters


@dataclass(frozen=True, kw_only=True)
class Invert(Parameters):
    """Has nothing to set."""


def apply(settings: Invert, planes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """1 - C for the three colours; alpha stays."""
    del settings, scale
    return np.concatenate([1 - planes[:3], planes[3:]])
