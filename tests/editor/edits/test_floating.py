"""What is selected of a layer is turned, the rest of it stays."""

from dataclasses import replace

import numpy as np
import pytest

from editor.edits import floating, geometry
from editor.layers.layer import Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from inference.errors import EditorError
from tests.editor.edits.trees import tree


def flip(state: DocumentState, ids: object) -> DocumentState:
    return geometry.flipped_nodes(state, ids, across=True)  # type: ignore[arg-type]


@pytest.fixture
def state() -> DocumentState:
    """A row of opaque greys 0, 10, … 90; the second to fifth are selected."""
    row = np.zeros((2, 10, 4), np.uint8)
    row[..., :3], row[..., 3] = (np.arange(10) * 10)[None, :, None], 255
    made = DocumentState.of_layer(Layer.of_pixels(name="a", id="a", pixels=row))
    mask = Mask(raster=Raster.of(np.full((2, 4, 1), 255, np.uint8)), x=1, y=0)
    return replace(made, selection=mask)


def test_only_what_is_selected_is_flipped(state: DocumentState) -> None:
    flipped = floating.limited(state, ["a"], flip)
    assert flipped.layer("a").pixels[0, :, 0].tolist() == [0, 40, 30, 20, 10, 50, 60, 70, 80, 90]
    assert flipped.layer("a").pixels[..., 3].min() == 255
    assert (flipped.active, len(flipped.layers)) == ("a", 1)


def test_the_selection_goes_with_it(state: DocumentState) -> None:
    mask = Mask(raster=Raster.of(np.arange(0, 160, 40, np.uint8)[None, :, None].repeat(2, 0)), x=1, y=0)
    flipped = floating.limited(replace(state, selection=mask), ["a"], flip)
    assert flipped.selection is not None
    # the first selected column has no weight: the part is the other three
    assert flipped.selection.read(state.area)[0].tolist() == [0, 0, 120, 80, 40, 0, 0, 0, 0, 0]


def test_without_a_selection_whole_nodes_are_turned(state: DocumentState) -> None:
    plain = replace(state, selection=None)
    assert floating.limited(plain, ["a"], flip).layer("a").pixels[0, :, 0].tolist() == [*range(90, -1, -10)]


def test_sixteen_bits_stay(state: DocumentState) -> None:
    samples = np.full((2, 10, 4), 65535, np.uint16)
    samples[:, :5, 0] = 1000
    deep = replace(state, layers=(Layer.of_pixels(name="a", id="a", pixels=samples),))
    assert floating.limited(deep, ["a"], flip).layer("a").raster.dtype == np.uint16


def test_several_nodes_are_refused(state: DocumentState) -> None:
    several = replace(tree(), selection=state.selection)
    with pytest.raises(EditorError, match="one layer only"):
        floating.limited(several, ["top", "bottom"], flip)
    with pytest.raises(EditorError, match="no pixels of its own"):
        floating.limited(several, ["group"], flip)
