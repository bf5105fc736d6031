"""How paint meets the pixels below it.

With backdrop colour Cb and alpha ab, paint colour Cs and alpha as:
    normal and blend modes   ao = as + ab·(1 - as),  Co = Cb + (M - Cb)·as/ao,  M = (1 - ab)·Cs + ab·B(Cb, Cs)
    alpha kept               ao = ab,                Co = Cb + (B(Cb, Cs) - Cb)·as
    behind                   ao = ab + as·(1 - ab),  Co = Cb + (Cs - Cb)·as·(1 - ab)/ao
    erase                    ao = ab·(1 - as),       Co = Cb
Where as is 0, the samples stay as they are, hidden colours included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from editor.blending import mixed as blended
from editor.layers.blend_mode import BlendMode
from editor.pixels.raster import Samples
from inference.parameters import N_

Plane: TypeAlias = NDArray[np.float32]
Channels: TypeAlias = list[NDArray[np.floating[Any]]]

OPAQUE = np.float32(1)
NORMAL, BEHIND, ERASE = "normal", "behind", "erase"

_BLEND_MODES: Mapping[str, BlendMode] = {
    "multiply": BlendMode.MULTIPLY,
    "screen": BlendMode.SCREEN,
    "overlay": BlendMode.OVERLAY,
    "darken": BlendMode.DARKEN,
    "lighten": BlendMode.LIGHTEN,
    "colour-dodge": BlendMode.COLOUR_DODGE,
    "colour-burn": BlendMode.COLOUR_BURN,
    "soft-light": BlendMode.SOFT_LIGHT,
    "hard-light": BlendMode.HARD_LIGHT,
    "difference": BlendMode.DIFFERENCE,
    "hue": BlendMode.HUE,
    "saturation": BlendMode.SATURATION,
    "colour": BlendMode.COLOUR,
    "luminosity": BlendMode.LUMINOSITY,
}
MODES = (NORMAL, BEHIND, ERASE, *_BLEND_MODES)
MODE_LABELS: Mapping[str, str] = {
    NORMAL: N_("BlendMode", "Normal"),
    BEHIND: N_("BlendMode", "Behind"),
    ERASE: N_("BlendMode", "Erase"),
    **{name: mode.label for name, mode in _BLEND_MODES.items()},
}
"""What the modes are called, under the translation context "BlendMode"."""


@dataclass(frozen=True)
class Source:
    """The paint over one area, in 0..1: straight colour [3, h, w] or [3, 1, 1], alpha [h, w] or a number."""

    colour: Plane
    alpha: Plane | np.float32 = OPAQUE

    @classmethod
    def of_colour(cls, colour: tuple[int, int, int, int]) -> Source:
        red, green, blue, alpha = (np.float32(value / 255) for value in colour)
        return cls(np.array([red, green, blue], np.float32).reshape(3, 1, 1), alpha)

    @classmethod
    def of_samples(cls, samples: Samples) -> Source:
        """RGBA samples [h, w, 4]."""
        planes = _planes(samples)
        top = np.float32(np.iinfo(samples.dtype).max)
        return cls(np.stack(planes[:3]) / top, planes[3] / top)

    @property
    def grey(self) -> Plane:
        """Rec. 709 luma [h, w] (or [1, 1]) of the paint: what it is on a mask."""
        return (np.array([0.2126, 0.7152, 0.0722], np.float32).reshape(3, 1, 1) * self.colour).sum(axis=0)


def painted(
    samples: Samples, share: Plane, source: Source, mode: str = NORMAL, *, keeps_alpha: bool = False
) -> Samples:
    """Samples [h, w, 4] or [h, w, 1] with paint on them.

    Args:
        share: how much of each pixel [h, w] is painted, 0..1.
        mode: one of `MODES`; on masks all are normal.
        keeps_alpha: the transparency stays; behind and erase change nothing then.
    """
    amount: Plane = np.multiply(share, source.alpha, dtype=np.float32)
    top = float(np.iinfo(samples.dtype).max)
    if samples.shape[2] == 1:
        below = samples[..., 0].astype(np.float32)
        return _rounded([below + (source.grey * np.float32(top) - below) * amount], samples.dtype)
    if keeps_alpha and mode in (BEHIND, ERASE):
        return samples
    planes = _planes(samples)
    if mode == ERASE:
        planes[3] = planes[3] * (1 - amount)
        return _rounded(planes, samples.dtype)
    if mode == BEHIND:
        return _rounded(_behind(planes, amount, source, top), samples.dtype)
    return _rounded(_over(planes, amount, source, mode, top, keeps_alpha), samples.dtype)


def _over(
    planes: Channels, amount: Plane, source: Source, mode: str, top: float, keeps_alpha: bool
) -> Channels:
    alpha = planes[3]
    mixed = _blended(planes, source, mode, top)
    if keeps_alpha or float(alpha.min(initial=top)) == top:
        weight = amount
    else:
        covered = alpha * np.float32(1 / top)
        united = amount + covered * (1 - amount)
        weight = np.divide(amount, united, out=np.zeros_like(united), where=united > 0)
        if mode != NORMAL:
            mixed = [
                (1 - covered) * (own * np.float32(top)) + covered * both
                for own, both in zip(source.colour, mixed)
            ]
        alpha = united * np.float32(top)
    return [*(below + (over - below) * weight for below, over in zip(planes, mixed)), alpha]


def _blended(planes: Channels, source: Source, mode: str, top: float) -> Channels:
    """B(Cb, Cs) in the samples' own range."""
    if mode == NORMAL:
        return list(source.colour * np.float32(top))
    below = np.stack(planes[:3]) / np.float32(top)
    over = np.ascontiguousarray(np.broadcast_to(source.colour, below.shape))
    return list(blended(below, over, _BLEND_MODES[mode]) * np.float32(top))


def _behind(planes: Channels, amount: Plane, source: Source, top: float) -> Channels:
    covered = planes[3] * np.float32(1 / top)
    added = amount * (1 - covered)
    united = covered + added
    weight = np.divide(added, united, out=np.zeros_like(united), where=united > 0)
    colours = [below + (own * np.float32(top) - below) * weight for below, own in zip(planes, source.colour)]
    # where nothing is added, alpha stays to the last bit
    return [*colours, np.where(added > 0, united * np.float32(top), planes[3])]


def _planes(samples: Samples) -> Channels:
    import cv2  # with its first use, not with the window

    return [plane.astype(np.float32) for plane in cv2.split(np.ascontiguousarray(samples))]


def _rounded(planes: Channels, dtype: np.dtype[Any]) -> Samples:
    result: Samples = np.empty((*planes[0].shape, len(planes)), dtype)
    top = np.float32(np.iinfo(dtype).max)
    for index, plane in enumerate(planes):
        result[..., index] = np.clip(plane + np.float32(0.5), 0, top)
    return result
