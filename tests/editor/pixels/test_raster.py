"""Tiled rasters against plain arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.pixels.raster import TILE_PX, Area, Raster, sharing, to_eight_bits, to_sixteen_bits
from inference.errors import EditorError


def noise(seed: int, height: int, width: int, channels: int = 4, dtype: type = np.uint8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


class TestReading:
    def test_the_array_is_not_copied(self) -> None:
        pixels = noise(1, 300, 520)
        raster = Raster.of(pixels)
        assert np.shares_memory(raster.array(), pixels)
        assert not raster.array().flags.writeable

    def test_tiles_cover_the_picture(self) -> None:
        raster = Raster.of(noise(1, 300, 520))
        assert (raster.columns, raster.rows) == (3, 2)
        assert raster.tile_area(2, 1) == Area(512, 256, 8, 44)
        assert raster.tile(2, 1).shape == (44, 8, 4)

    @given(
        x=st.integers(0, 500), y=st.integers(0, 280), width=st.integers(1, 520), height=st.integers(1, 300)
    )
    def test_an_area_is_that_part(self, x: int, y: int, width: int, height: int) -> None:
        pixels = noise(2, 300, 520)
        area = Area(x, y, width, height).intersected(Area(0, 0, 520, 300))
        raster = Raster.of(pixels).written(0, 0, pixels[:1, :1])  # no longer one array
        assert np.array_equal(raster.read(area), pixels[y : area.bottom, x : area.right])

    def test_an_area_outside_is_our_own_mistake(self) -> None:
        with pytest.raises(ValueError, match="not inside"):
            Raster.of(noise(1, 8, 8)).read(Area(4, 4, 8, 8))

    @pytest.mark.parametrize("shape", [(0, 4, 4), (4, 4, 3), (4, 4, 4, 4), (4,)])
    def test_odd_shapes_are_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(EditorError, match="cannot hold pixels"):
            Raster.of(np.zeros(shape, np.uint8))

    def test_odd_samples_are_refused(self) -> None:
        with pytest.raises(EditorError, match="float32"):
            Raster.of(np.zeros((4, 4, 4), np.float32))  # type: ignore[arg-type]


class TestWriting:
    @given(
        x=st.integers(-300, 600),
        y=st.integers(-300, 400),
        width=st.integers(1, 600),
        height=st.integers(1, 400),
        dtype=st.sampled_from([np.uint8, np.uint16]),
    )
    def test_equals_assignment_to_an_array(
        self, x: int, y: int, width: int, height: int, dtype: type
    ) -> None:
        pixels, patch = noise(3, 300, 520, dtype=dtype), noise(4, height, width, dtype=dtype)
        raster = Raster.of(pixels)
        changed = raster.written(x, y, patch)
        expected = pixels.copy()
        common = Area(x, y, width, height).intersected(raster.area)
        if not common.is_empty:
            expected[common.within(raster.area)] = patch[common.within(Area(x, y, width, height))]
        assert np.array_equal(changed.array(), expected)
        assert np.array_equal(raster.array(), pixels)  # the old one is as it was

    def test_untouched_tiles_are_shared(self) -> None:
        raster = Raster.of(noise(5, 600, 600))
        changed = raster.written(300, 10, noise(6, 4, 4))
        assert raster.difference(changed) == Area(TILE_PX, 0, TILE_PX, TILE_PX)
        assert changed.tile(0, 0) is raster.tile(0, 0)
        assert raster.difference(raster).is_empty

    def test_a_difference_covers_all_that_changed(self) -> None:
        raster = Raster.of(noise(5, 600, 800))
        changed = raster.written(300, 10, noise(6, 4, 4)).written(700, 550, noise(7, 20, 20))
        assert raster.difference(changed) == Area(TILE_PX, 0, 2 * TILE_PX, 600)

    def test_a_copy_shares_what_is_equal_and_whole_rows_of_it(self) -> None:
        raster = Raster.of(noise(5, 600, 600))
        samples = raster.array().copy()
        samples[300:320, 10:30] ^= 1
        found = sharing(Raster.of(samples), raster)
        assert np.array_equal(found.array(), samples)
        assert raster.difference(found) == Area(0, TILE_PX, TILE_PX, TILE_PX)
        assert [found.tile_row(row) is raster.tile_row(row) for row in range(3)] == [True, False, True]

    def test_a_patch_of_another_kind_is_our_own_mistake(self) -> None:
        with pytest.raises(ValueError, match="does not fit"):
            Raster.of(noise(1, 8, 8)).written(0, 0, noise(1, 2, 2, channels=1))


class TestMemory:
    def test_one_value_everywhere_holds_a_single_tile(self) -> None:
        raster = Raster.filled(6000, 4000)
        held = dict(raster.buffers())
        assert sum(held.values()) <= 2 * TILE_PX * TILE_PX * 4
        assert all(raster.is_blank(column, row) for column, row in raster.tiles_in(raster.area))
        assert not Raster.filled(300, 300, 255).is_blank(0, 0)

    def test_a_written_tile_is_no_longer_blank(self) -> None:
        raster = Raster.filled(300, 300).written(280, 280, np.zeros((2, 2, 4), np.uint8))
        assert [raster.is_blank(*place) for place in ((0, 0), (1, 1))] == [True, False]

    def test_what_two_rasters_share_counts_once(self) -> None:
        raster = Raster.of(noise(7, 512, 512))
        changed = raster.written(0, 0, noise(8, 2, 2))
        held = dict(raster.buffers()) | dict(changed.buffers())
        assert sum(held.values()) == 512 * 512 * 4 + TILE_PX * TILE_PX * 4

    def test_an_assembled_array_is_kept_while_somebody_holds_it(self) -> None:
        raster = Raster.filled(300, 300, 7)
        whole = raster.array()
        assert raster.array() is whole


class TestDepth:
    def test_every_eight_bit_value_comes_back(self) -> None:
        values = np.arange(256, dtype=np.uint8)
        assert np.array_equal(to_eight_bits(to_sixteen_bits(values)), values)

    def test_sixteen_bits_are_rounded_to_the_nearest(self) -> None:
        values = np.arange(65536, dtype=np.uint16)
        assert np.array_equal(to_eight_bits(values), np.round(values / 257).astype(np.uint8))


areas = st.builds(Area, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9), st.integers(1, 9))


@given(one=areas, other=areas, third=areas)
def test_areas_are_sets_of_pixels(one: Area, other: Area, third: Area) -> None:
    def cells(area: Area) -> set[tuple[int, int]]:
        return {(x, y) for x in range(area.x, area.right) for y in range(area.y, area.bottom)}

    assert cells(one.intersected(other)) == cells(one) & cells(other)
    assert cells(one) | cells(other) <= cells(one.united(other))
    assert one.contains(other) == (cells(other) <= cells(one))
    assert one.intersected(other).intersected(third) == one.intersected(other.intersected(third)) or (
        one.intersected(other).intersected(third).is_empty
    )
