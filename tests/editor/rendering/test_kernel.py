"""The fast composite against the plain one, on random trees."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from editor.adjustments.gaussian_blur import GaussianBlur
from editor.adjustments.invert import Invert
from editor.blending import backdrop as backdrop_module
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask, Node
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite_samples, flatten
from editor.rendering.kernel import Renderer
from editor.rendering.mipmaps import Mipmaps, halved, scaled_area
from inference.parameters import Parameters
from tests.editor.reference import composed

SIDE = 24
# hard mix jumps at Cb + Cs = 1 and the Lum modes at equal Lum, others are steep: rounding decides there
JUMPS = {BlendMode.HARD_MIX, BlendMode.DARKER_COLOUR, BlendMode.LIGHTER_COLOUR, BlendMode.DIVIDE,
         BlendMode.COLOUR_DODGE, BlendMode.COLOUR_BURN, BlendMode.VIVID_LIGHT}  # fmt: skip


def samples(seed: int, height: int, width: int, channels: int, kind: str, dtype: type) -> np.ndarray:
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    values = rng.integers(0, top, (height, width, channels), dtype, endpoint=True)
    if kind == "opaque":
        values[..., -1] = top
    elif kind == "blank":
        values[:] = 0
    elif kind == "cut":
        values[..., -1] = rng.integers(0, 2, (height, width)) * top
    return values


sizes = st.integers(1, SIDE + 6)
places = st.integers(-8, SIDE - 2)
kinds = st.sampled_from(["opaque", "blank", "cut", "any"])
opacities = st.sampled_from([1.0, 1.0, 0.6, 0.0])
depths = st.sampled_from([np.uint8, np.uint8, np.uint16])


@st.composite
def masks(draw: st.DrawFn) -> Mask | None:
    if draw(st.integers(0, 3)):
        return None
    values = samples(draw(st.integers(0, 99)), draw(sizes), draw(sizes), 1, "any", draw(depths))
    outside = draw(st.sampled_from([0, 255, 90]))
    enabled = bool(draw(st.integers(0, 4)))
    return Mask(raster=Raster.of(values), x=draw(places), y=draw(places), outside=outside, enabled=enabled)


@st.composite
def fields(draw: st.DrawFn) -> dict[str, object]:
    return {
        "name": "n",
        "visible": bool(draw(st.integers(0, 7))),
        "opacity": draw(opacities),
        "blend_mode": draw(st.sampled_from([BlendMode.NORMAL, BlendMode.NORMAL, *BlendMode])),
        "clipped": not draw(st.integers(0, 3)),
        "mask": draw(masks()),
    }


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    values = samples(draw(st.integers(0, 99)), draw(sizes), draw(sizes), 4, draw(kinds), draw(depths))
    return Layer(raster=Raster.of(values), x=draw(places), y=draw(places), **draw(fields()))


adjustments = st.builds(
    lambda given, kind: Adjustment(settings=kind, **given),
    fields(),
    st.sampled_from([Invert(), Invert(), GaussianBlur(radius=2.0)]),
)
nodes = st.recursive(
    st.one_of(layers(), layers(), adjustments),
    lambda inner: st.builds(
        lambda children, isolated, given: Group(children=tuple(children), isolated=isolated, **given),
        st.lists(inner, max_size=3),
        st.booleans(),
        fields(),
    ),
    max_leaves=6,
)


def visible_difference(fast: np.ndarray, slow: np.ndarray) -> float:
    """The largest difference of premultiplied colours and alpha."""
    one = np.concatenate([fast[..., :3] * fast[..., 3:], fast[..., 3:]], axis=-1)
    other = np.concatenate([slow[..., :3] * slow[..., 3:], slow[..., 3:]], axis=-1)
    return float(np.abs(one - other).max(initial=0))


def has_threshold(tree: list[Node]) -> bool:
    state = DocumentState(width=1, height=1, layers=tuple(tree))
    return any(node.blend_mode in JUMPS for node in state.nodes())


def cut() -> Layer:
    """A layer with all sorts of alpha, here and there fully opaque or none."""
    values = samples(1, SIDE, SIDE, 4, "any", np.uint8)
    values[:6, :, 3] = 255
    values[-6:, :, 3] = 0
    return Layer(name="cut", raster=Raster.of(values), x=2, y=-3)


def whole() -> Layer:
    return Layer(name="whole", raster=Raster.of(samples(2, SIDE, SIDE, 4, "opaque", np.uint8)))


def adjusting(mode: BlendMode, settings: Parameters, **fields: object) -> Adjustment:
    return Adjustment(name="n", settings=settings, blend_mode=mode, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [mode for mode in BlendMode if mode not in JUMPS], ids=lambda one: one.name)
@pytest.mark.parametrize("settings", [Invert(), GaussianBlur(radius=2.0)], ids=["invert", "blur"])
class TestAdjustmentsUnderEveryMode:
    """What random trees hit one time in a thousand."""

    @pytest.mark.parametrize("opacity", [1.0, 0.6])
    @pytest.mark.parametrize("below", [cut, whole])
    def test_over_layers(
        self, mode: BlendMode, settings: Parameters, below: Callable[[], Layer], opacity: float
    ) -> None:
        assert_equal_to_the_plain_one([below(), adjusting(mode, settings, opacity=opacity)])

    def test_with_a_mask(self, mode: BlendMode, settings: Parameters) -> None:
        mask = Mask(raster=Raster.of(samples(3, 9, 15, 1, "any", np.uint8)), x=2, y=5, outside=90)
        assert_equal_to_the_plain_one([cut(), adjusting(mode, settings, mask=mask)])

    def test_clipped(self, mode: BlendMode, settings: Parameters) -> None:
        clipped = adjusting(mode, settings, clipped=True, opacity=0.6)
        assert_equal_to_the_plain_one([whole(), cut(), clipped, cut().changed(clipped=True, opacity=0.6)])

    def test_clipped_in_a_group_that_lets_through(self, mode: BlendMode, settings: Parameters) -> None:
        inner = (adjusting(mode, settings), cut().changed(opacity=0.3))
        group = Group(name="n", children=inner, isolated=False, clipped=True, opacity=0.6)
        assert_equal_to_the_plain_one([whole(), cut(), group])


def assert_equal_to_the_plain_one(tree: list[Node]) -> None:
    area = Area(0, 0, SIDE + 4, SIDE)
    canvas = Renderer(Mipmaps()).render(tree, area, area)
    fast = np.moveaxis(np.concatenate([canvas.colour, canvas.alpha[None]]), 0, -1)
    assert visible_difference(fast, composed(tree, area)) < 1e-4


@settings(max_examples=150, deadline=None)
@given(tree=st.lists(nodes, min_size=1, max_size=5), x=places, y=places, width=sizes, height=sizes)
@example([cut(), adjusting(BlendMode.PLUS, Invert())], 0, 0, SIDE, SIDE)
@example([cut(), adjusting(BlendMode.DESTINATION_IN, Invert())], 0, 0, SIDE, SIDE)
@example([cut(), adjusting(BlendMode.DESTINATION_OUT, Invert())], 0, 0, SIDE, SIDE)
@example([cut(), adjusting(BlendMode.DESTINATION_ATOP, Invert())], 0, 0, SIDE, SIDE)
def test_equals_the_plain_composite(tree: list[Node], x: int, y: int, width: int, height: int) -> None:
    area = Area(x, y, width, height)
    canvas = Renderer(Mipmaps()).render(tree, area, area)
    fast = np.moveaxis(np.concatenate([canvas.colour, canvas.alpha[None]]), 0, -1)
    slow = composed(tree, area)
    if has_threshold(tree):
        # rounding may fall on either side of a jump: few pixels, not more
        off = np.abs(fast[..., 3] - slow[..., 3]) > 1e-4
        assert not off.any()
        return
    assert visible_difference(fast, slow) < 2e-4
    if canvas.opaque:
        assert (canvas.alpha == 1).all()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.lists(layers(), min_size=1, max_size=3), width=sizes, height=sizes)
def test_strips_fit_together(
    tree: list[Node], width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    area = Area(0, 0, width, height)
    whole = Renderer(Mipmaps()).render(tree, area)
    monkeypatch.setattr(backdrop_module, "_STRIP_PX", 50)
    strips = Renderer(Mipmaps()).render(tree, area)
    monkeypatch.undo()
    assert np.array_equal(strips.alpha, whole.alpha)
    seen = whole.alpha > 0
    assert np.array_equal(strips.colour[:, seen], whole.colour[:, seen])


def opaque(level: int, **fields: object) -> Layer:
    values = np.full((600, 700, 4), level, np.uint8)
    values[..., 3] = 255
    return Layer(name=str(level), raster=Raster.of(values), **fields)  # type: ignore[arg-type]


class TestFlatten:
    def test_large_documents_are_put_together_right(self) -> None:
        rng = np.random.default_rng(3)
        values = rng.integers(0, 255, (600, 700, 4), np.uint8, endpoint=True)
        top = Layer(name="top", raster=Raster.of(values), x=-30, y=11, blend_mode=BlendMode.SCREEN)
        state = DocumentState(width=700, height=600, layers=(opaque(90), top))
        whole = flatten(state).array()
        slow = composed(state.layers, state.area)
        assert whole.dtype == np.uint8
        assert np.abs(whole / 255 - slow).max() <= 0.5 / 255 + 1e-5

    def test_sixteen_bits_stay(self) -> None:
        rng = np.random.default_rng(4)
        values = rng.integers(0, 65535, (300, 300, 4), np.uint16, endpoint=True)
        values[..., 3] = 65535
        layer = Layer(name="deep", raster=Raster.of(values))
        state = DocumentState(width=300, height=300, layers=(layer, opaque(3, visible=False)))
        assert np.array_equal(flatten(state).array(), values)
        half = replace(state, layers=(layer, opaque(255, opacity=0.5)))
        expected = (values[..., :3].astype(float) + 65535) / 2
        assert np.abs(flatten(half).array()[..., :3] - expected).max() <= 1

    def test_blank_and_covered_layers_cost_nothing_but_count_for_nothing(self) -> None:
        blank = Layer(name="blank", raster=Raster.filled(700, 600), blend_mode=BlendMode.MULTIPLY)
        result = composite_samples([opaque(10), blank, opaque(200)], Area(0, 0, 700, 600))
        assert (result == [200, 200, 200, 255]).all()


class TestMipmaps:
    def test_halving_weighs_colours_by_alpha(self) -> None:
        tile = np.zeros((2, 2, 4), np.uint8)
        tile[0, 0] = (200, 100, 0, 255)
        assert halved(tile, full=False).tolist() == [[[200, 100, 0, 64]]]

    def test_odd_sides_repeat_their_edge(self) -> None:
        tile = np.arange(5, dtype=np.uint8)[None, :, None].repeat(4, axis=2)
        tile[..., 3] = 255
        assert halved(tile, full=True)[0, :, 0].tolist() == [1, 3, 4]

    @pytest.mark.parametrize("level", [1, 2, 3])
    def test_a_level_is_the_mean_of_its_pixels(self, level: int) -> None:
        values = np.random.default_rng(1).integers(0, 255, (640, 1024, 4), np.uint8)
        values[..., 3] = 255
        layer = Layer(name="a", raster=Raster.of(values))
        area = scaled_area(layer.area, level)
        canvas = Renderer(Mipmaps(), level).render([layer], area)
        size = 1 << level
        means = values.reshape(area.height, size, area.width, size, 4).mean(axis=(1, 3))
        assert np.abs(np.moveaxis(canvas.colour, 0, -1) * 255 - means[..., :3]).max() <= level * 0.5 + 0.01

    def test_only_painted_tiles_are_reduced_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mipmaps = Mipmaps()
        raster = Raster.of(np.random.default_rng(1).integers(0, 255, (1024, 1024, 4), np.uint8))
        first = [mipmaps.tile(raster, 1, *place) for place in ((0, 0), (1, 0), (0, 1), (1, 1))]
        painted = raster.written(600, 0, np.zeros((9, 9, 4), np.uint8))
        second = [mipmaps.tile(painted, 1, *place) for place in ((0, 0), (1, 0), (0, 1), (1, 1))]
        assert [one is other for one, other in zip(first, second, strict=True)] == [True, False, True, True]

    def test_memory_is_bounded(self) -> None:
        mipmaps = Mipmaps(cache_bytes=3 * 256 * 256 * 4)
        raster = Raster.of(np.random.default_rng(1).integers(0, 255, (2048, 2048, 4), np.uint8))
        for column in range(4):
            for row in range(4):
                mipmaps.tile(raster, 1, column, row)
        assert mipmaps._held <= 3 * 256 * 256 * 4

    def test_what_was_made_of_gone_tiles_goes_with_them(self) -> None:
        mipmaps, rng = Mipmaps(), np.random.default_rng(1)
        raster = Raster.of(rng.integers(0, 255, (600, 900, 4), np.uint8))
        for number in range(5):
            raster = raster.written(600, 0, np.full((9, 9, 4), number, np.uint8))
            for level in (1, 2):
                for column in range(2 if level == 1 else 1):
                    mipmaps.tile(raster, level, column, 0)
        held = {key for key in mipmaps._tiles if key[0] == 2}
        assert len(held) == 1
        assert mipmaps._held == sum(tile.nbytes for tile in mipmaps._tiles.values())
        del raster
        mipmaps.tile(Raster.filled(300, 300), 0, 0, 0)
        assert not mipmaps._tiles
        assert not mipmaps._made_of
        assert mipmaps._held == 0

    def test_facts_of_a_gone_tile_are_never_anothers(self) -> None:
        mipmaps = Mipmaps()
        seen = set()
        for value in range(50):
            tile = np.full((4, 4, 4), value, np.uint8)
            seen.add(mipmaps.facts(tile).token)
            del tile
        assert len(seen) == 50
        assert not mipmaps._facts
