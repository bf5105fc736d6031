"""Adjustments of a recipe: the same pictures as the editor's own adjustments give."""

from __future__ import annotations

import numpy as np
import pytest

from editor import adjustments
from editor.adjustments import ADJUSTMENTS
from editor.adjustments.applying import apply_to_layer
from editor.adjustments.brightness_contrast import BrightnessContrast
from editor.adjustments.curves import Curves
from editor.adjustments.gaussian_blur import GaussianBlur
from editor.adjustments.hue_saturation import HueSaturation
from editor.adjustments.invert import Invert
from editor.adjustments.levels import Levels
from editor.adjustments.posterise import Posterise
from editor.adjustments.sharpen import Sharpen
from editor.adjustments.white_balance import WhiteBalance
from editor.batch.adjusting import adjusted
from editor.layers.layer import Layer
from editor.pixels.raster import Raster
from inference.parameters import Parameters

SETTINGS: tuple[Parameters, ...] = (
    BrightnessContrast(brightness=20, contrast=30),
    WhiteBalance(temperature=40, tint=-10),
    Invert(),
    Posterise(),
    HueSaturation(),
    GaussianBlur(radius=3),
    Sharpen(radius=2, amount=150),
    Levels(),
    Curves(),
)


def samples(dtype: type[np.generic], size: tuple[int, int] = (300, 280)) -> np.ndarray:
    top = int(np.iinfo(dtype).max)  # type: ignore[type-var]
    return np.random.default_rng(1).integers(0, top + 1, (*size, 4)).astype(dtype)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_adjustment_is_the_editors_own(settings: Parameters, dtype: type[np.generic]) -> None:
    given = samples(dtype)
    expected = apply_to_layer(Layer(name="x", raster=Raster.of(given)), settings).raster.array()
    found = adjusted(given, [settings])
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1  # rounding of the last bit


@pytest.mark.parametrize("kind", [k for k in ADJUSTMENTS.values() if k.by_channel], ids=lambda k: k.name)
def test_what_is_declared_to_work_by_channel_does(kind: adjustments.AdjustmentKind) -> None:
    settings = next((one for one in SETTINGS if isinstance(one, kind.settings)), kind.settings())
    planes = np.random.default_rng(2).random((4, 5, 7), dtype=np.float32)
    mixed = planes[[1, 2, 0, 3]]  # each channel among others
    apart = adjustments.apply(settings, planes)
    for channel in range(3):
        other = planes.copy()
        other[[one for one in range(3) if one != channel]] = mixed[
            [one for one in range(3) if one != channel]
        ]
        np.testing.assert_array_equal(adjustments.apply(settings, other)[channel], apart[channel])


def test_several_are_rounded_once() -> None:
    given = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 4, axis=2)
    there = BrightnessContrast(brightness=-60)
    back = Levels()
    both = adjusted(given, [there, back])
    assert len(np.unique(both[..., 0])) >= 100
    dark_and_bright = adjusted(given, [Invert(), BrightnessContrast(brightness=-40), Invert()])
    apart = given
    for one in (Invert(), BrightnessContrast(brightness=-40), Invert()):
        apart = adjusted(apart, [one])
    assert np.abs(dark_and_bright.astype(int) - apart.astype(int)).max() <= 1


@pytest.mark.parametrize("settings", [Invert(), GaussianBlur(radius=2)])
def test_the_amount_goes_half_of_the_way_and_beyond(settings: Parameters) -> None:
    given = (samples(np.uint8, (40, 30)) // 4) + 96  # room on both sides
    full = adjusted(given, [settings]).astype(int)
    half, more = adjusted(given, [settings], 50).astype(int), adjusted(given, [settings], 150).astype(int)
    before = given.astype(int)
    assert np.abs(half - (before + full) / 2)[..., :3].max() <= 1
    expected = np.clip(before + 1.5 * (full - before), 0, 255)
    assert np.abs(more - expected)[..., :3].max() <= 1.5
    assert adjusted(given, [settings], 0) is given


def test_alpha_is_no_colour() -> None:
    given = samples(np.uint8, (20, 20))
    np.testing.assert_array_equal(adjusted(given, [Invert()])[..., 3], given[..., 3])
