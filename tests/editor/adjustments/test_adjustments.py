"""Every declared adjustment: its contract, and its values against hand-computed ones."""

import colorsys
import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor import adjustments
from editor.adjustments import ADJUSTMENTS, AdjustmentKind, apply, kind_of, reach_px
from editor.adjustments.black_and_white import BlackAndWhite
from editor.adjustments.brightness_contrast import BrightnessContrast
from editor.adjustments.curves import Curves, curve
from editor.adjustments.gaussian_blur import GaussianBlur, blurred
from editor.adjustments.hue_saturation import HueSaturation, from_hsl, to_hsl
from editor.adjustments.invert import Invert
from editor.adjustments.levels import Levels
from editor.adjustments.posterise import Posterise
from editor.adjustments.sharpen import Sharpen
from editor.adjustments.white_balance import WhiteBalance, encoded, from_grey, linear
from editor.layers.layer import Adjustment, Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite_samples, flatten
from inference.errors import EditorError
from inference.parameters import Parameters

NEUTRAL: list[Parameters] = [
    Levels(), Curves(), BrightnessContrast(), HueSaturation(), WhiteBalance(), GaussianBlur(radius=0),
    Sharpen(amount=0),
]  # fmt: skip
CHANGED: list[Parameters] = [
    Levels(combined=(0.1, 1.4, 0.8, 0.05, 0.95), red=(0.0, 0.7, 1.0, 0.0, 1.0)),
    Curves(combined=((0.0, 0.1), (0.4, 0.7), (1.0, 0.9)), blue=((0.2, 0.0), (1.0, 1.0))),
    BrightnessContrast(brightness=20, contrast=-30),
    HueSaturation(hue=-70, saturation=25, lightness=10),
    WhiteBalance(temperature=30, tint=-12),
    BlackAndWhite(tint=True),
    Invert(),
    Posterise(levels=5),
    GaussianBlur(radius=2.5),
    Sharpen(radius=1.2, amount=150, threshold=4),
]


def planes(seed: int = 0, height: int = 9, width: int = 11) -> np.ndarray:
    return np.random.default_rng(seed).random((4, height, width), np.float32)


def pixel(*colour: float) -> np.ndarray:
    return np.array([*colour, 1.0], np.float32).reshape(4, 1, 1)


def test_every_kind_is_tried() -> None:
    assert {type(settings) for settings in CHANGED} == {kind.settings for kind in ADJUSTMENTS.values()}


@pytest.mark.parametrize("settings", CHANGED, ids=lambda item: type(item).__name__)
class TestContract:
    def test_what_is_given_stays_as_it_is(self, settings: Parameters) -> None:
        before = planes()
        given = before.copy()
        result = apply(settings, given)
        assert np.array_equal(given, before)
        assert not np.array_equal(result, before)
        assert result.dtype == np.float32
        assert result.shape == before.shape
        assert 0 <= result.min() <= result.max() <= 1

    def test_settings_survive_json(self, settings: Parameters) -> None:
        values = json.loads(json.dumps(settings.to_json()))
        assert type(settings).from_json(values) == settings

    def test_local_ones_look_at_a_pixel_alone(self, settings: Parameters) -> None:
        kind = kind_of(settings)
        whole = apply(settings, planes())
        part = apply(settings, planes()[:, 3:5, 2:6].copy())
        if kind.local:
            np.testing.assert_allclose(part, whole[:, 3:5, 2:6], atol=1e-6)
            assert reach_px(settings) == 0
        else:
            assert not np.allclose(part, whole[:, 3:5, 2:6])
            assert reach_px(settings) > 0

    def test_nothing_reaches_further_than_said(self, settings: Parameters) -> None:
        reach = reach_px(settings)
        side = 2 * reach + 9
        one, other = planes(1, side, side), planes(1, side, side)
        other[:, 0, 0] = 0.5
        changed = np.abs(apply(settings, one) - apply(settings, other)).max(axis=0) > 1e-7
        rows, columns = np.nonzero(changed)
        assert max(rows.max(), columns.max()) <= reach


@pytest.mark.parametrize("settings", NEUTRAL, ids=lambda item: type(item).__name__)
def test_neutral_settings_change_no_bit(settings: Parameters) -> None:
    assert np.array_equal(apply(settings, planes()), planes())


