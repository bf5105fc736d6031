"""The region in which an operation works."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.generating.region import region_of
from editor.layers.layer import Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster


def state(width: int, height: int, selected: Area | None = None, outside: int = 0) -> DocumentState:
    layer = Layer.of_pixels(name="photo", pixels=np.zeros((height, width, 3), np.uint8))
    selection = None
    if selected is not None:
        values = np.full((selected.height, selected.width, 1), 255 - outside, np.uint8)
        selection = Mask(raster=Raster.of(values), x=selected.x, y=selected.y, outside=outside)
    return replace(DocumentState.of_layer(layer), selection=selection)


def test_without_a_selection_it_is_the_picture() -> None:
    assert region_of(state(300, 200)) == Area(0, 0, 300, 200)


def test_a_selection_brings_its_surroundings() -> None:
    assert region_of(state(1000, 800, Area(400, 300, 100, 100))) == Area(350, 250, 200, 200)


def test_an_inverted_selection_is_nearly_everything() -> None:
    assert region_of(state(300, 200, Area(10, 10, 20, 20), outside=255)) == Area(0, 0, 300, 200)


def test_what_is_selected_beside_the_canvas_does_not_count() -> None:
    assert region_of(state(300, 200, Area(400, 10, 20, 20))) == Area(0, 0, 300, 200)


def test_a_slim_selection_gets_a_region_that_models_know() -> None:
    found = region_of(state(2000, 2000, Area(100, 1000, 600, 10)))
    assert found.width / found.height <= 2
    assert found.intersected(Area(100, 1000, 600, 10)) == Area(100, 1000, 600, 10)


@pytest.mark.parametrize(
    "place", [Area(0, 0, 5, 5), Area(995, 0, 5, 5), Area(0, 795, 5, 5), Area(995, 795, 5, 5)]
)
def test_regions_at_the_border_are_large_enough_for_models(place: Area) -> None:
    found = region_of(state(1000, 800, place))
    assert (found.width, found.height) == (64, 64)
    assert found.intersected(place) == place


def test_what_is_selected_in_a_corner_is_not_made_small_by_its_surroundings() -> None:
    assert region_of(state(1000, 800, Area(0, 700, 100, 100))) == Area(0, 650, 150, 150)
    assert region_of(state(4000, 6000, Area(0, 3907, 2123, 2093))) != Area(0, 0, 4000, 6000)


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.tuples(st.integers(-50, 320), st.integers(-50, 320), st.integers(1, 300), st.integers(1, 300)),
)
def test_it_lies_in_the_picture_and_holds_what_is_selected(
    size: tuple[int, int], selected: tuple[int, int, int, int]
) -> None:
    canvas, chosen = Area(0, 0, *size), Area(*selected)
    found = region_of(state(*size, chosen))
    assert not found.is_empty
    assert found.intersected(canvas) == found
    common = chosen.intersected(canvas)
    assert common.is_empty or found.intersected(common) == common
