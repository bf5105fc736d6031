"""Transforms: numbers by hand, pixels against exact cases, and the tool driven as by a pointer."""

from dataclasses import replace

import numpy as np
import pytest

from editor import selection
from editor.document.document import Document
from editor.layers.layer import Group, Layer, Mask, Node
from editor.layers.state import DocumentState
from editor.layers.text import TextContent
from editor.pixels.raster import Area, Raster
from editor.tools.move import Move
from editor.tools.transform import Transform
from editor.tools.transforming import form as forms
from editor.tools.transforming.form import Form
from editor.tools.transforming.nodes import transformed_state, translation, turned_text
from editor.tools.transforming.warp import mapped_points, warped
from inference.errors import EditorError
from tests.editor.samples import MAN, generated, noise
from tests.editor.tools.driving import Bench, drag, event

pytestmark = pytest.mark.usefixtures("qtbot")
BOX = (10.0, 20.0, 40.0, 20.0)


def points_of(form: Form) -> np.ndarray:
    x, y, width, height = form.box
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    return mapped_points(corners, form.matrix())


@pytest.mark.parametrize(
    "form",
    [
        Form(BOX, dx=3, dy=-4),
        Form(BOX, scale_x=2, scale_y=0.5, angle=30),
        Form(BOX, skew_x=0.5, angle=-10),
        Form(BOX, pulled=((-5, 0), (3, 2), (0, 6), (1, 1))),
        Form(BOX, scale_x=-1),
    ],
)
def test_matrix_takes_the_box_to_its_corners(form: Form) -> None:
    assert np.abs(points_of(form) - np.array(form.corners())).max() < 1e-3


def test_scaling_keeps_the_opposite_corner() -> None:
    form = Form(BOX, angle=25)
    before = form.corners()
    target = (before[2][0] + 11, before[2][1] - 3)
    after = forms.scaled(form, (1, 1), target, keep_ratio=False, from_centre=False).corners()
    assert after[0] == pytest.approx(before[0])
    assert after[2] == pytest.approx(target)


def test_scaling_in_ratio_and_from_the_centre() -> None:
    form = forms.scaled(Form(BOX), (1, 1), (90, 60), keep_ratio=True, from_centre=False)
    assert (form.scale_x, form.scale_y) == pytest.approx((2, 2))
    form = forms.scaled(Form(BOX), (1, 0), (70, 30), keep_ratio=False, from_centre=True)
    assert (form.scale_x, form.scale_y) == pytest.approx((2, 1))
    assert form.centre == pytest.approx((30, 30))


def test_turning_and_skewing_by_hand() -> None:
    assert forms.turned(Form(BOX), (50, 30), (30, 50)).angle == pytest.approx(90)
    assert forms.turned(Form(BOX), (50, 30), (50, 34), step=15).angle == pytest.approx(15)
    form = forms.skewed(Form(BOX), (0, -1), (30, 20), (35, 20))
    assert form.corners()[0] == pytest.approx((15, 20))
    assert form.corners()[3] == pytest.approx((5, 40))


def test_pulled_too_far_is_not_possible() -> None:
    assert Form(BOX, pulled=((0, 0), (0, 0), (-10, -5), (0, 0))).is_possible
    assert not Form(BOX, pulled=((0, 0), (0, 0), (-60, -30), (0, 0))).is_possible


@pytest.mark.parametrize("sixteen", [False, True])
def test_quarter_turns_and_mirrors_are_exact(sixteen: bool) -> None:
    pixels = noise(1, 30, 21)
    pixels[..., 3] |= 1  # colours under full transparency are nobody's
    samples = pixels.astype(np.uint16) * 257 if sixteen else pixels
    box = (5.0, 7.0, 30.0, 21.0)
    quarter = Form(box, angle=90).matrix()
    raster, area = warped(Raster.of(samples.copy()), Area(5, 7, 30, 21), quarter)
    expected = np.rot90(samples, -1)
    assert (area.width, area.height) in ((21, 30), (22, 31))
    mirrored, place = warped(Raster.of(samples.copy()), Area(5, 7, 30, 21), Form(box, scale_x=-1).matrix())
    assert place == Area(5, 7, 30, 21)
    found, wanted = mirrored.array().astype(int), samples[:, ::-1].astype(int)
    opaque = wanted[..., 3] > wanted.max() // 8
    assert np.abs(found - wanted)[..., 3].max() <= 1
    assert np.abs(found - wanted)[opaque].max() <= 2
    assert raster.dtype == samples.dtype
    assert expected.shape[:2] == (30, 21)