@pytest.mark.parametrize(
    ("settings", "colour", "expected"),
    [
        (Invert(), (0.2, 0.5, 1.0), (0.8, 0.5, 0.0)),
        (Levels(combined=(0.2, 1.0, 0.7, 0.0, 1.0)), (0.2, 0.45, 0.9), (0.0, 0.5, 1.0)),
        (Levels(green=(0.0, 2.0, 1.0, 0.0, 1.0)), (0.25, 0.25, 0.25), (0.25, 0.5, 0.25)),
        (Levels(combined=(0.0, 1.0, 1.0, 0.9, 0.1)), (0.0, 0.5, 1.0), (0.9, 0.5, 0.1)),
        (BrightnessContrast(brightness=50), (0.0, 0.5, 1.0), (0.5, 0.75, 1.0)),
        (BrightnessContrast(brightness=-50), (0.0, 0.5, 1.0), (0.0, 0.25, 0.5)),
        (BrightnessContrast(contrast=-100), (0.0, 0.4, 1.0), (0.5, 0.5, 0.5)),
        (BrightnessContrast(contrast=100), (0.0, 0.49, 0.6), (0.0, 0.0, 1.0)),
        (HueSaturation(hue=120), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        (HueSaturation(saturation=-100), (0.9, 0.1, 0.5), (0.5, 0.5, 0.5)),
        (HueSaturation(lightness=100), (0.9, 0.1, 0.5), (1.0, 1.0, 1.0)),
        (HueSaturation(hue=0, saturation=100, colourise=True), (0.5, 0.5, 0.5), (1.0, 0.0, 0.0)),
        (BlackAndWhite(), (1.0, 0.0, 0.0), (0.3, 0.3, 0.3)),
        (BlackAndWhite(red=100, green=0, blue=0), (0.7, 0.2, 0.1), (0.7, 0.7, 0.7)),
        (BlackAndWhite(red=-50, green=0, blue=0), (0.7, 0.2, 0.1), (0.0, 0.0, 0.0)),
        (Posterise(levels=2), (0.49, 0.5, 1.0), (0.0, 1.0, 1.0)),
        (Posterise(levels=3), (0.0, 0.5, 0.7), (0.0, 0.5, 1.0)),
        (Curves(combined=((0.0, 1.0), (1.0, 0.0))), (0.0, 0.25, 1.0), (1.0, 0.75, 0.0)),
    ],
)
def test_hand_computed(settings: Parameters, colour: tuple[float, ...], expected: tuple[float, ...]) -> None:
    result = apply(settings, pixel(*colour))[:, 0, 0]
    np.testing.assert_allclose(result, [*expected, 1.0], atol=1e-3)


class TestCurve:
    points = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=8).map(
        lambda items: tuple((x / 20, y / 20) for x, y in sorted(dict(items).items()))
    )

    @given(points.filter(lambda points: len(points) >= 2))
    def test_goes_through_its_points_and_never_overshoots(
        self, points: tuple[tuple[float, float], ...]
    ) -> None:
        x, y = np.array(points).T
        np.testing.assert_allclose(curve(points, x), y, atol=1e-12)
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            between = curve(points, np.linspace(x0, x1, 30))
            assert min(y0, y1) - 1e-9 <= between.min()
            assert between.max() <= max(y0, y1) + 1e-9

    def test_is_flat_beyond_its_ends(self) -> None:
        values = curve(((0.25, 0.1), (0.75, 0.6)), np.array([0.0, 0.2, 0.8, 1.0]))
        assert values.tolist() == [0.1, 0.1, 0.6, 0.6]

    def test_one_point_is_one_value(self) -> None:
        assert curve(((0.5, 0.3),), np.array([0.0, 1.0])).tolist() == [0.3, 0.3]


def test_hsl_equals_the_standard_library() -> None:
    colours = planes(2)[:3].reshape(3, -1, 1)
    hue, saturation, lightness = to_hsl(colours)
    for index in range(colours.shape[1]):
        h, l, s = colorsys.rgb_to_hls(*map(float, colours[:, index, 0]))  # noqa: E741
        assert (hue[index, 0], saturation[index, 0], lightness[index, 0]) == pytest.approx(
            (h, s, l), abs=1e-5
        )
    np.testing.assert_allclose(from_hsl(hue, saturation, lightness), colours, atol=1e-5)


