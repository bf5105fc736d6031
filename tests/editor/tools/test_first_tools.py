"""Hand, zoom, eyedropper, move and rectangle, driven as by a pointer."""

import numpy as np
import pytest

from editor.document.document import Document
from editor.layers.layer import Group, Layer
from editor.layers.state import DocumentState, Guide
from editor.pixels.raster import Area
from editor.tools import TOOLS
from editor.tools.eyedropper import Eyedropper
from editor.tools.hand import Hand, Zoom
from editor.tools.move import Move
from editor.tools.overlay import Line
from editor.tools.select_shape import SelectEllipse, SelectRectangle
from inference.errors import EditorError
from tests.editor.samples import noise
from tests.editor.tools.driving import Bench, drag, event


class FakeView:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def pan_by(self, dx: float, dy: float) -> None:
        self.calls.append(("pan", dx, dy))

    def zoom_by(self, factor: float, x: float, y: float) -> None:
        self.calls.append(("zoom", factor, x, y))

    def show_area(self, area: Area) -> None:
        self.calls.append(("show", area))


@pytest.mark.parametrize("tool_id", TOOLS)
def test_every_tool_tells_what_it_is(tool_id: str) -> None:
    tool = TOOLS[tool_id]
    assert tool.id == tool_id
    assert tool.label
    assert tool.icon
    made = Bench().tool(tool)
    assert isinstance(made.overlay(), tuple)
    assert not made.active
    assert not made.key("escape")
    assert not made.key("f13")


def test_hand_pans_by_what_the_pointer_moved() -> None:
    bench, view = Bench(), FakeView()
    bench.context.view = view
    drag(bench.tool(Hand), [(5, 5), (8, 4)])
    assert view.calls == [("pan", 3, -1)]


def test_zoom_clicks_and_drags() -> None:
    bench, view = Bench(), FakeView()
    bench.context.view = view
    zoom = bench.tool(Zoom)
    drag(zoom, [(5, 5)])
    drag(zoom, [(5, 5)], "alt")
    drag(zoom, [(10, 12), (4, 2)])
    assert view.calls == [("zoom", 2, 5, 5), ("zoom", 0.5, 5, 5), ("show", Area(4, 2, 6, 10))]


def test_eyedropper_takes_foreground_and_background() -> None:
    bench = Bench()
    pixels = bench.document.layers[0].raster.array()
    drag(bench.tool(Eyedropper, merged=False), [(3.9, 2.1)])
    assert bench.context.colours.foreground == (*pixels[2, 3, :3].tolist(), 255)
    drag(bench.tool(Eyedropper, merged=False, size=3), [(3.5, 2.5)], "alt")
    part = pixels[1:4, 2:5].reshape(-1, 4).astype(float)
    mean = (part[:, :3] * part[:, 3:]).sum(0) / part[:, 3].sum()
    assert bench.context.colours.background == (*[round(v) for v in mean], 255)


def test_cancelled_eyedropper_puts_the_colours_back() -> None:
    bench = Bench()
    tool = bench.tool(Eyedropper)
    tool.press(event(3, 3))
    assert tool.key("escape")
    assert bench.context.colours.foreground == (0, 0, 0, 255)


def test_move_takes_the_layer_along_in_one_step() -> None:
    bench = Bench()
    tool = bench.tool(Move, snap=False)
    drag(tool, [(5, 5), (7, 9), (11.4, 8.7)])
    layer = bench.document.active_layer
    assert layer is not None
    assert (layer.x, layer.y) == (6, 4)
    assert bench.steps == 1
    bench.document.undo_stack.undo()
    assert bench.document.active_layer.x == 0


def test_move_keeps_to_an_axis_with_shift() -> None:
    bench = Bench()
    drag(bench.tool(Move, snap=False), [(0, 0), (10, 3)], "shift")
    layer = bench.document.active_layer
    assert (layer.x, layer.y) == (10, 0)


def test_cancelled_move_leaves_the_document() -> None:
    bench = Bench()
    before = bench.document.state
    tool = bench.tool(Move)
    tool.press(event(5, 5))
    tool.move(event(15, 5))
    assert bench.document.shown_state() is not before
    tool.cancel()
    assert bench.document.state is before
    assert bench.document.shown_state() is before


