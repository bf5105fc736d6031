"""Crop and straighten, driven as by a pointer."""

import numpy as np
import pytest

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.tools.crop import Crop, Straighten, levelling
from editor.tools.overlay import Grid
from tests.editor.tools.driving import Bench, drag, samples

pytestmark = pytest.mark.usefixtures("qtbot")


def test_crop_keeps_what_is_inside_the_frame() -> None:
    bench = Bench()
    before = samples(bench.document).copy()
    tool = bench.tool(Crop)
    drag(tool, [(5, 6), (25, 26)])
    assert any(isinstance(shape, Grid) for shape in tool.overlay())
    drag(tool, [(25, 16), (30, 16)])
    drag(tool, [(15, 15), (17, 14)])
    assert tool.box == (7, 5, 25, 20)
    assert tool.key("enter")
    bench.settle()
    state = bench.document.state
    assert (state.width, state.height) == (25, 20)
    assert (samples(bench.document) == before[5:25, 7:32]).all()
    assert bench.steps == 1


@pytest.mark.parametrize(
    ("ratio", "expected"), [("1:1", 1), ("3:2", 1.5), ("16:9", 16 / 9), ("original", 4 / 3)]
)
def test_crop_keeps_its_ratio(ratio: str, expected: float) -> None:
    bench = Bench()
    tool = bench.tool(Crop, ratio=ratio)
    drag(tool, [(2, 2), (20, 9)])
    assert tool.box[2] / tool.box[3] == pytest.approx(expected)
    tool.configure(Crop.Settings(ratio="3:2", upright=True))
    assert tool.box[2] / tool.box[3] == pytest.approx(2 / 3)


def test_escape_crops_nothing() -> None:
    bench = Bench()
    state = bench.document.state
    tool = bench.tool(Crop)
    drag(tool, [(5, 6), (25, 26)])
    assert tool.key("escape")
    assert bench.document.state is state
    assert tool.overlay() == ()


def test_levelling_by_hand() -> None:
    assert levelling((0, 0), (10, 1)) == pytest.approx(-np.degrees(np.arctan(0.1)))
    assert levelling((10, 1), (0, 0)) == pytest.approx(-np.degrees(np.arctan(0.1)))
    assert levelling((0, 0), (1, 10)) == pytest.approx(np.degrees(np.arctan(0.1)))


def test_straightening_makes_the_horizon_level() -> None:
    y, x = np.mgrid[:120, :200]
    pixels = np.full((120, 200, 4), 255, np.uint8)
    pixels[..., :3] = np.where(y > 50 + 0.1 * x, 0, 255)[..., None]
    bench = Bench(Document.from_layer(Layer.of_pixels(name="sea", pixels=pixels)))
    tool = bench.tool(Straighten)
    drag(tool, [(0, 50), (200, 70)])
    bench.settle()
    assert tool.active
    assert bench.steps == 0, "it waits for Apply"
    assert tool.key("enter")
    bench.settle()
    assert not tool.active
    shown = bench.document.composite()
    heights = (shown[..., 0] > 127).sum(axis=0)
    assert np.ptp(heights) <= 1
    assert shown.shape[0] < 120
    assert (shown[..., 3] == 255).all()
    assert bench.steps == 1


def test_the_line_of_straightening_can_be_mended_and_dropped() -> None:
    bench = Bench()
    tool = bench.tool(Straighten)
    drag(tool, [(0, 10), (20, 30)])
    drag(tool, [(20, 30), (30, 12)])
    assert tool.line == ((0, 10), (30, 12)), "an end was pulled"
    drag(tool, [(0, 10), (0, 12)])
    assert set(tool.line) == {(0, 12), (30, 12)}
    assert tool.key("escape")
    assert tool.line is None
    assert not tool.active
    assert not tool.overlay()
    tool.commit()
    bench.settle()
    assert bench.steps == 0
