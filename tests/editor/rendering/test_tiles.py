"""Tiles for the screen: what they show, and what is computed again."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from editor.adjustments.invert import Invert
from editor.document.changes import dirty_area
from editor.layers.layer import Adjustment, BlendMode, Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import TILE_PX, Raster
from editor.rendering.tiles import TileCompositor, grid, levels
from tests.editor.reference import composed

WIDTH, HEIGHT = 700, 300


def noise(seed: int, *, opaque: bool = False, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Raster:
    values = np.random.default_rng(seed).integers(0, 255, (*size, 4), np.uint8, endpoint=True)
    if opaque:
        values[..., 3] = 255
    return Raster.of(values)


def stack() -> DocumentState:
    layers = (
        Layer(name="a", id="a", raster=noise(1, opaque=True)),
        Layer(name="b", id="b", raster=noise(2), blend_mode=BlendMode.MULTIPLY),
        Layer(name="c", id="c", raster=noise(3, size=(100, 200)), x=400, y=50, opacity=0.5),
        Layer(name="d", id="d", raster=noise(4), blend_mode=BlendMode.SCREEN, opacity=0.3),
    )
    return DocumentState(width=WIDTH, height=HEIGHT, layers=layers)


@pytest.fixture
def tiles(qapp: object) -> Iterator[TileCompositor]:
    made = TileCompositor()
    yield made
    made.close()


def everything(tiles: TileCompositor, qtbot: QtBot, level: int = 0) -> np.ndarray:
    """The whole level [h, w, 4], premultiplied RGBA."""
    columns, rows = grid(WIDTH, HEIGHT, level)
    wanted = [(column, row) for row in range(rows) for column in range(columns)]
    tiles.request(level, wanted)
    qtbot.waitUntil(tiles.is_idle)
    parts = [[array(tiles.tile(level, column, row)) for column in range(columns)] for row in range(rows)]
    return np.concatenate([np.concatenate(row, axis=1) for row in parts])


def array(image: QImage | None) -> np.ndarray:
    assert image is not None
    assert image.format() == QImage.Format.Format_ARGB32_Premultiplied
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width(), [2, 1, 0, 3]].copy()


def expected(state: DocumentState) -> np.ndarray:
    straight = composed(state.layers, state.area)
    return np.concatenate([straight[..., :3] * straight[..., 3:], straight[..., 3:]], axis=-1) * 255


def test_they_show_the_document(tiles: TileCompositor, qtbot: QtBot) -> None:
    state = stack()
    tiles.set_state(state)
    assert np.abs(everything(tiles, qtbot) - expected(state)).max() <= 1.01


def test_transparent_documents_are_premultiplied(tiles: TileCompositor, qtbot: QtBot) -> None:
    state = stack().without(["a", "d"])
    tiles.set_state(state)
    assert np.abs(everything(tiles, qtbot) - expected(state)).max() <= 1.01


def test_levels_have_their_sizes(tiles: TileCompositor, qtbot: QtBot) -> None:
    tiles.set_state(stack())
    assert everything(tiles, qtbot, 1).shape == (150, 350, 4)
    assert everything(tiles, qtbot, 2).shape == (75, 175, 4)
    assert (levels(WIDTH, HEIGHT), grid(WIDTH, HEIGHT, 0), levels(1, 1)) == (3, (3, 2), 1)


CHANGES = {
    "stroke": lambda s: s.with_node(
        s.layer("b").changed(raster=s.layer("b").raster.written(250, 40, np.full((30, 30, 4), 99, np.uint8)))
    ),
    "opacity": lambda s: s.with_node(s.node("c").changed(opacity=0.9)),
    "move": lambda s: s.with_node(s.node("c").moved(-90, 33)),
    "remove": lambda s: s.without(["b"]),
    "clip": lambda s: s.with_node(s.node("d").changed(clipped=True)),
    "adjust": lambda s: s.inserted([Adjustment(name="i", settings=Invert())], index=2),
    "order": lambda s: replace(s, layers=s.layers[::-1]),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("level", [0, 1])
def test_changes_end_as_if_shown_at_once(tiles: TileCompositor, qtbot: QtBot, name: str, level: int) -> None:
    before, after = stack(), CHANGES[name](stack())
    before = replace(before, layers=tuple(before.node(n.id) for n in before.layers))
    after = CHANGES[name](before)
    tiles.set_state(before)
    everything(tiles, qtbot, level)
    for state, old in ((after, before), (before, after), (after, before)):
        tiles.set_state(state, dirty_area(old.layers, state.layers, state.area))
        shown = everything(tiles, qtbot, level)
    fresh = TileCompositor()
    fresh.set_state(after)
    assert np.array_equal(shown, everything(fresh, qtbot, level))
    fresh.close()


def test_only_tiles_that_changed_are_told(tiles: TileCompositor, qtbot: QtBot) -> None:
    before = stack()
    tiles.set_state(before)
    everything(tiles, qtbot)
    qtbot.wait(20)  # what was told so far
    told: list[tuple[int, int]] = []
    tiles.tiles_ready.connect(lambda level, places: told.extend(places))
    after = CHANGES["stroke"](before)
    tiles.set_state(after, dirty_area(before.layers, after.layers, after.area))
    assert not tiles.is_current(0, 0, 0)
    assert tiles.is_current(0, 2, 0)
    assert tiles.tile(0, 0, 0) is not None  # the old one until the new one is there
    qtbot.waitUntil(tiles.is_idle)
    qtbot.wait(20)
    assert set(told) == {(0, 0), (1, 0)}


@pytest.mark.parametrize("level", [0, 1])
def test_slow_changes_are_drafted_and_then_refined(
    tiles: TileCompositor, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    before = stack()
    tiles.set_state(before)
    everything(tiles, qtbot, level)
    monkeypatch.setattr("editor.rendering.tiles.FRAME_S", 0.0)
    monkeypatch.setattr("editor.rendering.tiles.EXACT_PX", 0)
    monkeypatch.setattr("editor.rendering.tiles.REST_S", 0.4)
    after = CHANGES["opacity"](before)
    tiles.set_state(after, dirty_area(before.layers, after.layers, after.area))
    qtbot.waitUntil(tiles.is_shown)
    draft = array(tiles.tile(level, 1, 0))
    assert not tiles.is_idle()
    assert not tiles.is_current(level, 1, 0)
    shown = everything(tiles, qtbot, level)
    assert tiles.is_current(level, 1, 0)
    monkeypatch.setattr("editor.rendering.tiles.FRAME_S", 9.0)
    fresh = TileCompositor()
    fresh.set_state(after)
    assert np.array_equal(shown, everything(fresh, qtbot, level))
    fresh.close()
    exact = shown[: draft.shape[0], TILE_PX : TILE_PX + draft.shape[1]]
    assert not np.array_equal(draft, exact)
    # the draft is the same picture with less detail
    assert np.abs(draft.mean(axis=(0, 1)) - exact.mean(axis=(0, 1))).max() < 2


def test_drafts_of_flat_colours_are_exact_at_any_place(
    tiles: TileCompositor, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.rendering.tiles.FRAME_S", 0.0)
    monkeypatch.setattr("editor.rendering.tiles.REST_S", 9.0)
    values = np.full((HEIGHT, WIDTH, 4), (200, 100, 50, 255), np.uint8)
    values[:, 256:] = (10, 20, 30, 255)
    tiles.set_state(
        DocumentState(width=WIDTH, height=HEIGHT, layers=(Layer(name="a", raster=Raster.of(values)),))
    )
    tiles.request(0, [(column, row) for row in range(2) for column in range(3)])
    qtbot.waitUntil(tiles.is_shown)
    assert (array(tiles.tile(0, 0, 1))[:, :-8] == (200, 100, 50, 255)).all()
    last = array(tiles.tile(0, 2, 1))
    assert last.shape == (HEIGHT - TILE_PX, WIDTH - 2 * TILE_PX, 4)
    assert (last == (10, 20, 30, 255)).all()


def test_strokes_are_never_drafted(
    tiles: TileCompositor, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.rendering.tiles.FRAME_S", 0.0)
    monkeypatch.setattr("editor.rendering.tiles.REST_S", 9.0)
    before = stack()
    tiles.set_state(before)
    tiles.request(0, [(0, 0), (1, 0)])
    after = CHANGES["stroke"](before)
    tiles.set_state(after, dirty_area(before.layers, after.layers, after.area))
    qtbot.waitUntil(tiles.is_idle)


def test_all_is_shown_when_all_is_there(tiles: TileCompositor, qtbot: QtBot) -> None:
    state = stack()
    tiles.set_state(state)
    tiles.request(0, [(0, 0), (1, 0)])
    assert not tiles.is_shown()
    qtbot.waitUntil(tiles.is_shown)
    after = CHANGES["opacity"](state)
    tiles.set_state(after, state.area)
    assert not tiles.is_shown()
    qtbot.waitUntil(tiles.is_idle)
    assert tiles.is_shown()


def test_another_size_begins_anew(tiles: TileCompositor, qtbot: QtBot) -> None:
    state = stack()
    tiles.set_state(state)
    everything(tiles, qtbot)
    tiles.set_state(replace(state, width=300, height=200), None)
    tiles.request(0, [(0, 0), (1, 0)])
    qtbot.waitUntil(tiles.is_idle)
    image = tiles.tile(0, 1, 0)
    assert image is not None
    assert (image.width(), image.height()) == (300 - TILE_PX, 200)
    assert tiles.tile(0, 2, 0) is None


def test_colours_go_through_the_transform(tiles: TileCompositor, qtbot: QtBot) -> None:
    tiles.set_state(stack())
    plain = everything(tiles, qtbot)
    tiles.set_colour_transform(lambda pixels: pixels[..., [2, 1, 0, 3]])
    assert np.array_equal(everything(tiles, qtbot), plain[..., [2, 1, 0, 3]])


def test_memory_is_bounded(qtbot: QtBot) -> None:
    tiles = TileCompositor(cache_bytes=2 * TILE_PX * TILE_PX * 4)
    tiles.set_state(stack())
    for column in range(3):
        tiles.request(0, [(column, 0)])
        qtbot.waitUntil(tiles.is_idle)
    assert [tiles.tile(0, column, 0) is not None for column in range(3)] == [False, True, True]
    tiles.close()


def test_nothing_runs_after_closing(qtbot: QtBot) -> None:
    tiles = TileCompositor()
    tiles.set_state(stack())
    tiles.request(0, [(0, 0), (1, 0), (2, 0)])
    tiles.close()
    tiles.request(0, [(0, 1)])
    qtbot.wait(30)
    assert tiles.tile(0, 0, 1) is None


def test_a_defect_is_told_and_the_next_tile_comes(
    tiles: TileCompositor, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr("threading.excepthook", lambda given: told.append(given.exc_value))

    def broken(pixels: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError

    tiles.set_state(stack())
    tiles.set_colour_transform(broken)
    tiles.request(0, [(0, 0), (1, 0), (2, 0)])
    qtbot.waitUntil(lambda: len(told) >= 3)
    tiles.set_colour_transform(None)
    assert everything(tiles, qtbot).any()
