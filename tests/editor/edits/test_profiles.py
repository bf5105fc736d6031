import numpy as np
import pytest

from editor.colour import conversion as colour
from editor.edits import profiles
from editor.layers.text import TextContent
from inference.errors import EditorError
from tests.editor.edits.trees import tree


def test_converting_there_and_back_keeps_the_look() -> None:
    wide = colour.built_in_profile("display-p3")
    state = tree()
    there = profiles.converted(state, wide)
    assert there.icc_profile == wide
    assert not np.array_equal(there.layer("top").pixels, state.layer("top").pixels)
    back = profiles.converted(there, b"")
    apart = np.abs(back.layer("top").pixels.astype(int) - state.layer("top").pixels)
    assert apart.mean() < 0.5
    assert apart.max() <= 5  # dark numbers are far apart in the other profile
    assert back.node("invert").mask is state.node("invert").mask


def test_the_colour_of_a_text_is_converted_with_it() -> None:
    text = TextContent(text="a", colour=(255, 0, 0, 128))
    state = tree()
    state = state.with_node(state.layer("top").changed(text=text))
    found = profiles.converted(state, colour.built_in_profile("display-p3")).layer("top").text
    assert found is not None
    assert found.colour[0] < 255
    assert found.colour[3] == 128


def test_assigning_leaves_the_numbers() -> None:
    profile = colour.built_in_profile("adobe-rgb")
    assigned = profiles.assigned(tree(), profile)
    assert assigned.icc_profile == profile
    assert np.array_equal(assigned.layer("top").pixels, tree().layer("top").pixels)
    with pytest.raises(EditorError, match="cannot be used"):
        profiles.assigned(tree(), b"nonsense")
