"""Counting bytes by what comes and goes gives what counting everything anew would."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from editor.document.held_bytes import HeldBytes, holdings
from editor.layers.layer import Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster

SIZE = 600  # three tiles across


def variants() -> list[DocumentState]:
    """States that share rasters, tiles or nothing."""
    first = Layer.of_pixels(name="one", pixels=np.zeros((SIZE, SIZE, 4), np.uint8))
    stroke = first.changed(raster=first.raster.written(10, 10, np.ones((20, 20, 4), np.uint8)))
    blank = Layer(name="blank", raster=Raster.filled(SIZE, SIZE))
    mask = Mask(raster=Raster.of(np.full((SIZE, SIZE), 7, np.uint8)))
    states = [DocumentState.of_layer(layer) for layer in (first, stroke, blank)]
    states.append(replace(states[0], layers=(first, stroke), selection=mask))
    maps = {"attention": np.zeros((16, 16), np.float32)}
    states.append(DocumentState.of_layer(first.changed(mask=mask, maps=maps)))
    return states


def counted_anew(states: list[DocumentState]) -> int:
    buffers: dict[int, int] = {}
    for state in states:
        for holding in holdings(state):
            found = holding.buffers() if isinstance(holding, Raster) else [(id(holding), holding.nbytes)]
            buffers |= dict(found)
    return sum(buffers.values())


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=25))
def test_adding_and_removing_keeps_the_count(turns: list[tuple[int, bool]]) -> None:
    states, held, kept = variants(), HeldBytes(), []
    for which, comes in turns:
        if comes:
            kept.append(states[which])
            held.add(states[which])
        elif states[which] in kept:
            kept.remove(states[which])
            held.remove(states[which])
        assert held.total == counted_anew(kept)


def test_a_stroke_costs_its_tiles() -> None:
    first, stroke, *_ = variants()
    held = HeldBytes()
    held.add(first)
    before = held.total
    held.add(stroke)
    assert held.total - before == 256 * 256 * 4
