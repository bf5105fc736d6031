import numpy as np
import pytest

from editor.pixels.arithmetic import crossfade, read_only, to_rgb, to_rgba
from editor.pixels.qimages import from_qimage, thumbnail, to_qimage
from tests.editor.samples import flat, noise


@pytest.mark.parametrize("width", [1, 3, 7, 8])
def test_pixels_survive_qt(width: int) -> None:
    pixels = noise(1, width, 5)
    np.testing.assert_array_equal(from_qimage(to_qimage(pixels)), pixels)
    np.testing.assert_array_equal(from_qimage(to_qimage(to_rgb(pixels)))[..., :3], pixels[..., :3])


def test_a_qimage_does_not_hang_on_the_array() -> None:
    pixels = noise(1)
    image = to_qimage(pixels)
    before = image.pixelColor(0, 0)
    pixels[:] = 0
    assert image.pixelColor(0, 0) == before


@pytest.mark.parametrize(("share", "level"), [(0.0, 10), (1.0, 200), (0.5, 105), (0.25, 58), (0.001, 10)])
def test_crossfade(share: float, level: int) -> None:
    mixed = crossfade(to_rgba(flat(10)), to_rgba(flat(200)), share)
    assert (mixed == [level, level, level, 255]).all()
    assert not mixed.flags.writeable


def test_crossfade_is_the_rounded_mean_of_each_channel() -> None:
    first, second = noise(1), noise(2)
    for weight in (1, 77, 128, 255):
        wanted = (first.astype(int) * (256 - weight) + second.astype(int) * weight + 128) // 256
        np.testing.assert_array_equal(crossfade(first, second, weight / 256), wanted)


def test_missing_alpha_is_opaque() -> None:
    assert (to_rgba(flat(3))[..., 3] == 255).all()
    assert to_rgba(to_rgba(flat(3))).shape == (8, 8, 4)


def test_read_only_leaves_the_owner_s_array_writable() -> None:
    mine = flat(3)
    frozen = read_only(mine)
    mine[0] = 9
    assert not frozen.flags.writeable
    assert frozen[0, 0, 0] == 9


def test_thumbnails_fit_and_are_never_enlarged() -> None:
    assert (thumbnail(noise(1, 100, 40), 50).width(), thumbnail(noise(1, 100, 40), 50).height()) == (50, 20)
    assert thumbnail(flat(1), 50).width() == 8
