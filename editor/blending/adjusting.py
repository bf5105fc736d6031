"""Adjustments under a blend mode: what a layer without pixels of its own puts onto the backdrop.

No standard knows adjustment layers; these are the W3C's equations ("Compositing and Blending Level 1",
sections 9 and 10) for a source that is the adjusted backdrop. The equations take the coverage of source and
backdrop as independent (section 5.1), by which a half-transparent pixel would thicken under every adjustment.
Here they are not: the source covers what the backdrop covers. So the equations hold inside that coverage,
where both alphas are 1 and the source's is scaled by the strength k. With backdrop colour Cb and alpha ab,
adjusted colour Cs and alpha as (blurs alone make it another than ab), and m = min(ab, as), the part that both
cover:

    blend modes       ao = (1 - k)·ab + k·as   ao·Co = (1 - k)·ab·Cb + k·(m·B(Cb, Cs) + (as - m)·Cs)
    plus              ao = ab + k·(as - m)     ao·Co = m·min(1, Cb + k·Cs) + (ab - m)·Cb + k·(as - m)·Cs
    source-atop       ao = ab                  ao·Co = ab·Cb + k·m·(Cs - Cb)
    destination-in    ao = k·m                 Co = Cb
    destination-out   ao = ab - k·m            Co = Cb
    destination-atop  ao = k·as                ao·Co = k·(m·Cb + (as - m)·Cs)

For an adjustment that keeps alpha, m = as = ab: normal is its plain result, plus the sum of both pictures,
and the destination modes let the strength, hence its mask, cut out what is below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from editor.blending import BLENDS, mixed
from editor.blending.backdrop import THINNING, Backdrop, Plane, Strength, mix
from editor.layers.blend_mode import BlendMode

_ONE, _TINY = np.float32(1), np.float32(1e-30)


def adjust_onto(backdrop: Backdrop, adjusted: Backdrop, strength: Strength, mode: BlendMode) -> None:
    """Put what an adjustment made of the backdrop onto it, in place; `adjusted` is used up.

    Args:
        backdrop: the backdrop.
        adjusted: all of it adjusted, of the same size.
        strength: opacity times mask, in 0..1: a plane [h, w] or a number.
        mode: of the adjustment.
    """
    if mode in _COVERAGE:
        _COVERAGE[mode](backdrop, adjusted, strength)
        backdrop.opaque = backdrop.opaque and mode not in THINNING
        return
    if mode in BLENDS:
        _lay_over_adjusted(
            adjusted, mixed(backdrop.colour, adjusted.colour, mode), _common(backdrop, adjusted)
        )
    mix(backdrop, adjusted, strength)


def _common(backdrop: Backdrop, adjusted: Backdrop) -> Plane:
    """m, the part of each pixel that backdrop and adjusted picture both cover."""
    return backdrop.alpha if adjusted.alpha is backdrop.alpha else np.minimum(backdrop.alpha, adjusted.alpha)


def _lay_over_adjusted(adjusted: Backdrop, colour: Plane, common: Plane) -> None:
    """Of the adjusted picture the part m in another colour."""
    if adjusted.opaque:
        adjusted.colour = colour
        return
    share = common / np.maximum(adjusted.alpha, _TINY)
    adjusted.colour = cast("Plane", adjusted.colour + (colour - adjusted.colour) * share)


def _plus(backdrop: Backdrop, adjusted: Backdrop, strength: Strength) -> None:
    both = np.minimum(backdrop.colour + adjusted.colour * strength, _ONE)
    if backdrop.opaque:
        backdrop.colour[:] = both
        return
    common = _common(backdrop, adjusted)
    gained = (adjusted.alpha - common) * strength
    total = common * both + (backdrop.alpha - common) * backdrop.colour + gained * adjusted.colour
    backdrop.alpha += gained
    backdrop.colour[:] = total / np.maximum(backdrop.alpha, _TINY)


def _source_atop(backdrop: Backdrop, adjusted: Backdrop, strength: Strength) -> None:
    share = strength
    if not backdrop.opaque:
        share = strength * (_common(backdrop, adjusted) / np.maximum(backdrop.alpha, _TINY))
    backdrop.colour += (adjusted.colour - backdrop.colour) * share


def _destination_in(backdrop: Backdrop, adjusted: Backdrop, strength: Strength) -> None:
    backdrop.alpha[:] = _common(backdrop, adjusted) * strength


def _destination_out(backdrop: Backdrop, adjusted: Backdrop, strength: Strength) -> None:
    backdrop.alpha -= _common(backdrop, adjusted) * strength


def _destination_atop(backdrop: Backdrop, adjusted: Backdrop, strength: Strength) -> None:
    _lay_over_adjusted(adjusted, backdrop.colour, _common(backdrop, adjusted))
    backdrop.colour[:] = adjusted.colour
    backdrop.alpha[:] = adjusted.alpha * strength


_COVERAGE: Mapping[BlendMode, Callable[[Backdrop, Backdrop, Strength], None]] = {
    BlendMode.PLUS: _plus,
    BlendMode.SOURCE_ATOP: _source_atop,
    BlendMode.DESTINATION_IN: _destination_in,
    BlendMode.DESTINATION_OUT: _destination_out,
    BlendMode.DESTINATION_ATOP: _destination_atop,
}