def test_nudges_in_a_row_are_one_step() -> None:
    bench = Bench()
    tool = bench.tool(Move)
    for name in ("right", "right", "shift+down"):
        assert tool.key(name)
    layer = bench.document.active_layer
    assert (layer.x, layer.y) == (2, 10)
    assert bench.steps == 1


def _two_layers() -> Document:
    low = Layer.of_pixels(name="low", pixels=np.full((20, 20, 4), 255, np.uint8))
    top = Layer.of_pixels(name="top", pixels=noise(1, 5, 5) | 1, x=10, y=10)
    group = Group(name="group", children=(top,))
    return Document(DocumentState(width=20, height=20, layers=(low, group), active=low.id))


def test_ctrl_chooses_the_layer_under_the_pointer() -> None:
    bench = Bench(_two_layers())
    drag(bench.tool(Move, snap=False), [(12, 12), (13, 12)], "ctrl")
    assert bench.document.active_layer.name == "top"
    assert bench.document.active_layer.x == 11


def test_move_of_a_group_and_its_child_moves_the_child_once() -> None:
    document = _two_layers()
    group = document.layers[1]
    assert isinstance(group, Group)
    document.choose(group.id, [group.children[0].id])
    bench = Bench(document)
    drag(bench.tool(Move, snap=False), [(0, 0), (2, 0)])
    assert document.state.layer(group.children[0].id).x == 12


def test_move_snaps_to_a_guide_and_says_so() -> None:
    document = _two_layers()
    top = next(layer for layer in document.state.rasters() if layer.name == "top")
    state = document.state
    document.swap_state(
        DocumentState(
            width=20,
            height=20,
            layers=state.layers,
            active=top.id,
            guides=(Guide(vertical=True, position=3),),
        )
    )
    bench = Bench(document)
    tool = bench.tool(Move)
    tool.press(event(12, 12, zoom=8))
    tool.move(event(5.4, 15.6, zoom=8))
    assert Line(True, 3) in tool.overlay()
    tool.release(event(5.4, 15.6, zoom=8))
    moved = document.state.layer(top.id)
    assert (moved.x, moved.y) == (3, 14)


def test_locked_layers_do_not_move() -> None:
    bench = Bench()
    document = bench.document
    document.swap_state(document.state.with_node(document.layers[0].changed(position_locked=True)))
    drag(bench.tool(Move), [(0, 0), (5, 0)])
    assert isinstance(bench.reported[0], EditorError)
    assert bench.steps == 0


def test_rectangle_selects_whole_pixels() -> None:
    bench = Bench()
    drag(bench.tool(SelectRectangle), [(3.2, 4.1), (10.4, 8.8)])
    selection = bench.document.state.selection
    assert selection is not None
    expected = np.zeros((30, 40), np.uint8)
    expected[4:9, 3:10] = 255
    assert (selection.read(Area(0, 0, 40, 30)) == expected).all()


def test_keys_at_the_start_combine_and_keys_later_constrain() -> None:
    bench = Bench()
    tool = bench.tool(SelectRectangle)
    drag(tool, [(0, 0), (10, 10)])
    drag(tool, [(20, 0), (30, 10)], "shift")
    drag(tool, [(5, 0), (25, 10)], "alt")
    expected = np.zeros((30, 40), np.uint8)
    expected[:10, :5] = expected[:10, 25:30] = 255
    assert (bench.document.state.selection.read(Area(0, 0, 40, 30)) == expected).all()
    tool.press(event(10, 15))
    tool.move(event(14, 16, "shift", "alt"))
    tool.release(event(14, 16, "shift", "alt"))
    assert bench.document.state.selection.area == Area(6, 11, 8, 8)
    assert bench.steps == 4


def test_a_click_selects_nothing_and_a_drag_inside_moves() -> None:
    bench = Bench()
    tool = bench.tool(SelectRectangle)
    drag(tool, [(0, 0), (10, 10)])
    drag(tool, [(5, 5), (8, 9)])
    assert bench.document.state.selection.area == Area(3, 4, 10, 10)
    drag(tool, [(30, 25)])
    assert bench.document.state.selection is None


def test_ellipse_is_inside_its_rectangle() -> None:
    bench = Bench()
    drag(bench.tool(SelectEllipse), [(2, 2), (22, 12)])
    values = bench.document.state.selection.read(Area(0, 0, 40, 30))
    assert abs(values.sum() / 255 - np.pi * 50) < 0.3
    assert values[7, 12] == 255
    assert values[2, 2] == 0
