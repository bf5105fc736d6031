"""Blend equations and the composite of layers: the NumPy reference.

Colours are straight-alpha sRGB; blending happens on the sRGB values, as the W3C's "Compositing and Blending
Level 1", OpenRaster and Krita do. With backdrop colour Cb and alpha ab, source colour Cs and alpha as:

    ao = as + ab·(1 - as)
    ao·Co = as·(1 - ab)·Cs + as·ab·B(Cb, Cs) + (1 - as)·ab·Cb
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect

from editor.layer import BlendMode, Layer
from editor.pixels import read_only, transparent
from inference.request import Pixels

Colour = NDArray[np.float32]  # [..., 3] in 0..1
Blend = Callable[[Colour, Colour], Colour]

BAND_ROWS = 256  # rows composed at once: bounds the memory of the float buffers


def composite(layers: Sequence[Layer], region: QRect) -> Pixels:
    """The visible layers (bottom to top) over each other inside `region`: read-only RGBA uint8.

    A single opaque-as-is layer that covers the region is returned as it is, without a copy.
    """
    if region.isEmpty():
        return np.zeros((0, 0, 4), np.uint8)
    shown = [layer for layer in layers if _contributes(layer, region)]
    if len(shown) == 1 and _passes_through(shown[0], region):
        return _cut(shown[0], region)
    if not shown:
        return transparent(region.width(), region.height())
    result = np.empty((region.height(), region.width(), 4), np.uint8)
    for top in range(0, region.height(), BAND_ROWS):
        rows = min(BAND_ROWS, region.height() - top)
        band = QRect(region.x(), region.y() + top, region.width(), rows)
        result[top : top + rows] = _composite_band(shown, band)
    return read_only(result)


def blend_pixels(
    backdrop: NDArray[np.float32], source: NDArray[np.float32], mode: BlendMode
) -> NDArray[np.float32]:
    """Source over backdrop, both straight RGBA [..., 4] in 0..1; a result without alpha is all zero."""
    cb, ab = backdrop[..., :3], backdrop[..., 3:]
    cs, alpha = source[..., :3], source[..., 3:]
    if mode is BlendMode.PLUS:
        out_alpha = np.minimum(alpha + ab, 1)
        premultiplied = np.minimum(alpha * cs + ab * cb, 1)
    else:
        out_alpha = alpha + ab * (1 - alpha)
        mixed = cs if mode is BlendMode.NORMAL else BLENDS[mode](cb, cs)
        premultiplied = alpha * (1 - ab) * cs + alpha * ab * mixed + (1 - alpha) * ab * cb
    colour = np.divide(premultiplied, out_alpha, out=np.zeros_like(premultiplied), where=out_alpha > 0)
    return np.concatenate([np.minimum(colour, 1), out_alpha], axis=-1, dtype=np.float32)


def _composite_band(layers: Sequence[Layer], band: QRect) -> Pixels:
    canvas = np.zeros((band.height(), band.width(), 4), np.float32)
    for layer in layers:
        common = layer.rect.intersected(band)
        if common.isEmpty():
            continue
        source = _cut(layer, common).astype(np.float32) / np.float32(255)
        source[..., 3] *= layer.opacity
        left, top = common.x() - band.x(), common.y() - band.y()
        place = (slice(top, top + common.height()), slice(left, left + common.width()))
        canvas[place] = blend_pixels(canvas[place], source, layer.blend_mode)
    return (canvas * 255 + 0.5).astype(np.uint8)


def _contributes(layer: Layer, region: QRect) -> bool:
    return layer.visible and layer.opacity > 0 and layer.rect.intersects(region)


def _passes_through(layer: Layer, region: QRect) -> bool:
    """Over an empty backdrop every blend mode is the source itself."""
    return layer.opacity == 1 and layer.rect.contains(region)


def _cut(layer: Layer, region: QRect) -> Pixels:
    top, left = region.y() - layer.y, region.x() - layer.x
    return layer.pixels[top : top + region.height(), left : left + region.width()]


def _multiply(cb: Colour, cs: Colour) -> Colour:
    return cb * cs


def _screen(cb: Colour, cs: Colour) -> Colour:
    return np.subtract(cb + cs, cb * cs)


def _hard_light(cb: Colour, cs: Colour) -> Colour:
    twice = cs + cs
    return np.where(cs <= 0.5, _multiply(cb, twice), _screen(cb, twice - np.float32(1)))


def _overlay(cb: Colour, cs: Colour) -> Colour:
    return _hard_light(cs, cb)


def _colour_dodge(cb: Colour, cs: Colour) -> Colour:
    quotient = np.divide(cb, 1 - cs, out=np.ones_like(cb), where=cs < 1)
    return np.where(cb == 0, np.float32(0), np.minimum(quotient, 1))


def _colour_burn(cb: Colour, cs: Colour) -> Colour:
    quotient = np.divide(1 - cb, cs, out=np.ones_like(cb), where=cs > 0)
    return np.where(cb == 1, np.float32(1), 1 - np.minimum(quotient, 1))


def _soft_light(cb: Colour, cs: Colour) -> Colour:
    curve = np.where(cb <= 0.25, ((16 * cb - 12) * cb + 4) * cb, np.sqrt(cb))
    darker = cb - (1 - 2 * cs) * cb * (1 - cb)
    return np.where(cs <= 0.5, darker, cb + (2 * cs - 1) * (curve - cb))


def _difference(cb: Colour, cs: Colour) -> Colour:
    return np.abs(cb - cs)


def _exclusion(cb: Colour, cs: Colour) -> Colour:
    return np.subtract(cb + cs, 2 * cb * cs)


BLENDS: Mapping[BlendMode, Blend] = {
    BlendMode.MULTIPLY: _multiply,
    BlendMode.SCREEN: _screen,
    BlendMode.OVERLAY: _overlay,
    BlendMode.DARKEN: np.minimum,
    BlendMode.LIGHTEN: np.maximum,
    BlendMode.COLOUR_DODGE: _colour_dodge,
    BlendMode.COLOUR_BURN: _colour_burn,
    BlendMode.HARD_LIGHT: _hard_light,
    BlendMode.SOFT_LIGHT: _soft_light,
    BlendMode.DIFFERENCE: _difference,
    BlendMode.EXCLUSION: _exclusion,
}
"""B(Cb, Cs) of every separable mode but normal, where it is Cs."""
