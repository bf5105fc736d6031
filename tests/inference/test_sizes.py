"""Pictures and masks on their way to a model's size and back."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.cache import ByteCache
from inference.content import Mask, Picture, content_hash
from inference.errors import EditorError
from inference.operations import Redraw
from inference.request import Request
from inference.sizes import fitted, resized, restored, working_size


def grey(height: int, width: int, *channels: int) -> NDArray[np.uint8]:
    return np.full((height, width, *channels), 128, np.uint8)


def seen(mask: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask as a method has it at 64 × 32."""
    contents = {content_hash(mask): mask, content_hash(picture): picture}
    parameters = Redraw(
        image=Picture(content_hash(picture)), mask=Mask(content_hash(mask)), prompt="a", width=64, height=32
    )
    request = Request(operation="redraw", parameters=parameters, model="mini-sd1")
    return fitted(request, contents, ByteCache(2**20))[content_hash(mask)]


def test_a_photo_is_brought_to_the_models_size_once() -> None:
    photo, small = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8), grey(32, 64, 3)
    cache = ByteCache[Any](2**20)

    def brought(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
        name = content_hash(pixels)
        parameters = Redraw(image=Picture(name), prompt="a", width=width, height=32)
        request = Request(operation="redraw", parameters=parameters, model="mini-sd1")
        return fitted(request, {name: pixels}, cache)[name]

    first = brought(photo, 64)
    np.testing.assert_array_equal(first, resized(photo, 64, 32))
    assert brought(photo, 64) is first
    assert brought(photo, 56).shape == (32, 56, 3)
    assert brought(small, 64) is small, "one of that size already is kept nowhere"
    assert len(cache) == 2


@pytest.mark.parametrize("size", [(20, 40), (45, 90), (32, 64), (20, 200)])
def test_what_a_method_left_alone_is_the_picture_bit_for_bit(size: tuple[int, int]) -> None:
    """Whether the model saw it larger or smaller than it is."""
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    name = content_hash(picture)
    parameters = Redraw(image=Picture(name), prompt="a", width=64, height=32)
    request, contents = Request(operation="redraw", parameters=parameters, model="mini-sd1"), {name: picture}
    small = fitted(request, contents, ByteCache(2**20))
    edited = small[name].copy()
    edited[:4, :4] = 255 - edited[:4, :4]
    (found,) = restored(request, contents, small, (edited,))
    assert not np.array_equal(found, picture)
    np.testing.assert_array_equal(found[:, size[1] // 2 :], picture[:, size[1] // 2 :])


class TestMasks:
    @pytest.mark.parametrize("size", [(101, 203), (51, 102), (50, 101), (404, 812)])
    def test_of_the_pictures_shape_at_any_size(self, size: tuple[int, int]) -> None:
        assert seen(grey(*size), grey(101, 203, 3)).shape == (32, 64)

    @pytest.mark.parametrize("size", [(203, 101), (101, 101), (101, 240)])
    def test_of_another_shape_are_refused(self, size: tuple[int, int]) -> None:
        with pytest.raises(EditorError, match=f"{size[1]} × {size[0]} pixels, the picture 203 × 101"):
            seen(grey(*size), grey(101, 203, 3))


@pytest.mark.parametrize("usual_area", [True, False])
def test_a_strip_is_seen_as_long_as_the_model_can_see(*, usual_area: bool) -> None:
    """Models with places for so many patches would refuse it."""
    known = {"size_unit": 16, "defaults": SimpleNamespace(width=64, height=64)}
    backbone, boundless = (SimpleNamespace(**known, longest_side=most) for most in (192, None))
    for picture in ((4000, 200), (200, 4000)):
        size = working_size(*picture, backbone, usual_area=usual_area)  # type: ignore[arg-type]
        assert (max(size), min(size)) == (192, 16)
        assert max(working_size(*picture, boundless, usual_area=usual_area)) > 192  # type: ignore[arg-type]
    assert working_size(100, 100, backbone, usual_area=True) == (64, 64)  # type: ignore[arg-type]
