"""Pictures and masks on their way to a model's size and back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.content import Mask, Picture, content_hash
from inference.errors import EditorError
from inference.operations import Redraw
from inference.request import Request
from inference.sizes import fitted


def grey(height: int, width: int, *channels: int) -> NDArray[np.uint8]:
    return np.full((height, width, *channels), 128, np.uint8)


def seen(mask: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask as a method has it at 64 × 32."""
    contents = {content_hash(mask): mask, content_hash(picture): picture}
    parameters = Redraw(
        image=Picture(content_hash(picture)), mask=Mask(content_hash(mask)), prompt="a", width=64, height=32
    )
    request = Request(operation="redraw", parameters=parameters, model="mini-sd1")
    return fitted(request, contents)[content_hash(mask)]


class TestMasks:
    @pytest.mark.parametrize("size", [(101, 203), (51, 102), (50, 101), (404, 812)])
    def test_of_the_pictures_shape_at_any_size(self, size: tuple[int, int]) -> None:
        assert seen(grey(*size), grey(101, 203, 3)).shape == (32, 64)

    @pytest.mark.parametrize("size", [(203, 101), (101, 101), (101, 240)])
    def test_of_another_shape_are_refused(self, size: tuple[int, int]) -> None:
        with pytest.raises(EditorError, match=f"{size[1]} × {size[0]} pixels, the picture 203 × 101"):
            seen(grey(*size), grey(101, 203, 3))