def test_whole_steps_share_the_pixels() -> None:
    raster = Raster.of(noise(2))
    moved, area = warped(raster, Area(0, 0, 8, 8), translation(3, -5))
    assert moved is raster
    assert area == Area(3, -5, 8, 8)


def test_reducing_averages() -> None:
    rng = np.random.default_rng(0)
    pixels = np.full((160, 160, 4), 255, np.uint8)
    pixels[..., :3] = rng.integers(0, 2, (160, 160, 1)) * 255
    raster, area = warped(
        Raster.of(pixels), Area(0, 0, 160, 160), Form((0, 0, 160, 160), scale_x=0.1, scale_y=0.1).matrix()
    )
    assert (area.width, area.height) == (16, 16)
    cells = pixels[..., 0].reshape(16, 10, 16, 10).mean(axis=(1, 3))
    assert np.abs(raster.array()[..., 0] - cells).max() < 3


def test_transparent_pixels_do_not_bleed() -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[..., :3] = (0, 255, 0)
    pixels[10:30, 10:30] = (255, 0, 0, 255)
    raster, _ = warped(Raster.of(pixels), Area(0, 0, 40, 40), Form((0, 0, 40, 40), angle=31).matrix())
    found = raster.array()
    seen = found[found[..., 3] > 20]
    assert seen[:, 1].max() <= 12
    assert seen[:, 0].min() >= 243


def test_too_large_is_refused() -> None:
    with pytest.raises(EditorError, match="cannot be 800000"):
        warped(Raster.of(noise(0)), Area(0, 0, 8, 8), Form((0, 0, 8, 8), scale_x=1e5).matrix())


def test_texts_stay_texts_where_they_can() -> None:
    text = TextContent(text="a", x=10, y=20, size_px=30, angle=10)
    turned = turned_text(text, Form(BOX, scale_x=2, scale_y=2, angle=40, dx=5).matrix())
    assert turned is not None
    assert turned.size_px == pytest.approx(60)
    assert turned.angle == pytest.approx(50)
    assert turned_text(text, Form(BOX, scale_x=2).matrix()) is None
    assert turned_text(text, Form(BOX, scale_x=-1).matrix()) is None


def _document() -> Document:
    pixels = np.full((40, 60, 4), 255, np.uint8)
    paper = Layer.of_pixels(name="paper", pixels=pixels)
    dot = Layer.of_pixels(name="dot", pixels=np.full((10, 10, 4), (255, 0, 0, 255), np.uint8), x=20, y=10)
    return Document(DocumentState(width=60, height=40, layers=(paper, dot), active=dot.id))


def test_dragging_a_corner_scales_in_one_step() -> None:
    bench = Bench(_document())
    tool = bench.tool(Transform)
    bench.context.snapping = False
    drag(tool, [(30, 20), (35, 25), (40, 30)], zoom=10)
    assert tool.active
    assert tool.settings.width == pytest.approx(200)
    bench.settle()
    assert bench.document.shown_state().layer(bench.document.state.active).width == 20
    assert bench.steps == 0
    assert tool.key("enter")
    bench.settle()
    layer = bench.document.active_layer
    assert layer.area == Area(20, 10, 20, 20)
    assert (layer.pixels[1:-1, 1:-1] == (255, 0, 0, 255)).all()
    assert bench.steps == 1
    assert not tool.active
    assert bench.document.shown_state() is bench.document.state


def test_escape_drops_the_transform() -> None:
    bench = Bench(_document())
    state = bench.document.state
    tool = bench.tool(Transform)
    drag(tool, [(25, 15), (35, 25)], zoom=10)
    bench.settle()
    assert tool.key("escape")
    bench.settle()
    assert bench.document.state is state
    assert bench.document.shown_state() is state


def test_numbers_transform_too() -> None:
    bench = Bench(_document())
    tool = bench.tool(Transform)
    tool.configure(replace(tool.settings, x=5.0, y=-3.0))
    tool.commit()
    bench.settle()
    assert bench.document.active_layer.area == Area(25, 7, 10, 10)


