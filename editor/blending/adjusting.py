"""Adjustments under a blend mode: what a layer without pixels of its own puts onto the canvas.

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
from editor.blending.canvas import THINNING, Canvas, Plane, Strength, mix
from editor.layers.blend_mode import BlendMode

_ONE, _TINY = np.float32(1), np.float32(1e-30)


def adjust_onto(canvas: Canvas, adjusted: Canvas, strength: Strength, mode: BlendMode) -> None:
    """Put what an adjustment made of the canvas onto it, in place; `adjusted` is used up.

    Args:
        canvas: the backdrop.
        adjusted: all of it adjusted, of the same size.
        strength: opacity times mask, in 0..1: a plane [h, w] or a number.
        mode: of the adjustment.
    """
    if mode in _COVERAGE:
        _COVERAGE[mode](canvas, adjusted, strength)
        canvas.opaque = canvas.opaque and mode not in THINNING
        return
    if mode in BLENDS:
        _lay_over_adjusted(adjusted, mixed(canvas.colour, adjusted.colour, mode), _common(canvas, adjusted))
    mix(canvas, adjusted, strength)


def _common(canvas: Canvas, adjusted: Canvas) -> Plane:
    """m, the part of each pixel that backdrop and adjusted picture both cover."""
    return canvas.alpha if adjusted.alpha is canvas.alpha else np.minimum(canvas.alpha, adjusted.alpha)


def _lay_over_adjusted(adjusted: Canvas, colour: Plane, common: Plane) -> None:
    """Of the adjusted picture the part m in another colour."""
    if adjusted.opaque:
        adjusted.colour = colour
        return
    share = common / np.maximum(adjusted.alpha, _TINY)
    adjusted.colour = cast("Plane", adjusted.colour + (colour - adjusted.colour) * share)


def _plus(canvas: Canvas, adjusted: Canvas, strength: Strength) -> None:
    both = np.minimum(canvas.colour + adjusted.colour * strength, _ONE)
    if canvas.opaque:
        canvas.colour[:] = both
        return
    common = _common(canvas, adjusted)
    gained = (adjusted.alpha - common) * strength
    total = common * both + (canvas.alpha - common) * canvas.colour + gained * adjusted.colour
    canvas.alpha += gained
    canvas.colour[:] = total / np.maximum(canvas.alpha, _TINY)


def _source_atop(canvas: Canvas, adjusted: Canvas, strength: Strength) -> None:
    share = strength
    if not canvas.opaque:
        share = strength * (_common(canvas, adjusted) / np.maximum(canvas.alpha, _TINY))
    canvas.colour += (adjusted.colour - canvas.colour) * share


def _destination_in(canvas: Canvas, adjusted: Canvas, strength: Strength) -> None:
    canvas.alpha[:] = _common(canvas, adjusted) * strength


def _destination_out(canvas: Canvas, adjusted: Canvas, strength: Strength) -> None:
    canvas.alpha -= _common(canvas, adjusted) * strength


def _destination_atop(canvas: Canvas, adjusted: Canvas, strength: Strength) -> None:
    _lay_over_adjusted(adjusted, canvas.colour, _common(canvas, adjusted))
    canvas.colour[:] = adjusted.colour
    canvas.alpha[:] = adjusted.alpha * strength


_COVERAGE: Mapping[BlendMode, Callable[[Canvas, Canvas, Strength], None]] = {
    BlendMode.PLUS: _plus,
    BlendMode.SOURCE_ATOP: _source_atop,
    BlendMode.DESTINATION_IN: _destination_in,
    BlendMode.DESTINATION_OUT: _destination_out,
    BlendMode.DESTINATION_ATOP: _destination_atop,
}
