"""Thumbnails: the right pixels, whatever the tiles and the size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.layers.layer import Mask
from editor.pixels.raster import Area, Raster
from editor.rendering.thumbnails import mask_thumbnail, raster_thumbnail, sampled


@given(width=st.integers(1, 700), height=st.integers(1, 700), step=st.integers(1, 300))
def test_sampling_tiles_is_sampling_the_picture(width: int, height: int, step: int) -> None:
    values = (np.arange(height)[:, None] * 7 + np.arange(width)[None] * 3).astype(np.uint8)
    raster = Raster.filled(width, height, 0, channels=1).written(0, 0, values)
    assert np.array_equal(sampled(raster, step)[..., 0], values[::step, ::step])


@pytest.mark.parametrize(("width", "height", "wanted"), [(900, 300, (64, 21)), (20, 30, (20, 30))])
def test_a_thumbnail_keeps_the_shape_and_never_enlarges(
    width: int, height: int, wanted: tuple[int, int]
) -> None:
    image = raster_thumbnail(Raster.filled(width, height, 200), 64)
    assert (image.width(), image.height()) == wanted


def test_a_mask_is_shown_grey_and_opaque() -> None:
    image = raster_thumbnail(Raster.filled(300, 300, 128, channels=1), 32)
    colour = image.pixelColor(16, 16)
    assert (colour.red(), colour.green(), colour.blue(), colour.alpha()) == (128, 128, 128, 255)


def test_sixteen_bits_are_shown_as_eight() -> None:
    image = raster_thumbnail(Raster.filled(40, 40, 65535, dtype=np.uint16), 32)
    assert image.pixelColor(5, 5).red() == 255


def test_a_mask_is_shown_where_it_is_in_its_layer() -> None:
    mask = Mask(raster=Raster.filled(40, 60, 255, channels=1), x=60, y=40, outside=0)
    made = mask_thumbnail(mask, Area(0, 0, 200, 100), 100)
    assert (made.width(), made.height()) == (100, 50)
    assert made.pixelColor(40, 35).red() == 255
    assert made.pixelColor(20, 35).red() == 0
    assert made.pixelColor(40, 10).red() == 0
