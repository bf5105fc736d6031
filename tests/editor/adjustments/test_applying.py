"""Adjustments put into pixels for good."""

import numpy as np
import pytest

from editor.adjustments.applying import apply_to_layer
from editor.adjustments.gaussian_blur import GaussianBlur
from editor.adjustments.invert import Invert
from editor.adjustments.levels import Levels
from editor.adjustments.sharpen import Sharpen
from editor.layers.layer import Layer, Mask
from editor.layers.text import TextContent
from editor.pixels.raster import Raster

WIDTH, HEIGHT = 700, 300


def layer(dtype: type = np.uint8, **fields: object) -> Layer:
    top = np.iinfo(dtype).max
    values = np.random.default_rng(1).integers(0, top, (HEIGHT, WIDTH, 4), dtype, endpoint=True)
    return Layer(name="a", raster=Raster.of(values), **fields)  # type: ignore[arg-type]


def selection() -> Mask:
    values = np.zeros((40, 60), np.uint8)
    values[10:, 10:] = 255
    values[10, 10] = 128
    return Mask(raster=Raster.of(values), x=300, y=120)


class TestApplyToLayer:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_the_whole_layer(self, dtype: type) -> None:
        before = layer(dtype, x=5)
        after = apply_to_layer(before, Invert())
        values = before.raster.array()
        assert after.raster.dtype == dtype
        assert np.array_equal(after.raster.array()[..., :3], np.iinfo(dtype).max - values[..., :3])
        assert np.array_equal(after.raster.array()[..., 3], values[..., 3])
        assert (after.id, after.x) == (before.id, 5)

    def test_inside_the_selection(self) -> None:
        before = layer(x=7, y=-3)
        after = apply_to_layer(before, Invert(), selection())
        old, new = before.raster.array().astype(int), after.raster.array().astype(int)
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[133:163, 303:353] = True  # the selection's corner (310, 130), in the layer's pixels
        assert np.array_equal(new[~inside], old[~inside])
        corner = old[133, 303, :3] + (255 - 2 * old[133, 303, :3]) * 128 / 255
        assert np.abs(new[133, 303, :3] - corner).max() <= 0.51
        inside[133, 303] = False
        assert np.array_equal(new[inside][:, :3], 255 - old[inside][:, :3])

    def test_tiles_outside_the_selection_are_shared(self) -> None:
        before = layer()
        after = apply_to_layer(before, Invert(), selection())
        shared = [after.raster.tile(c, r) is before.raster.tile(c, r) for r in range(2) for c in range(3)]
        assert shared == [True, False, True, True, True, True]

    @pytest.mark.parametrize("settings", [GaussianBlur(radius=9), Sharpen(radius=4)])
    def test_pieces_fit_together(
        self, settings: GaussianBlur | Sharpen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = apply_to_layer(layer(), settings).raster.array().astype(int)
        monkeypatch.setattr("editor.adjustments.applying._PART_PX", 256)
        pieces = apply_to_layer(layer(), settings).raster.array().astype(int)
        seen = whole[..., 3] > 40
        assert np.abs(whole - pieces)[seen].max() <= 1

    def test_nothing_changed_is_the_same_layer(self) -> None:
        before = layer()
        assert apply_to_layer(before, Levels()) is before
        nowhere = Mask(raster=Raster.filled(10, 10, channels=1))
        assert apply_to_layer(before, Invert(), nowhere) is before

    def test_text_becomes_pixels(self) -> None:
        assert apply_to_layer(layer(text=TextContent(text="a")), Invert()).text is None
