"""Contents are named by their hash."""

import numpy as np

from inference.content import Picture, content_hash, named_pictures


def test_pictures_are_named_in_their_order_and_the_same_ones_alike() -> None:
    black, white = (np.full((2, 3, 3), shade, np.uint8) for shade in (0, 255))
    names, contents = named_pictures(iter((white, black, white.copy())))
    assert names == tuple(Picture(content_hash(one)) for one in (white, black, white))
    assert list(contents) == [content_hash(white), content_hash(black)]
    np.testing.assert_array_equal(contents[names[1].hash], black)
    assert named_pictures(()) == ((), {})
