"""Lasso, polygon and wand, driven as by a pointer."""

import numpy as np

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.pixels.raster import Area
from editor.selection import bounds
from editor.tools.lasso import Lasso, Polygon
from editor.tools.wand import Wand
from tests.editor.tools.driving import Bench, drag, event

WHOLE = Area(0, 0, 40, 30)


def test_lasso_selects_what_it_goes_around() -> None:
    bench = Bench()
    drag(bench.tool(Lasso), [(5, 5), (15, 5), (15, 12), (5, 12), (5, 5)])
    selection = bench.document.state.selection
    assert selection is not None
    assert selection.area == Area(5, 5, 10, 7)
    assert (selection.read(selection.area) == 255).all()
    assert bench.steps == 1


def test_polygon_is_closed_at_its_first_corner() -> None:
    bench = Bench()
    tool = bench.tool(Polygon)
    for x, y in [(4, 4), (14, 4), (14, 10), (4, 10), (4.2, 4.2)]:
        drag(tool, [(x, y)], zoom=4)
    assert not tool.active
    assert bench.document.state.selection.area == Area(4, 4, 10, 6)


def test_polygon_keeps_to_angles_and_takes_corners_back() -> None:
    bench = Bench()
    tool = bench.tool(Polygon)
    drag(tool, [(4, 4)])
    drag(tool, [(30, 29)])
    assert tool.key("backspace")
    tool.hover(event(14, 4.3))
    drag(tool, [(14, 4.3)], "shift")
    drag(tool, [(14, 20)])
    assert tool.key("enter")
    values = bench.document.state.selection.read(WHOLE)
    assert not values[:4].any()
    assert abs(values.sum() / 255 - 80) < 1.5
    assert bench.steps == 1


def test_escape_drops_the_corners() -> None:
    bench = Bench()
    tool = bench.tool(Polygon)
    drag(tool, [(4, 4)])
    drag(tool, [(20, 4)])
    assert tool.key("escape")
    assert not tool.active
    assert bench.steps == 0


def _stripes() -> Document:
    pixels = np.zeros((30, 40, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, 20:, 0] = 200
    return Document.from_layer(Layer.of_pixels(name="a", pixels=pixels))


def test_wand_selects_in_the_background(qtbot: object) -> None:
    bench = Bench(_stripes())
    tool = bench.tool(Wand, antialias=False)
    drag(tool, [(30, 3)])
    assert tool.active
    bench.settle()
    assert not tool.active
    assert bounds(bench.document.state.selection) == Area(20, 0, 20, 30)
    drag(tool, [(3, 3)], "shift")
    bench.settle()
    assert (bench.document.state.selection.read(WHOLE) == 255).all()
    assert bench.steps == 2


def test_cancelled_wand_selects_nothing(qtbot: object) -> None:
    bench = Bench(_stripes())
    tool = bench.tool(Wand)
    drag(tool, [(30, 3)])
    assert tool.key("escape")
    bench.settle()
    assert bench.document.state.selection is None


def test_wand_of_a_group_samples_all_layers_only(qtbot: object) -> None:
    bench = Bench(_stripes())
    tool = bench.tool(Wand, merged=False)
    bench.document.swap_state(bench.document.state.without([bench.document.layers[0].id]))
    drag(tool, [(30, 3)])
    assert "no pixels" in bench.reported[0].message
