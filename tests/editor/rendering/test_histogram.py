"""Histograms of documents."""

import numpy as np
import pytest

from editor.adjustments.invert import Invert
from editor.layers.layer import Adjustment, Group, Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.histogram import histogram, histogram_below, shown_heights
from inference.errors import EditorError


def flat(*colour: int, size: int = 10, **fields: object) -> Layer:
    values = np.full((size, size, 4), colour, np.uint8)
    return Layer(name="flat", raster=Raster.of(values), **fields)  # type: ignore[arg-type]


def test_counts_every_value() -> None:
    values = np.zeros((4, 64, 4), np.uint8)
    values[..., 0] = np.arange(256).reshape(4, 64)
    values[..., 3] = 255
    layer = Layer(name="ramp", raster=Raster.of(values))
    found = histogram([layer], layer.area)
    assert found.red.tolist() == [1.0] * 256
    assert (found.green[0], found.total) == (256.0, 256.0)


def test_transparent_pixels_count_by_their_alpha() -> None:
    found = histogram([flat(9, 9, 9, 51)], Area(0, 0, 10, 10))
    assert found.blue[9] == pytest.approx(20, abs=1e-3)
    assert found.total == pytest.approx(20, abs=1e-3)


def test_large_pictures_are_counted_smaller() -> None:
    layer = flat(7, 8, 9, 255, size=3000)
    found = histogram([layer], layer.area)
    assert found.total == found.red[7] == found.blue[9]
    assert 100_000 < found.total <= 600_000


def test_an_adjustment_sees_what_is_below_it() -> None:
    invert = Adjustment(name="i", id="i", settings=Invert())
    nodes = (flat(10, 10, 10, 255), invert, flat(77, 77, 77, 255))
    state = DocumentState(width=10, height=10, layers=nodes)
    assert histogram_below(state, "i").red[10] == 100
    through = Group(name="g", children=(invert,), isolated=False)
    within = DocumentState(width=10, height=10, layers=(flat(10, 10, 10, 255), through))
    assert histogram_below(within, "i").red[10] == 100
    isolated = DocumentState(width=10, height=10, layers=(nodes[0], through.changed(isolated=True)))
    assert histogram_below(isolated, "i").total == 0
    with pytest.raises(EditorError, match="no longer"):
        histogram_below(state, "gone")


def test_spikes_at_the_ends_do_not_flatten_what_is_shown() -> None:
    counts = np.ones(256)
    counts[0] = 1e6
    assert min(shown_heights(counts)) == 1
