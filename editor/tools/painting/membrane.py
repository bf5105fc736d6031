"""The smooth surface through known values: how healing fits a patch to its surroundings.

It solves Laplace's equation with the known values as boundary. That is Poisson image editing for a patch
whose gradients are kept (Pérez, Gangnet, Blake, 2003): patch + membrane(surroundings - patch).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
_SMALLEST = 4
_SWEEPS = 48  # over each level; a coarser level gives a start that is right but for details
_RELAXATION = 0.9  # damped, so that alternating errors die out too


def membrane(values: Field, known: NDArray[np.bool_]) -> Field:
    """Values [h, w, C] with the unknown ones [h, w] replaced by a surface without humps.

    Zeros if none is known. Takes about 1 µs a pixel and channel.
    """
    if known.all():
        return values
    if not known.any():
        return np.zeros_like(values)
    height, width = known.shape
    if min(height, width) <= _SMALLEST:
        mean = values[known].mean(axis=0)
        start = np.where(known[..., None], values, mean).astype(np.float32)
    else:
        start = _from_coarse(values, known)
    return _relaxed(start, values, known)


def _from_coarse(values: Field, known: NDArray[np.bool_]) -> Field:
    import cv2  # with its first use, not with the window

    height, width = known.shape
    size = (-(-width // 2), -(-height // 2))
    weight = known.astype(np.float32)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    summed = _channels(cv2.resize(values * weight[..., None], size, interpolation=cv2.INTER_AREA), values)
    small_known = small_weight > 0
    small = np.divide(
        summed,
        small_weight[..., None],
        out=np.zeros_like(summed),
        where=np.broadcast_to(small_known[..., None], summed.shape),
    )
    solved = membrane(small, small_known)
    return _channels(cv2.resize(solved, (width, height), interpolation=cv2.INTER_LINEAR), values)


def _relaxed(start: Field, values: Field, known: NDArray[np.bool_]) -> Field:
    import cv2  # with its first use, not with the window

    fixed = known[..., None]
    current = np.where(fixed, values, start).astype(np.float32)
    for _ in range(_SWEEPS):
        mean = _channels(cv2.filter2D(current, -1, _CROSS, borderType=cv2.BORDER_REPLICATE), values)
        mean = current + (mean - current) * np.float32(_RELAXATION)
        current = np.where(fixed, values, mean)
    return current


def _channels(picture: object, like: Field) -> Field:
    """What OpenCV gave, with the channel axis it drops for one channel."""
    array = np.asarray(picture, np.float32)
    return array if array.ndim == like.ndim else array[..., None]
