from dataclasses import replace

import numpy as np
import pytest

from editor.edits import resampling
from editor.layers.layer import Layer, Mask
from editor.layers.state import DocumentState, Guide
from editor.layers.text import TextContent
from editor.pixels.raster import Raster
from editor.rendering.compositing import composite
from inference.errors import EditorError
from tests.editor.edits.trees import tree


def of(pixels: np.ndarray, **fields: object) -> DocumentState:
    made = DocumentState.of_layer(Layer.of_pixels(name="a", id="a", pixels=pixels))
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", sorted(resampling.METHODS))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(31, 7), (5, 40), (13, 9)])
def test_one_colour_stays_that_colour(method: str, dtype: type, size: tuple[int, int]) -> None:
    top = np.iinfo(dtype).max
    state = of(np.full((9, 13, 4), (top // 3, top // 7, 0, top), dtype))
    resized = resampling.resized(state, *size, method)
    assert (resized.width, resized.height) == size
    raster = resized.layer("a").raster
    assert (raster.width, raster.height, raster.dtype) == (*size, np.dtype(dtype))
    assert np.unique(raster.array().reshape(-1, 4), axis=0).tolist() == [[top // 3, top // 7, 0, top]]


def test_twice_as_large_without_smoothing_repeats_pixels() -> None:
    state = tree()
    resized = resampling.resized(state, 26, 18, "nearest")
    bottom = state.layer("bottom").raster.array()
    repeated = bottom.repeat(2, axis=0).repeat(2, axis=1)
    opaque = repeated[..., 3] > 0
    assert np.array_equal(resized.layer("bottom").raster.array()[opaque], repeated[opaque])
    assert resized.guides == (Guide(vertical=True, position=6.0), Guide(vertical=False, position=8.0))


def test_transparent_pixels_lend_no_colour() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (255, 255, 255, 255)
    shrunk = resampling.resized(of(pixels), 5, 5, "bicubic").layer("a").raster.array()
    assert (shrunk[..., :3][shrunk[..., 3] > 0] >= 254).all()


def test_a_ramp_stays_a_ramp() -> None:
    ramp = np.zeros((4, 64, 4), np.uint8)
    ramp[..., 0], ramp[..., 3] = np.arange(64) * 4, 255
    doubled = resampling.resized(of(ramp), 128, 4, "bilinear").layer("a").raster.array()[0, :, 0].astype(int)
    expected = (np.arange(128) + 0.5) / 2 - 0.5
    assert np.abs(doubled[2:-2] - expected[2:-2] * 4).max() <= 1


def test_small_layers_land_where_the_picture_puts_them() -> None:
    state = of(np.full((12, 12, 4), 255, np.uint8))
    dot = Layer.of_pixels(name="dot", id="dot", pixels=np.full((3, 3, 4), 255, np.uint8), x=4, y=5)
    state = replace(state, layers=(dot,))
    larger = composite(resampling.resized(state, 17, 17, "bilinear").layers, state.area.grown(5))
    ys, xs = np.mgrid[: larger.shape[0], : larger.shape[1]]
    weight = larger[..., 3] / 255
    assert ((xs + 0.5) * weight).sum() / weight.sum() - 5 == pytest.approx(5.5 * 17 / 12, abs=0.1)
    assert ((ys + 0.5) * weight).sum() / weight.sum() - 5 == pytest.approx(6.5 * 17 / 12, abs=0.1)


def test_masks_and_texts_follow() -> None:
    mask = Mask(raster=Raster.of(np.full((4, 4), 200, np.uint8)), x=2, y=2, outside=0)
    text = TextContent(text="a", x=6.0, y=6.0, size_px=12.0)
    state = of(np.full((12, 12, 4), 255, np.uint8))
    state = state.with_node(state.layer("a").changed(mask=mask, text=text))
    resized = resampling.resized(state, 24, 24, "nearest")
    found, set_text = resized.node("a").mask, resized.layer("a").text
    assert found is not None
    assert set_text is not None
    assert tuple(found.area) == (4, 4, 8, 8)
    assert (set_text.x, set_text.size_px) == (12.0, 24.0)
    assert resampling.resized(state, 24, 12, "nearest").layer("a").text is None


def test_straightening_turns_about_the_middle_and_cuts_the_corners_off() -> None:
    pixels = np.full((40, 60, 4), 255, np.uint8)
    turned = resampling.straightened(of(pixels), 7.0)
    width, height = resampling.inscribed(60, 40, 7.0)
    assert 0 <= width - turned.width <= 3
    assert 0 <= height - turned.height <= 3
    assert composite(turned.layers, turned.area)[..., 3].min() >= 254
    whole = resampling.straightened(of(pixels), 7.0, crop=False)
    assert (whole.width, whole.height) == (60, 40)
    assert composite(whole.layers, whole.area)[0, 0, 3] == 0


def test_a_right_angle_is_what_a_quarter_turn_gives() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 4), np.uint8)
    pixels[..., 3] = 255
    turned = resampling.straightened(of(pixels), 90.0, crop=False)
    shown = composite(turned.layers, turned.area).astype(int)
    assert np.abs(shown - np.rot90(pixels, -1).astype(int)).max() <= 1


@pytest.mark.parametrize("degrees", [0.0, 1.0, 30.0, 45.0, 89.0, 90.0, -12.5, 180.0])
def test_the_inscribed_rectangle_lies_inside(degrees: float) -> None:
    width, height = resampling.inscribed(60, 40, degrees)
    angle = np.radians(degrees)
    corners = np.array([(x, y) for x in (-width / 2, width / 2) for y in (-height / 2, height / 2)])
    back = corners @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert (np.abs(back) <= (30 + 1e-6, 20 + 1e-6)).all()
    assert min(width, height) > 15


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(EditorError, match="no method “magic”"):
        resampling.resized(tree(), 5, 5, "magic")
    with pytest.raises(EditorError, match="0 × 5"):
        resampling.resized(tree(), 0, 5, "nearest")
    for angle in (400.0, float("nan")):
        with pytest.raises(EditorError, match="angle"):
            resampling.straightened(tree(), angle)
