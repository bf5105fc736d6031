"""Brush, eraser, clone and heal, and what paint does to pixels."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editor import selection
from editor.document.document import Document
from editor.layers.layer import Group, Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import TILE_PX, Area, Raster
from editor.tools.brush import Brush, Eraser
from editor.tools.clone import Clone
from editor.tools.heal import Heal
from editor.tools.painting.dabs import Dabs, Tip, stamped
from editor.tools.painting.growth import grown_area, regridded
from editor.tools.painting.membrane import membrane
from editor.tools.painting.paint import BEHIND, ERASE, MODES, NORMAL, Source, painted
from editor.tools.painting.path import Path, Place
from tests.editor.samples import noise
from tests.editor.tools.driving import Bench, drag, event, noise_document, samples

RED = (255, 0, 0, 255)
LINE = [(8.0, 8.0), (20.0, 12.0), (30.0, 22.0)]


def changed_at(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def red_bench(document: Document | None = None) -> Bench:
    bench = Bench(document)
    bench.context.colours.set_foreground(RED)
    return bench


# dabs


@pytest.mark.parametrize("diameter", [1.0, 2.0, 7.5, 40.0])
def test_hard_dab_covers_a_disc(diameter: float) -> None:
    for across in (0.0, 0.25, 0.5):
        values = stamped(Tip(diameter), across, 0.75)
        area = np.pi * diameter**2 / 4
        assert abs(values.sum() - area) < 0.06 * area + 0.3
        assert values.max() <= 1


def test_soft_dab_fades_from_centre_to_radius() -> None:
    values = stamped(Tip(40, hardness=0.5), 0, 0)
    row = values[values.shape[0] // 2]
    middle = len(row) // 2
    assert (row[middle : middle + 10] == 1).all()
    assert (np.diff(row[middle:]) <= 0).all()
    assert row[middle + 20] == 0
    assert abs(row[middle + 15] - 0.5) < 0.1


def test_flat_dab_is_turned() -> None:
    values = stamped(Tip(40, roundness=0.25, angle=90), 0, 0)
    rows, columns = np.nonzero(values > 0.5)
    assert np.ptp(rows) in (38, 39, 40)
    assert np.ptp(columns) in (8, 9, 10)


def test_dabs_are_made_once_a_place() -> None:
    dabs = Dabs()
    first, again, other = (dabs.at(Tip(20), x, 5) for x in (10.0, 90.0, 10.26))
    assert first.values is again.values
    assert again.x - first.x == 80
    assert other.values is not first.values
    centre = (first.values.sum(axis=0) * np.arange(first.values.shape[1])).sum() / first.values.sum()
    assert abs(centre + 0.5 + first.x - 10) < 0.01


# the path


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=8))
def test_dabs_are_evenly_spaced_and_reach_the_end(points: list[tuple[float, float]]) -> None:
    path = Path(Place(50, 50), 0.0, lambda pressure: 5.0)
    places = list(path.begin())
    for x, y in points:
        places += path.follow(Place(x, y))
    places += path.end()
    steps = [np.hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(places)]
    assert max(steps, default=0) <= 5 + 1e-6
    assert np.hypot(places[-1].x - points[-1][0], places[-1].y - points[-1][1]) <= 5


def test_smoothing_evens_out_a_shaky_hand() -> None:
    def wobble(smoothing: float) -> float:
        path = Path(Place(0, 0), smoothing, lambda pressure: 1.0)
        places = [p for x in range(1, 60) for p in path.follow(Place(x * 4, 6 * (-1) ** x))]
        return float(np.std([p.y for p in places[40:]]))

    assert wobble(0.8) < wobble(0) / 3


# paint


def reference(below: np.ndarray, amount: float, colour: np.ndarray, mode: str) -> np.ndarray:
    """One pixel in float64."""
    cb, ab = below[:3].astype(float), float(below[3])
    if mode == ERASE:
        return np.append(cb, ab * (1 - amount))
    if mode == BEHIND:
        out = ab + amount * (1 - ab)
        return np.append((ab * cb + amount * (1 - ab) * colour) / out if out else cb, out)
    mixed = {"normal": colour, "multiply": cb * colour, "screen": cb + colour - cb * colour}[mode]
    out = amount + ab * (1 - amount)
    if not out:
        return np.append(cb, 0)
    co = (amount * (1 - ab) * colour + amount * ab * mixed + (1 - amount) * ab * cb) / out
    return np.append(co, out)


@pytest.mark.parametrize("sixteen", [False, True])
@pytest.mark.parametrize("mode", [NORMAL, BEHIND, ERASE, "multiply", "screen"])
def test_paint_equals_the_formulas(mode: str, sixteen: bool) -> None:
    pixels: Any = noise(5, 16, 12)
    pixels[:3, :, 3] = 0
    pixels[3:6, :, 3] = 255
    pixels = pixels.astype(np.uint16) * 257 if sixteen else pixels
    top = 65535 if sixteen else 255
    share = np.random.default_rng(1).random((12, 16)).astype(np.float32)
    share[:, :4] = 0
    share[:, 4:6] = 1
    found = painted(pixels, share, Source.of_colour((200, 100, 0, 128)), mode)
    colour = np.array([200, 100, 0]) / 255
    expected = np.array(
        [
            [reference(p / top, s * 128 / 255, colour, mode) for p, s in zip(row, line)]
            for row, line in zip(pixels, share)
        ]
    )
    assert found.dtype == pixels.dtype
    assert (found[:, :4] == pixels[:, :4]).all()
    assert np.abs(found / top - expected).max() <= (1.0 if not sixteen else 3.0) / top


@pytest.mark.parametrize("mode", MODES)
def test_no_mode_touches_locked_transparency(mode: str) -> None:
    pixels = noise(6, 16, 12)
    share = np.ones((12, 16), np.float32)
    found = painted(pixels, share, Source.of_colour(RED), mode, keeps_alpha=True)
    assert (found[..., 3] == pixels[..., 3]).all()


# tools


def test_a_stroke_is_one_step_and_undone_to_the_byte() -> None:
    bench = red_bench()
    before = samples(bench.document).copy()
    drag(bench.tool(Brush, size=6), LINE)
    assert bench.steps == 1
    after = samples(bench.document)
    assert after[8, 8].tolist() == list(RED)
    assert not changed_at(before, after)[25:, :15].any()
    bench.document.undo_stack.undo()
    assert (samples(bench.document) == before).all()


def test_painting_is_the_same_every_time() -> None:
    results = []
    for _ in range(2):
        bench = red_bench(noise_document())
        drag(bench.tool(Brush, size=9, hardness=30, flow=40, smoothing=50), LINE)
        results.append(samples(bench.document))
    assert (results[0] == results[1]).all()


def test_opacity_is_a_cap_and_flow_builds_up() -> None:
    white = Document.from_layer(Layer.of_pixels(name="a", pixels=np.full((60, 60, 3), 255, np.uint8)))
    bench = Bench(white)
    drag(bench.tool(Brush, size=20, hardness=100, opacity=50), [(30, 30)] * 3 + [(40, 30), (30, 30)])
    assert samples(white)[30, 30, 0] in (127, 128)
    drag(bench.tool(Brush, size=20, hardness=100, flow=50, spacing=1000), [(10, 10)])
    assert samples(white)[10, 10, 0] in (127, 128)


def test_pressure_changes_what_is_asked() -> None:
    def column(**given: Any) -> np.ndarray:
        document = Document.from_layer(Layer.of_pixels(name="a", pixels=np.full((40, 40, 3), 255, np.uint8)))
        drag(Bench(document).tool(Brush, size=20, hardness=100, **given), [(20, 20)], pressure=0.5)
        return 255 - samples(document)[:, 20, 0].astype(int)

    assert np.count_nonzero(column(pressure_size=True)) in (10, 11)
    assert np.count_nonzero(column(pressure_size=False)) in (20, 21)
    assert column(pressure_size=False, pressure_opacity=True)[20] in (127, 128)
    assert column(pressure_size=False, pressure_flow=True)[20] in (127, 128)


@given(st.integers(0, 2**31), st.sampled_from(MODES), st.booleans(), st.booleans())
@settings(max_examples=25)
def test_nothing_outside_the_selection_changes(seed: int, mode: str, locked: bool, sixteen: bool) -> None:
    rng = np.random.default_rng(seed)
    document = noise_document(sixteen=sixteen)
    layer = document.active_layer.changed(alpha_locked=locked)
    chosen = Mask(raster=Raster.of((rng.random((20, 15)) < 0.5).astype(np.uint8) * 255), x=7, y=4)
    document.swap_state(replace(document.state.with_node(layer), selection=chosen))
    before = samples(document).copy()
    bench = red_bench(document)
    points = [(float(x), float(y)) for x, y in rng.uniform(-5, 45, (4, 2))]
    drag(bench.tool(Brush, size=float(rng.uniform(1, 30)), hardness=20, mode=mode), points)
    after = samples(document)
    assert after.dtype == before.dtype
    assert not changed_at(before, after)[chosen.read(Area(0, 0, 40, 30)) == 0].any()
    if locked:
        assert (after[..., 3] == before[..., 3]).all()


def test_sixteen_bits_are_kept_fine() -> None:
    ramp = np.zeros((20, 300, 4), np.uint16)
    ramp[..., :3] = np.arange(300)[None, :, None] * 7
    ramp[..., 3] = 65535
    document = Document.from_layer(Layer(name="a", raster=Raster.of(ramp.copy())))
    bench = Bench(document)
    drag(bench.tool(Brush, size=40, opacity=50, hardness=100, spacing=50), [(0, 10), (300, 10)])
    row = samples(document)[10, 10:290, 0].astype(int)
    assert len(np.unique(row)) == len(row)


def test_eraser_erases_and_on_locked_alpha_paints_the_background() -> None:
    bench = Bench()
    document = bench.document
    before = samples(document).copy()
    drag(bench.tool(Eraser, size=8, hardness=100), [(10, 10)])
    after = samples(document)
    assert after[10, 10, 3] == 0
    assert (after[..., :3] == before[..., :3]).all()
    document.undo_stack.undo()
    document.swap_state(document.state.with_node(document.active_layer.changed(alpha_locked=True)))
    drag(bench.tool(Eraser, size=8, hardness=100), [(10, 10)])
    assert samples(document)[10, 10].tolist() == [255, 255, 255, before[10, 10, 3]]


def test_a_pen_turned_round_erases() -> None:
    bench = red_bench()
    drag(bench.tool(Brush, size=8, hardness=100), [(10, 10)], erasing=True)
    assert samples(bench.document)[10, 10, 3] == 0


def test_masks_are_painted_in_grey() -> None:
    bench = Bench()
    document = bench.document
    mask = Mask(raster=Raster.filled(10, 10, 255, channels=1), x=5, y=5, outside=255)
    layer = document.active_layer.changed(mask=mask)
    document.swap_state(document.state.with_node(layer))
    document.set_edit_mask(True)
    pixels = samples(document)
    drag(bench.tool(Brush, size=8, hardness=100), [(25, 20)])
    drag(bench.tool(Eraser, size=4, hardness=100), [(25, 20)])
    node = document.active_layer
    values = node.mask.read(Area(0, 0, 40, 30))
    assert values[20, 25] == 255
    assert values[20, 22] == 0
    assert values[5, 5] == 255
    assert samples(document) is pixels
    assert bench.steps == 2


def test_shift_joins_strokes_and_keeps_straight() -> None:
    document = Document.from_layer(Layer.of_pixels(name="a", pixels=np.full((60, 60, 3), 255, np.uint8)))
    bench = Bench(document)
    brush = bench.tool(Brush, size=3, hardness=100)
    drag(brush, [(10, 10)])
    drag(brush, [(50, 50)], "shift")
    drawn = samples(document)[..., 0]
    assert drawn[30, 30] == 0
    drag(bench.tool(Brush, size=3, hardness=100), [(5, 55), (30, 50)], "shift")
    assert samples(document)[55, 29, 0] == 0
    assert samples(document)[50, 30, 0] == 255


def test_cancelled_stroke_leaves_nothing() -> None:
    bench = red_bench()
    state = bench.document.state
    brush = bench.tool(Brush, size=12)
    brush.press(event(10, 10))
    brush.move(event(20, 20))
    assert bench.document.shown_state() is not state
    assert brush.key("escape")
    assert bench.document.shown_state() is state
    assert bench.steps == 0
    brush.release(event(20, 20))
    assert bench.steps == 0


def test_another_tool_ends_the_stroke() -> None:
    bench = red_bench()
    brush = bench.tool(Brush, size=12)
    brush.press(event(10, 10))
    brush.commit()
    assert bench.steps == 1
    assert not brush.active


def test_small_layers_grow_where_they_are_painted() -> None:
    small = Layer.of_pixels(name="small", pixels=noise(2, 30, 20), x=700, y=300)
    document = Document(DocumentState(width=1000, height=800, layers=(small,), active=small.id))
    bench = red_bench(document)
    drag(bench.tool(Brush, size=10, hardness=100), [(715.0, 310.0)])
    assert document.active_layer.area == small.area
    drag(bench.tool(Brush, size=10, hardness=100), [(100.0, 100.0)])
    layer = document.active_layer
    assert layer.area.contains(small.area)
    assert layer.area.contains(Area(96, 96, 9, 9))
    assert (layer.x - 700) % TILE_PX == 0
    shown = document.composite()
    assert shown[100, 100].tolist() == list(RED)
    assert shown[310, 715].tolist() == list(RED)
    assert (shown[319, 729] == small.pixels[19, 29]).all()
    document.undo_stack.setIndex(0)
    assert document.active_layer is small


@given(
    st.tuples(*[st.integers(-300, 300)] * 2, *[st.integers(1, 600)] * 2),
    st.tuples(*[st.integers(-300, 300)] * 2, *[st.integers(1, 600)] * 2),
)
@settings(max_examples=20)
def test_regridding_keeps_pixels(own: tuple[int, ...], around: tuple[int, ...]) -> None:
    old, wanted = Area(*own), Area(*around)
    raster = Raster.of(np.random.default_rng(0).integers(1, 256, (old.height, old.width, 1), np.uint8))
    grown = grown_area(old, wanted)
    assert grown.contains(old)
    assert grown.contains(wanted)
    large = regridded(raster, old, grown, fill=0).array()
    inside = np.zeros(large.shape[:2], bool)
    inside[old.within(grown)] = True
    assert (large[old.within(grown)] == raster.array()).all()
    assert not large[~inside].any()
    back = regridded(regridded(raster, old, grown), grown, old)
    assert (back.array() == raster.array()).all()


@pytest.mark.parametrize(("fields", "reason"), [({"locked": True}, "locked"), ({"visible": False}, "hidden")])
def test_what_cannot_be_painted_says_why(fields: dict[str, Any], reason: str) -> None:
    bench = Bench()
    document = bench.document
    document.swap_state(document.state.with_node(document.active_layer.changed(**fields)))
    drag(bench.tool(Brush), LINE)
    assert reason in bench.reported[0].message
    assert bench.steps == 0


def test_groups_have_no_pixels_and_locked_groups_protect() -> None:
    inner = Layer.of_pixels(name="inner", pixels=noise(1))
    group = Group(name="group", children=(inner,), locked=True)
    document = Document(DocumentState(width=8, height=8, layers=(group,), active=group.id))
    bench = Bench(document)
    drag(bench.tool(Brush), [(4, 4)])
    document.set_active(inner.id)
    drag(bench.tool(Brush), [(4, 4)])
    assert len(bench.reported) == 2
    document.swap_state(document.state.with_node(group.changed(locked=False)))
    document.set_active(group.id)
    drag(bench.tool(Brush), [(4, 4)])
    assert "no pixels" in bench.reported[2].message


# clone and heal


@pytest.mark.parametrize("key", ["alt", "ctrl"])
def test_clone_copies_from_where_alt_or_ctrl_was_clicked(key: str) -> None:
    bench = Bench()
    before = samples(bench.document).copy()
    before_opaque = before.copy()
    before_opaque[..., 3] = 255
    bench = Bench(Document.from_layer(Layer.of_pixels(name="a", pixels=before_opaque)))
    tool = bench.tool(Clone, size=6, hardness=100)
    drag(tool, [(5, 5)])
    assert "Alt" in bench.reported[0].hint
    tool.press(event(8, 8, key))
    tool.release(event(8, 8, key))
    drag(tool, [(28, 18)])
    after = samples(bench.document)
    assert (after[17:20, 27:30] == before_opaque[7:10, 7:10]).all()
    drag(tool, [(30, 25)])
    assert (samples(bench.document)[24:27, 29:32] == before_opaque[14:17, 9:12]).all()
    assert bench.steps == 2


def test_clone_without_alignment_starts_anew() -> None:
    pixels = noise(9, 40, 30)
    pixels[..., 3] = 255
    bench = Bench(Document.from_layer(Layer.of_pixels(name="a", pixels=pixels)))
    tool = bench.tool(Clone, size=4, hardness=100, aligned=False)
    tool.press(event(8, 8, "alt"))
    tool.release(event(8, 8, "alt"))
    for x, y in ((25, 8), (33, 22)):
        drag(tool, [(x, y)])
        assert (samples(bench.document)[y, x] == pixels[8, 8]).all()


def test_membrane_continues_a_slope() -> None:
    y, x = np.mgrid[:60, :80].astype(np.float32)
    slope = np.stack([x / 80, y / 60, x / 160 + y / 120], axis=-1)
    known = np.ones((60, 80), bool)
    known[15:45, 20:60] = False
    holed = np.where(known[..., None], slope, 9).astype(np.float32)
    assert np.abs(membrane(holed, known) - slope).max() < 0.01
    assert not membrane(slope, np.zeros((60, 80), bool)).any()


def test_healing_removes_a_spot_and_keeps_the_rest(qtbot: object) -> None:
    rng = np.random.default_rng(4)
    clean = np.full((120, 160, 4), 255, np.float64)
    clean[..., :3] = 90 + 0.5 * np.arange(160)[None, :, None] + rng.normal(0, 3, (120, 160, 1))
    spotted = clean.copy()
    spotted[55:62, 76:84, :3] = 10
    document = Document.from_layer(Layer.of_pixels(name="a", pixels=spotted.round().astype(np.uint8)))
    before = samples(document).copy()
    bench = Bench(document)
    tool = bench.tool(Heal, size=18, hardness=100)
    drag(tool, [(79, 58), (81, 58)])
    assert tool.active
    bench.settle()
    after = samples(document)
    assert bench.steps == 1
    assert not tool.active
    assert np.abs(after[55:62, 76:84, :3].astype(float).mean() - clean[55:62, 76:84, :3].mean()) < 4
    assert not changed_at(before, after)[:45].any()
    document.undo_stack.undo()
    assert (samples(document) == before).all()


def test_cancelled_healing_changes_nothing(qtbot: object) -> None:
    bench = Bench()
    state = bench.document.state
    tool = bench.tool(Heal, size=5)
    drag(tool, [(10, 10)])
    assert tool.key("escape")
    bench.settle()
    assert bench.document.state is state
    assert bench.document.shown_state() is state


def test_strokes_respect_a_selection_made_of_everything() -> None:
    one, two = red_bench(noise_document()), red_bench(noise_document())
    state = two.document.state
    two.document.swap_state(replace(state, selection=selection.everything(state.area)))
    for bench in (one, two):
        drag(bench.tool(Brush, size=9, hardness=40), LINE)
    assert (samples(one.document) == samples(two.document)).all()
