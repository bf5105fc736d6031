"""Confidence intervals of means."""

from collections.abc import Sequence

import numpy as np

_DRAWS = 1000


def bootstrap_interval(values: Sequence[float], *, draws: int = _DRAWS, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean; the same for the same values and seed.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("a mean of nothing has no interval")
    array = np.asarray(values, np.float64)
    generator = np.random.default_rng(seed)
    means = array[generator.integers(0, len(array), (draws, len(array)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
