"""Blend equations on float32 planes, by blend mode.

The formulas are those of the W3C's "Compositing and Blending Level 1" (sections 9 and 10) where it has them;
the others are what Photoshop, Krita and GIMP agree on. With backdrop colour Cb and alpha ab, source colour Cs
and alpha as, a blend mode gives

    ao = as + ab·(1 - as)
    ao·Co = as·(1 - ab)·Cs + as·ab·B(Cb, Cs) + (1 - as)·ab·Cb

and a Porter-Duff mode ao = as·Fa + ab·Fb, ao·Co = as·Fa·Cs + ab·Fb·Cb.

Colours are planes [3, ...], straight alpha, in 0..1; blending happens on encoded values, as in OpenRaster.
"""

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray

from editor.blending import non_separable, separable
from editor.layers.blend_mode import BlendMode

__all__ = ["BLENDS", "PORTER_DUFF", "Blend", "Coverage", "Planes", "blend", "mixed"]

Planes = NDArray[np.float32]
Blend = Callable[[Planes, Planes, Planes, Planes], None]
Coverage = Callable[[Planes, Planes], tuple[Planes, Planes]]

BLENDS: Mapping[BlendMode, Blend] = {
    BlendMode.DARKEN: separable.darken,
    BlendMode.MULTIPLY: separable.multiply,
    BlendMode.COLOUR_BURN: separable.colour_burn,
    BlendMode.LINEAR_BURN: separable.linear_burn,
    BlendMode.DARKER_COLOUR: non_separable.darker_colour,
    BlendMode.LIGHTEN: separable.lighten,
    BlendMode.SCREEN: separable.screen,
    BlendMode.COLOUR_DODGE: separable.colour_dodge,
    BlendMode.LINEAR_DODGE: separable.linear_dodge,
    BlendMode.LIGHTER_COLOUR: non_separable.lighter_colour,
    BlendMode.OVERLAY: separable.overlay,
    BlendMode.SOFT_LIGHT: separable.soft_light,
    BlendMode.HARD_LIGHT: separable.hard_light,
    BlendMode.VIVID_LIGHT: separable.vivid_light,
    BlendMode.LINEAR_LIGHT: separable.linear_light,
    BlendMode.PIN_LIGHT: separable.pin_light,
    BlendMode.HARD_MIX: separable.hard_mix,
    BlendMode.DIFFERENCE: separable.difference,
    BlendMode.EXCLUSION: separable.exclusion,
    BlendMode.SUBTRACT: separable.subtract,
    BlendMode.DIVIDE: separable.divide,
    BlendMode.HUE: non_separable.hue,
    BlendMode.SATURATION: non_separable.saturation,
    BlendMode.COLOUR: non_separable.colour,
    BlendMode.LUMINOSITY: non_separable.luminosity,
}
"""B(Cb, Cs) of every blend mode but normal, where it is Cs: `(cb, cs, out, spare)` writes it into `out`."""

PORTER_DUFF: Mapping[BlendMode, Coverage] = {
    BlendMode.SOURCE_ATOP: lambda alpha, ab: (ab, 1 - alpha),
    BlendMode.DESTINATION_IN: lambda alpha, ab: (np.zeros_like(ab), alpha),
    BlendMode.DESTINATION_OUT: lambda alpha, ab: (np.zeros_like(ab), 1 - alpha),
    BlendMode.DESTINATION_ATOP: lambda alpha, ab: (1 - ab, alpha),
}
"""(Fa, Fb) of the coverage modes, from source alpha and backdrop alpha."""


def mixed(cb: Planes, cs: Planes, mode: BlendMode) -> Planes:
    """B(Cb, Cs) of a blend mode, both opaque."""
    if mode is BlendMode.NORMAL:
        return cs
    out = np.empty_like(cs)
    BLENDS[mode](cb, cs, out, np.empty_like(cs))
    return out


def blend(cb: Planes, ab: Planes, cs: Planes, alpha: Planes, mode: BlendMode) -> tuple[Planes, Planes]:
    """Source over backdrop: straight colour [3, ...] and alpha [...]; where alpha is 0 the colour is 0."""
    if mode is BlendMode.PLUS:
        out_alpha = np.minimum(alpha + ab, 1)
        premultiplied = np.minimum(alpha * cs + ab * cb, 1)
    elif mode in PORTER_DUFF:
        fa, fb = PORTER_DUFF[mode](alpha, ab)
        out_alpha = alpha * fa + ab * fb
        premultiplied = (alpha * fa) * cs + (ab * fb) * cb
    else:
        out_alpha = alpha + ab * (1 - alpha)
        both = mixed(cb, cs, mode)
        premultiplied = (alpha * (1 - ab)) * cs + (alpha * ab) * both + ((1 - alpha) * ab) * cb
    shape = premultiplied.shape
    colour = np.divide(
        premultiplied,
        np.broadcast_to(out_alpha, shape),
        out=np.zeros(shape, np.float32),
        where=np.broadcast_to(out_alpha > 0, shape),
    )
    return cast("Planes", np.minimum(colour, 1)), cast("Planes", out_alpha)
