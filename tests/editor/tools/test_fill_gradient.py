"""Fill and gradient, driven as by a pointer."""

from dataclasses import replace

import numpy as np
import pytest

from editor import selection
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.pixels.raster import Area, Raster
from editor.tools.fill import Fill
from editor.tools.gradient import Gradient, gradient_share
from tests.editor.tools.driving import Bench, drag, event, samples

pytestmark = pytest.mark.usefixtures("qtbot")
RED = [255, 0, 0, 255]


def two_halves(sixteen: bool = False) -> Bench:
    pixels = np.zeros((300, 400, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, 200:, 1] = 90
    given = pixels.astype(np.uint16) * 257 if sixteen else pixels
    bench = Bench(Document.from_layer(Layer(name="a", raster=Raster.of(given))))
    bench.context.colours.set_foreground((255, 0, 0, 255))
    return bench


@pytest.mark.parametrize("sixteen", [False, True])
def test_fill_paints_one_half(sixteen: bool) -> None:
    bench = two_halves(sixteen)
    drag(bench.tool(Fill, antialias=False), [(300, 20)])
    bench.settle()
    pixels = samples(bench.document)
    scale = 257 if sixteen else 1
    assert (pixels[:, 200:] == np.array(RED) * scale).all()
    assert (pixels[:, :200, 0] == 0).all()
    assert bench.steps == 1


def test_fill_keeps_to_the_selection() -> None:
    bench = two_halves()
    state = bench.document.state
    chosen = selection.rectangle(150, 100, 100, 100, state.area)
    bench.document.swap_state(replace(state, selection=chosen))
    drag(bench.tool(Fill, whole=True), [(300, 20)])
    bench.settle()
    red = (samples(bench.document) == RED).all(axis=2)
    assert red[100:200, 150:250].all()
    assert red.sum() == 100 * 100


def test_cancelled_fill_changes_nothing() -> None:
    bench = two_halves()
    state = bench.document.state
    tool = bench.tool(Fill)
    drag(tool, [(300, 20)])
    assert tool.key("escape")
    bench.settle()
    assert bench.document.state is state


def test_fill_refuses_a_layer_that_changed_meanwhile() -> None:
    bench = two_halves()
    drag(bench.tool(Fill), [(300, 20)])
    document = bench.document
    document.swap_state(document.state.with_node(document.active_layer.changed(name="other")))
    bench.settle()
    assert "meantime" in bench.reported[0].message
    assert bench.steps == 0


def test_linear_gradient_runs_from_one_colour_to_the_other() -> None:
    bench = two_halves()
    bench.context.colours.set_background((0, 0, 255, 255))
    drag(bench.tool(Gradient, dither=False), [(100, 0), (300, 0)])
    bench.settle()
    row = samples(bench.document)[10].astype(int)
    assert row[50].tolist() == RED
    assert row[350].tolist() == [0, 0, 255, 255]
    assert np.abs(row[100:300, 2] - (np.arange(200) + 0.5) / 200 * 255).max() <= 0.51
    assert bench.steps == 1


def test_dithered_gradient_has_the_same_mean_without_steps() -> None:
    bench = two_halves()
    bench.context.colours.set_foreground((100, 100, 100, 255))
    bench.context.colours.set_background((104, 104, 104, 255))
    drag(bench.tool(Gradient), [(0, 0), (400, 0)])
    bench.settle()
    columns = samples(bench.document)[..., 0].astype(float).mean(axis=0)
    assert np.abs(columns - (100 + 4 * (np.arange(400) + 0.5) / 400)).max() < 0.15


def test_gradient_to_transparent_leaves_what_is_below() -> None:
    bench = two_halves()
    before = samples(bench.document).copy()
    drag(bench.tool(Gradient, to="transparent", dither=False), [(0, 0), (100, 0)])
    bench.settle()
    after = samples(bench.document)
    assert (after[:, 100:] == before[:, 100:]).all()
    assert after[0, 0, 0] > 250
    assert (after[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("form", "x", "y", "expected"),
    [
        ("linear", 15, 5, 0.5),
        ("reflected", 5, 5, 0.5),
        ("radial", 10, 10, 0.5),
        ("conical", 10, 15, 0.25),
        ("conical", 10, -5, 0.75),
    ],
)
def test_forms_of_gradients(form: str, x: int, y: int, expected: float) -> None:
    share = gradient_share(form, (10.5, 5.5), (20.5, 5.5), Area(x, y, 1, 1))
    assert share[0, 0] == pytest.approx(expected, abs=1e-5)


def test_a_click_or_escape_draws_no_gradient() -> None:
    bench = two_halves()
    tool = bench.tool(Gradient)
    drag(tool, [(100, 100)])
    tool.press(event(10, 10))
    tool.move(event(100, 20))
    assert tool.overlay()
    assert tool.key("escape")
    tool.release(event(100, 20))
    bench.settle()
    assert bench.steps == 0