class TestWhiteBalance:
    def test_a_picked_grey_becomes_grey(self) -> None:
        colour = (0.62, 0.5, 0.45)
        result = apply(from_grey(colour), pixel(*colour))[:3, 0, 0]
        assert np.ptp(result) < 1e-4
        assert 0.4 < result.mean() < 0.65

    def test_warmer_is_redder(self) -> None:
        red, _, blue = apply(WhiteBalance(temperature=40), pixel(0.5, 0.5, 0.5))[:3, 0, 0]
        assert red > 0.5 > blue

    def test_black_tells_nothing(self) -> None:
        with pytest.raises(EditorError, match="too dark"):
            from_grey((0.0, 0.2, 0.2))

    def test_transfer_curve_goes_both_ways(self) -> None:
        values = np.linspace(0, 1, 101, dtype=np.float32)
        np.testing.assert_allclose(encoded(linear(values)), values, atol=1e-6)


class TestBlur:
    @pytest.mark.parametrize("deviation", [0.8, 5.0, 11.9, 12.1, 40.0])
    def test_a_point_spreads_by_the_deviation(self, deviation: float) -> None:
        side = 2 * int(4 * deviation) + 9
        point = np.zeros((4, side, side), np.float32)
        point[:, side // 2, side // 2] = 1
        spread = blurred(point, deviation)[3].astype(np.float64)
        assert spread.sum() == pytest.approx(1, abs=1e-3)
        away = np.arange(side) - side // 2
        assert np.sqrt((spread.sum(axis=0) * away**2).sum()) == pytest.approx(deviation, rel=0.03)

    def test_colours_do_not_bleed_out_of_nothing(self) -> None:
        given = np.zeros((4, 9, 9), np.float32)
        given[:, 4, 4] = (1.0, 0.5, 0.25, 1.0)  # the rest is transparent black
        result = blurred(given, 1.0)
        seen = result[3] > 1e-3
        np.testing.assert_allclose(
            result[:3, seen], np.array([[1.0], [0.5], [0.25]]) * np.ones(seen.sum()), atol=1e-3
        )

    def test_edges_of_the_document_stay_opaque_and_tiles_fit_together(self) -> None:
        values = np.random.default_rng(0).integers(0, 255, (300, 520, 4), np.uint8)
        values[..., 3] = 255
        blur = Adjustment(name="blur", settings=GaussianBlur(radius=9))
        state = DocumentState(width=520, height=300, layers=(Layer(name="a", raster=Raster.of(values)), blur))
        whole = flatten(state).array()
        at_once = apply(blur.settings, np.moveaxis(values / np.float32(255), 2, 0).copy())
        assert np.abs(whole - np.moveaxis(at_once, 0, 2) * 255).max() <= 0.51
        part = composite_samples(state.layers, Area(250, 100, 40, 30), bounds=state.area)
        assert np.array_equal(part, whole[100:130, 250:290])

    def test_sharpening_leaves_small_differences(self) -> None:
        given = np.full((4, 15, 15), 0.5, np.float32)
        given[:3, 7, 7] += 3 / 255
        assert np.array_equal(apply(Sharpen(radius=2, threshold=5), given), given)
        assert apply(Sharpen(radius=2, threshold=1), given)[0, 7, 7] > given[0, 7, 7]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Levels(red=(0.5, 1.0, 0.5, 0.0, 1.0)), "above black"),
        (lambda: Levels(red=(0.0, 0.0, 1.0, 0.0, 1.0)), "Gamma"),
        (lambda: Levels(red=(0.0, 1.0, 1.5, 0.0, 1.0)), "0 to 1"),
        (lambda: Levels.from_json({"red": [0, 1]}), "expected 5"),
        (lambda: Curves(red=()), "1 to 32 points"),
        (lambda: Curves(red=((0.5, 0.0), (0.5, 1.0))), "left to right"),
        (lambda: Curves(red=((0.5, float("nan")),)), "0 to 1"),
        (lambda: Posterise(levels=1), "2 to 255"),
        (lambda: GaussianBlur(radius=-1), "0 to 500"),
    ],
)
def test_settings_out_of_range_are_refused(make: object, message: str) -> None:
    with pytest.raises(EditorError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("kind", ADJUSTMENTS.values(), ids=lambda kind: kind.name)
def test_kinds_are_declared_well(kind: AdjustmentKind) -> None:
    assert kind_of(kind.settings()) is kind
    assert kind.label
    assert dataclasses.is_dataclass(kind.settings)


def test_other_parameters_are_no_adjustment() -> None:
    with pytest.raises(EditorError, match="no adjustment"):
        adjustments.apply(Parameters(), planes())
