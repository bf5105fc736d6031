"""Arrays and texts as one safetensors: the usual reader's, and always the same bytes."""

import numpy as np
import pytest
import safetensors.numpy

from inference.errors import EditorError
from inference.weights.packed import packed, unpacked

ARRAYS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array([], np.uint8),
    "c": np.array(3, np.int64),
}
TEXTS = {"z": "1", "a": "“老”", "m": ""}


def test_what_is_packed_comes_back_and_others_read_it() -> None:
    content = packed(ARRAYS, TEXTS)
    arrays, texts = unpacked(content, "thing")
    assert texts == TEXTS
    for found in (arrays, safetensors.numpy.load(content)):
        assert set(found) == set(ARRAYS)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name], array)


def test_equal_values_give_equal_bytes() -> None:
    turned = packed(dict(reversed(ARRAYS.items())), dict(reversed(TEXTS.items())))
    assert turned == packed(ARRAYS, TEXTS)
    assert unpacked(packed(ARRAYS), "thing")[1] == {}


@pytest.mark.parametrize("cut", [0, 4, 9, -1])
def test_what_is_damaged_is_said(cut: int) -> None:
    with pytest.raises(EditorError, match="thing is damaged"):
        unpacked(packed(ARRAYS, TEXTS)[:cut], "thing")


def test_a_text_may_be_long() -> None:
    texts = {"state": "0.123456789, " * 40_000}
    assert unpacked(packed(ARRAYS, texts), "thing")[1] == texts
