"""Selections against brute force, supersampling and the algebra of sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from editor import selection
from editor.layers.layer import Layer, Mask
from editor.pixels.raster import Area, Raster
from inference.errors import EditorError

WITHIN = Area(0, 0, 24, 18)
small = hnp.arrays(np.uint8, (18, 24))
binary = hnp.arrays(np.bool_, (18, 24)).map(lambda a: a.astype(np.uint8) * 255)


def mask_of(values: np.ndarray, x: int = 0, y: int = 0) -> Mask:
    return Mask(raster=Raster.of(values.copy()), x=x, y=y)


def values_of(mask: Mask) -> np.ndarray:
    return mask.read(WITHIN)


def brute(values: np.ndarray, radius: float, pad: str) -> np.ndarray:
    """The largest value in a disc, pixel by pixel."""
    reach = int(radius)
    mode = {"mode": pad} if pad == "edge" else {"mode": "constant"}
    wide = np.pad(values, reach, **mode)
    found = np.zeros_like(values)
    height, width = values.shape
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy <= radius * radius + 1e-6:
                part = wide[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
                found = np.maximum(found, part)
    return found


@given(small, small)
def test_combining_is_set_algebra(a: np.ndarray, b: np.ndarray) -> None:
    old, new = mask_of(a), mask_of(b)
    cut = values_of(selection.combine(old, new, "subtract", WITHIN))
    assert (values_of(selection.combine(old, new, "replace", WITHIN)) == b).all()
    assert (values_of(selection.combine(old, new, "add", WITHIN)) == np.maximum(a, b)).all()
    assert (values_of(selection.combine(old, new, "intersect", WITHIN)) == np.minimum(a, b)).all()
    assert (cut == np.minimum(a, 255 - b)).all()
    flipped = selection.combine(old, selection.invert(new, WITHIN), "intersect", WITHIN)
    assert (values_of(flipped) == cut).all()
    assert (values_of(selection.invert(selection.invert(old, WITHIN), WITHIN)) == a).all()


@given(binary, st.integers(-30, 30), st.integers(-30, 30))
def test_selections_that_lie_apart_combine(a: np.ndarray, x: int, y: int) -> None:
    old, new = mask_of(a), mask_of(np.full((5, 7), 255, np.uint8), x, y)
    everywhere = Area(-40, -40, 100, 100)
    joined = selection.combine(old, new, "add", everywhere).read(everywhere)
    assert (joined == np.maximum(old.read(everywhere), new.read(everywhere))).all()


def test_no_selection_is_everything() -> None:
    new = selection.rectangle(2, 2, 4, 4, WITHIN)
    assert selection.combine(None, new, "add", WITHIN) is new
    assert selection.combine(None, new, "intersect", WITHIN) is new
    rest = values_of(selection.combine(None, new, "subtract", WITHIN))
    assert (rest == 255 - values_of(new)).all()
    assert selection.is_empty(selection.invert(None, WITHIN))
    with pytest.raises(EditorError, match="xor"):
        selection.combine(None, new, "xor", WITHIN)


@given(small, st.sampled_from([1.0, 1.5, 2.0, 3.7, 6.0]))
def test_growing_soft_selections_equals_brute_force(a: np.ndarray, radius: float) -> None:
    assert (values_of(selection.grow(mask_of(a), radius, WITHIN)) == brute(a, radius, "zero")).all()


@given(binary, st.sampled_from([2.5, 7.0, 9.5, 30.0]))
def test_growing_and_shrinking_far_equals_brute_force(a: np.ndarray, radius: float) -> None:
    assert (values_of(selection.grow(mask_of(a), radius, WITHIN)) == brute(a, radius, "zero")).all()
    shrunk = values_of(selection.shrink(mask_of(a), radius, WITHIN))
    assert (shrunk == 255 - brute(255 - a, radius, "edge")).all()


def test_bands_do_not_show() -> None:
    tall = Area(0, 0, 20, 1200)
    one = selection.rectangle(0, 500, 20, 24, tall)
    assert selection.bounds(selection.grow(one, 10, tall)) == Area(0, 490, 20, 44)
    assert selection.bounds(selection.shrink(one, 10, tall)) == Area(0, 510, 20, 4)
    assert selection.bounds(selection.border(one, 8, tall)) == Area(0, 496, 20, 32)
    soft = selection.feather(one, 10, tall).read(tall)[:, 5].astype(int)
    assert (np.diff(soft[:512]) >= 0).all()
    assert (soft[:512] == soft[1023:511:-1]).all()


def test_a_whole_document_does_not_shrink_from_its_edges() -> None:
    whole = selection.everything(WITHIN)
    assert (values_of(selection.shrink(whole, 3, WITHIN)) == 255).all()
    assert (values_of(selection.feather(whole, 5, WITHIN)) == 255).all()


@pytest.mark.parametrize("radius", [0.0, -1.0, float("nan"), 1e9])
def test_distances_out_of_range_are_refused(radius: float) -> None:
    for change in (selection.grow, selection.shrink, selection.feather, selection.smooth):
        with pytest.raises(EditorError, match="allowed is"):
            change(selection.everything(WITHIN), radius, WITHIN)


@pytest.mark.parametrize("radius", [4.0, 30.0, 120.0])
def test_feathering_a_straight_edge_is_a_gaussian_step(radius: float) -> None:
    wide = Area(0, 0, 800, 8)
    soft = selection.feather(selection.rectangle(400, 0, 400, 8, wide), radius, wide).read(wide)[4]
    from math import erf, sqrt

    expected = [127.5 * (1 + erf((x + 0.5 - 400) / (radius / 2) / sqrt(2))) for x in range(800)]
    assert np.abs(soft.astype(float) - expected).max() < 3


@given(st.lists(st.tuples(st.floats(-4, 28), st.floats(-4, 22)), min_size=3, max_size=3, unique=True))
def test_coverage_of_triangles_equals_supersampling(points: list[tuple[float, float]]) -> None:
    found = values_of(selection.polygon(points, WITHIN)).astype(float) / 255
    fine = (np.arange(24 * 16) + 0.5) / 16, (np.arange(18 * 16) + 0.5) / 16
    x, y = np.meshgrid(*fine)
    sides = [
        (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1])
    ]
    inside = np.all([s >= 0 for s in sides], axis=0) | np.all([s <= 0 for s in sides], axis=0)
    expected = inside.reshape(18, 16, 24, 16).mean(axis=(1, 3))
    assert np.abs(found - expected).max() < 0.12
    assert np.abs(found - expected).mean() < 0.01


@given(st.floats(-3, 20), st.floats(-3, 15), st.floats(0, 20), st.floats(0, 20))
def test_coverage_of_rectangles_is_exact(x: float, y: float, width: float, height: float) -> None:
    found = values_of(selection.rectangle(x, y, width, height, WITHIN))
    across = [max(0.0, min(i + 1, x + width) - max(i, x)) for i in range(24)]
    down = [max(0.0, min(i + 1, y + height) - max(i, y)) for i in range(18)]
    assert np.abs(found / 255 - np.outer(down, across)).max() <= 0.51 / 255


def test_hard_shapes_have_hard_edges() -> None:
    for mask in (
        selection.rectangle(2.4, 3.6, 7.3, 5, WITHIN, antialias=False),
        selection.ellipse(1, 1, 15, 12, WITHIN, antialias=False),
        selection.polygon([(1, 1), (20, 4), (9, 16)], WITHIN, antialias=False),
    ):
        assert set(np.unique(values_of(mask))) == {0, 255}


def test_full_and_empty_tiles_are_shared() -> None:
    large = Area(0, 0, 4096, 4096)
    mask = selection.ellipse(0, 0, 4096, 4096, large)
    held = dict(mask.raster.buffers())
    assert sum(held.values()) < 0.3 * mask.raster.nbytes


def _picture() -> np.ndarray:
    pixels = np.zeros((18, 24, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[2:8, 2:8, 0] = 100
    pixels[2:8, 10:14, 0] = 105
    pixels[8, 8, 0] = 100  # touches the first by a corner only
    return pixels


@pytest.mark.parametrize("sixteen", [False, True])
def test_wand_keeps_to_what_hangs_together(sixteen: bool) -> None:
    pixels = _picture()
    samples = pixels.astype(np.uint16) * 257 if sixteen else pixels
    read = selection.layer_reader(Layer(name="a", raster=Raster.of(samples)))
    one = selection.wand(read, WITHIN, (3, 3), 5, antialias=False)
    assert selection.bounds(one) == Area(2, 2, 6, 6)
    both = selection.wand(read, WITHIN, (3, 3), 5, contiguous=False, antialias=False)
    assert (values_of(both) == (pixels[..., 0] >= 100) * 255).all()
    strict = selection.wand(read, WITHIN, (3, 3), 4, contiguous=False, antialias=False)
    assert (values_of(strict) == (pixels[..., 0] == 100) * 255).all()
    assert selection.is_empty(selection.wand(read, WITHIN, (30, 3), 4))


def test_wand_takes_transparency_as_one_colour() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (18, 24, 4), np.uint8)
    pixels[..., 3] = 0
    pixels[:, 12:, 3] = 255
    read = selection.layer_reader(Layer(name="a", raster=Raster.of(pixels)))
    found = selection.wand(read, WITHIN, (1, 1), 0, antialias=False)
    assert selection.bounds(found) == Area(0, 0, 12, 18)


def test_colour_range_fades_out() -> None:
    pixels = np.zeros((18, 24, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[..., 1] = np.arange(24) * 4
    read = selection.layer_reader(Layer(name="a", raster=Raster.of(pixels)))
    row = values_of(selection.colour_range(read, WITHIN, (0, 0, 0, 255), 20, 1.0))[0]
    assert (row[:6] == 255).all()
    assert (row[10:] == 0).all()
    assert row[7] == round(255 * (40 - 28) / 20)


def test_selections_from_alpha_luminosity_and_masks() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 4), np.uint8)
    layer = Layer(name="a", raster=Raster.of(pixels), x=3, y=-2)
    expected = np.zeros((18, 24), np.uint8)
    expected[:4, 3:11] = pixels[2:, :, 3]
    assert (values_of(selection.from_alpha(layer, WITHIN)) == expected).all()
    grey = np.full((18, 24, 4), 200, np.uint8)
    read = selection.layer_reader(Layer(name="b", raster=Raster.of(grey)))
    bright = values_of(selection.from_luminosity(read, WITHIN))
    assert np.abs(bright.astype(float) - 200 * 200 / 255).max() <= 0.5
    chosen = selection.rectangle(2, 3, 4, 5, WITHIN)
    mask = selection.to_mask(chosen, WITHIN)
    assert mask.area == WITHIN
    assert (values_of(selection.from_mask(mask, WITHIN)) == values_of(chosen)).all()


def test_heat_map_selects_its_hot_part() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[2:4, 4:6] = 3.0
    mask = selection.from_heatmap(heat, Area(0, 0, 160, 80), Area(0, 0, 160, 80), 0.5)
    values = mask.read(Area(0, 0, 160, 80))
    assert values[30, 100] == 255
    assert values[70, 20] == 0
    assert abs(values.sum() / 255 - 40 * 20) < 200
    assert selection.is_empty(selection.from_heatmap(np.zeros((4, 4), np.float32), WITHIN, WITHIN))
    with pytest.raises(EditorError, match="threshold"):
        selection.from_heatmap(heat, WITHIN, WITHIN, 0)


@given(binary)
def test_outlines_enclose_exactly_what_is_selected(a: np.ndarray) -> None:
    lines = selection.outline(mask_of(a))
    filled = np.zeros(a.shape, int)
    for line in lines:
        for (x0, y0), (x1, y1) in zip(line, line[1:] + line[:1]):
            assert (x0 == x1) != (y0 == y1)
            if x0 == x1:  # everything to the right of a line that goes down is left by it
                low, high = int(min(y0, y1)), int(max(y0, y1))
                filled[low:high, int(x0) :] += 1 if y1 < y0 else -1
    assert (filled == (a > 0)).all()


def test_outline_of_a_rectangle_has_four_corners() -> None:
    mask = selection.rectangle(3, 4, 5, 6, WITHIN)
    (line,) = selection.outline(mask)
    assert sorted(line) == [(3, 4), (3, 10), (8, 4), (8, 10)]


def test_outline_is_no_finer_than_the_screen() -> None:
    large = Area(0, 0, 2000, 2000)
    mask = selection.ellipse(100, 100, 1800, 1700, large)
    (fine,), (coarse,) = selection.outline(mask), selection.outline(mask, 0.1)
    assert len(coarse) < len(fine) / 5
    xs = [x for x, _ in coarse]
    assert abs(min(xs) - 100) <= 10
    assert abs(max(xs) - 1900) <= 10