def test_linked_masks_move_along() -> None:
    document = _document()
    mask = Mask(raster=Raster.filled(4, 4, 255, channels=1), x=22, y=12)
    loose = mask.changed(linked=False)
    for given, x in ((mask, 25), (loose, 22)):
        state = document.state.with_node(document.active_layer.changed(mask=given))
        after = transformed_state(state, (state.layer(state.active),), translation(3, 0))
        assert after.layer(state.active).mask.x == x


@pytest.mark.parametrize("inside", [False, True], ids=["layer", "group"])
def test_the_preview_shows_what_comes_with_its_mask(inside: bool) -> None:
    """The mask of a layer, and that of a group around it, go with the pixels while a handle is dragged."""
    document = _document()
    layer = document.active_layer
    mask = Mask(raster=Raster.filled(5, 10, 255, channels=1), x=20, y=10)
    node: Node = Group(name="Group", children=(layer,)) if inside else layer
    state = DocumentState(layers=(node.changed(mask=mask),), width=60, height=40, active=node.id)
    bench = Bench(Document(state))
    tool = bench.tool(Transform)
    tool.press(event(25, 15, zoom=10))
    tool.move(event(38, 20, zoom=10))
    bench.settle()
    shown = bench.document.composite().copy()
    tool.release(event(38, 20, zoom=10))
    tool.commit()
    bench.settle()
    assert (shown[15:25, 33:38] == (255, 0, 0, 255)).all()
    assert (shown == bench.document.composite()).all()


def test_outside_of_a_mask_stays_in_the_preview() -> None:
    document = _document()
    mask = Mask(raster=Raster.filled(5, 10, 0, channels=1), x=20, y=10, outside=255)
    document.swap_state(document.state.with_node(document.active_layer.changed(mask=mask)))
    bench = Bench(document)
    tool = bench.tool(Transform)
    tool.configure(replace(tool.settings, x=7.0))
    bench.settle()
    shown = document.composite()
    red = (shown == (255, 0, 0, 255)).all(axis=2)
    assert red[10:20, 32:37].all()
    assert not red[10:20, 27:32].any()


def test_only_what_is_selected_is_moved() -> None:
    document = _document()
    state = replace(document.state, selection=selection.rectangle(20, 10, 5, 10, document.state.area))
    document.swap_state(state)
    bench = Bench(document)
    drag(bench.tool(Move, snap=False), [(22, 12), (32, 22)])
    bench.settle()
    shown = document.composite()
    red = (shown == (255, 0, 0, 255)).all(axis=2)
    expected = np.zeros((40, 60), bool)
    expected[10:20, 25:30] = expected[20:30, 30:35] = True
    assert (red == expected).all()
    assert document.state.selection.area == Area(30, 20, 5, 10)
    assert bench.steps == 1
    document.undo_stack.undo()
    assert document.state is state


def test_a_generated_layer_that_was_moved_in_part_is_no_longer_what_its_recipe_makes() -> None:
    """Moving a slider brought the part back to where it was."""
    made = generated(MAN).state
    state = replace(made, selection=selection.rectangle(2, 1, 3, 3, made.area))
    assert transformed_state(state, state.layers, translation(2, 1)).layers[0].recipe is None
    whole = transformed_state(made, made.layers, translation(2, 1)).layers[0]
    assert whole.recipe == made.layers[0].recipe


def test_cancelled_move_of_a_selection_leaves_everything() -> None:
    document = _document()
    state = replace(document.state, selection=selection.rectangle(20, 10, 5, 10, document.state.area))
    document.swap_state(state)
    bench = Bench(document)
    tool = bench.tool(Move, snap=False)
    tool.press(event(22, 12))
    tool.move(event(32, 22))
    bench.settle()
    assert document.shown_state() is not state
    tool.cancel()
    bench.settle()
    assert document.shown_state() is state


def test_locked_layers_are_not_transformed() -> None:
    bench = Bench(_document())
    document = bench.document
    document.swap_state(document.state.with_node(document.active_layer.changed(position_locked=True)))
    tool = bench.tool(Transform)
    assert tool.overlay() == ()
    drag(tool, [(25, 15), (35, 25)])
    assert "locked" in bench.reported[0].message
