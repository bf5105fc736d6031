"""The blend equations against scalar ones written from the W3C text, and the composite of layers."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor import blending
from editor.layers.layer import BlendMode, Layer
from editor.pixels.raster import Area
from editor.rendering.compositing import composite, composite_samples
from tests.editor.samples import flat, noise


def hard_light(b: float, s: float) -> float:
    return b * 2 * s if s <= 0.5 else b + (2 * s - 1) - b * (2 * s - 1)


def dodge(b: float, s: float) -> float:
    if b == 0:
        return 0
    return 1 if s == 1 else min(1, b / (1 - s))


def burn(b: float, s: float) -> float:
    if b == 1:
        return 1
    return 0 if s == 0 else 1 - min(1, (1 - b) / s)


def soft_light(b: float, s: float) -> float:
    if s <= 0.5:
        return b - (1 - 2 * s) * b * (1 - b)
    d = ((16 * b - 12) * b + 4) * b if b <= 0.25 else math.sqrt(b)
    return b + (2 * s - 1) * (d - b)


def vivid(b: float, s: float) -> float:
    return burn(b, 2 * s) if s <= 0.5 else dodge(b, 2 * s - 1)


def divided(b: float, s: float) -> float:
    if s == 0:
        return 0 if b == 0 else 1
    return min(1, b / s)


def test_what_is_clipped_to_a_hidden_layer_does_not_show() -> None:
    """As in Photoshop, Affinity and Clip Studio: what it would show on is not there."""
    base = Layer.of_pixels(name="base", pixels=flat(255), visible=False)
    top = Layer.of_pixels(name="top", pixels=flat(40), clipped=True)
    area = Area(0, 0, 8, 8)
    assert (composite((base, top), area) == 0).all()
    assert (composite_samples((base, top), area) == 0).all()


SCALAR: dict[BlendMode, Callable[[float, float], float]] = {
    BlendMode.NORMAL: lambda b, s: s,
    BlendMode.MULTIPLY: lambda b, s: b * s,
    BlendMode.SCREEN: lambda b, s: b + s - b * s,
    BlendMode.OVERLAY: lambda b, s: hard_light(s, b),
    BlendMode.DARKEN: min,
    BlendMode.LIGHTEN: max,
    BlendMode.COLOUR_DODGE: dodge,
    BlendMode.COLOUR_BURN: burn,
    BlendMode.LINEAR_DODGE: lambda b, s: min(1, b + s),
    BlendMode.LINEAR_BURN: lambda b, s: max(0, b + s - 1),
    BlendMode.HARD_LIGHT: hard_light,
    BlendMode.SOFT_LIGHT: soft_light,
    BlendMode.VIVID_LIGHT: vivid,
    BlendMode.LINEAR_LIGHT: lambda b, s: min(1, max(0, b + 2 * s - 1)),
    BlendMode.PIN_LIGHT: lambda b, s: min(b, 2 * s) if s <= 0.5 else max(b, 2 * s - 1),
    BlendMode.HARD_MIX: lambda b, s: float(b + s > 1),
    BlendMode.DIFFERENCE: lambda b, s: abs(b - s),
    BlendMode.EXCLUSION: lambda b, s: b + s - 2 * b * s,
    BlendMode.SUBTRACT: lambda b, s: max(0, b - s),
    BlendMode.DIVIDE: divided,
}

Colour = tuple[float, float, float]


def lum(c: Colour) -> float:
    return 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]


def clip_colour(c: Colour) -> Colour:
    grey, low, high = lum(c), min(c), max(c)
    if low < 0:
        c = tuple(grey + (one - grey) * grey / (grey - low) for one in c)
    if high > 1:
        c = tuple(grey + (one - grey) * (1 - grey) / (high - grey) for one in c)
    return c


def set_lum(c: Colour, wanted: float) -> Colour:
    by = wanted - lum(c)
    return clip_colour((c[0] + by, c[1] + by, c[2] + by))


def set_sat(c: Colour, wanted: float) -> Colour:
    order = sorted(range(3), key=lambda i: c[i])
    low, middle, high = order
    result = [0.0, 0.0, 0.0]
    if c[high] > c[low]:
        result[middle] = (c[middle] - c[low]) * wanted / (c[high] - c[low])
        result[high] = wanted
    return result[0], result[1], result[2]


def sat(c: Colour) -> float:
    return max(c) - min(c)


WHOLE: dict[BlendMode, Callable[[Colour, Colour], Colour]] = {
    BlendMode.HUE: lambda b, s: set_lum(set_sat(s, sat(b)), lum(b)),
    BlendMode.SATURATION: lambda b, s: set_lum(set_sat(b, sat(s)), lum(b)),
    BlendMode.COLOUR: lambda b, s: set_lum(s, lum(b)),
    BlendMode.LUMINOSITY: lambda b, s: set_lum(b, lum(s)),
    BlendMode.DARKER_COLOUR: lambda b, s: s if lum(s) < lum(b) else b,
    BlendMode.LIGHTER_COLOUR: lambda b, s: s if lum(s) > lum(b) else b,
}

COVERAGE: dict[BlendMode, Callable[[float, float], tuple[float, float]]] = {
    BlendMode.SOURCE_ATOP: lambda alpha, ab: (ab, 1 - alpha),
    BlendMode.DESTINATION_IN: lambda alpha, ab: (0, alpha),
    BlendMode.DESTINATION_OUT: lambda alpha, ab: (0, 1 - alpha),
    BlendMode.DESTINATION_ATOP: lambda alpha, ab: (1 - ab, alpha),
}


def expected(mode: BlendMode, cb: float, ab: float, cs: float, alpha: float) -> tuple[float, float]:
    """(colour, alpha) of one channel."""
    if mode is BlendMode.PLUS:
        out = min(1, alpha + ab)
        return (min(1, min(1, alpha * cs + ab * cb) / out) if out else 0, out)
    if mode in COVERAGE:
        fa, fb = COVERAGE[mode](alpha, ab)
        out = alpha * fa + ab * fb
        return ((alpha * fa * cs + ab * fb * cb) / out if out else 0, out)
    out = alpha + ab - alpha * ab
    mixed = (1 - ab) * cs + ab * SCALAR[mode](cb, cs)
    return ((alpha * mixed + (1 - alpha) * ab * cb) / out if out else 0, out)


def blended(backdrop: np.ndarray, source: np.ndarray, mode: BlendMode) -> np.ndarray:
    """By pixels [..., 4] what `blend` does by planes."""
    below, above = np.moveaxis(backdrop, -1, 0), np.moveaxis(source, -1, 0)
    colour, alpha = blending.blend(below[:3], below[3], above[:3], above[3], mode)
    assert colour.dtype == alpha.dtype == np.float32
    return np.moveaxis(np.concatenate([colour, alpha[None]]), 0, -1)


LEVELS = [0.0, 0.1, 0.25, 0.5, 0.6, 0.9, 1.0]


@pytest.mark.parametrize("mode", [mode for mode in BlendMode if mode not in WHOLE])
def test_blend_equations(mode: BlendMode) -> None:
    cases = list(itertools.product(LEVELS, repeat=4))  # cb, ab, cs, as
    backdrop = np.array([[[cb, cb, cb, ab] for cb, ab, _, _ in cases]], np.float32)
    source = np.array([[[cs, cs, cs, alpha] for _, _, cs, alpha in cases]], np.float32)
    wanted = [expected(mode, *case) for case in cases]
    result = blended(backdrop, source, mode)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result[0, :, 0], [colour for colour, _ in wanted], atol=3e-6)
    np.testing.assert_allclose(result[0, :, 3], [alpha for _, alpha in wanted], atol=1e-6)


@pytest.mark.parametrize("mode", WHOLE)
def test_modes_that_mix_the_channels(mode: BlendMode) -> None:
    rng = np.random.default_rng(5)
    backdrop, source = rng.random((2, 500, 4), np.float32)
    backdrop[:100, 1] = backdrop[:100, 0]  # two channels alike, and greys
    source[50:150, :3] = source[50:150, :1]
    result = blended(backdrop, source, mode)
    for below, above, found in zip(backdrop.tolist(), source.tolist(), result.tolist(), strict=True):
        ab, alpha = below[3], above[3]
        mixed = WHOLE[mode](tuple(below[:3]), tuple(above[:3]))
        out = alpha + ab - alpha * ab
        wanted = [
            (alpha * (1 - ab) * s + alpha * ab * m + (1 - alpha) * ab * b) / out
            for b, s, m in zip(below, above, mixed)
        ]
        assert found == pytest.approx([*wanted, out], abs=2e-5)


def layer(level: int, **fields: object) -> Layer:
    return Layer.of_pixels(name=str(level), pixels=flat(level), **fields)


class TestComposite:
    area = Area(0, 0, 8, 8)

    def test_half_over_opaque(self) -> None:
        picture = composite([layer(100), layer(200, opacity=0.5)], self.area)
        assert (picture == [150, 150, 150, 255]).all()

    def test_hidden_and_transparent_layers_do_not_count(self) -> None:
        picture = composite([layer(100), layer(9, visible=False), layer(8, opacity=0.0)], self.area)
        assert (picture == [100, 100, 100, 255]).all()

    def test_a_single_layer_passes_through_without_a_copy(self) -> None:
        only = layer(7)
        assert np.shares_memory(composite([only], self.area), only.pixels)

    def test_nothing_visible_is_transparent(self) -> None:
        assert not composite([layer(1, visible=False)], self.area).any()

    def test_an_empty_region_is_empty(self) -> None:
        assert composite([layer(1)], Area(0, 0, 0, 0)).shape == (0, 0, 4)

    def test_layers_keep_their_places_and_are_cut_at_the_edge(self) -> None:
        picture = composite([layer(10), layer(90, x=6, y=-5)], self.area)
        assert (picture[:3, 6:, 0] == 90).all()
        assert (picture[3:, :, 0] == 10).all()
        assert (picture[:, :6, 0] == 10).all()

    @given(st.integers(-3, 9), st.integers(-3, 9), st.integers(1, 9), st.integers(1, 9))
    def test_a_region_is_that_part_of_the_whole(self, x: int, y: int, width: int, height: int) -> None:
        layers = [
            Layer.of_pixels(name="a", pixels=noise(1)),
            Layer.of_pixels(name="b", pixels=noise(2), x=3, y=-2, opacity=0.6, blend_mode=BlendMode.OVERLAY),
        ]
        whole = composite(layers, Area(-4, -4, 24, 24))
        part = composite(layers, Area(x, y, width, height))
        visible = part[..., 3] > 0  # colours under no alpha are not seen
        np.testing.assert_array_equal(part[visible], whole[y + 4 :, x + 4 :][:height, :width][visible])


def test_every_mode_has_a_label_and_an_equation() -> None:
    assert len({mode.label for mode in BlendMode}) == len(BlendMode)
    known = {*blending.BLENDS, *blending.PORTER_DUFF, BlendMode.NORMAL, BlendMode.PLUS}
    assert known == set(BlendMode)
