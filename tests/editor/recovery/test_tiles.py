import gc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from editor.pixels.raster import Raster
from editor.recovery.packs import Packs
from editor.recovery.tiles import Keeper, Keys, Source, decoded, encoded
from inference.errors import EditorError
from tests.editor.samples import noise

MANY = 2**30


@given(
    npst.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 4])),
    )
)
def test_samples_come_back(array: np.ndarray[Any, Any]) -> None:
    back = decoded(encoded(array))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)
    assert not back.flags.writeable


def test_maps_and_views_come_back() -> None:
    for array in (np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), noise(1, 20, 20)[3:9, 2:5]):
        assert np.array_equal(decoded(encoded(array)), array)


@given(st.binary(max_size=80))
def test_anything_else_is_refused_or_an_array(data: bytes) -> None:
    for content in (data, encoded(noise(2))[:10] + data):
        with suppress(EditorError):
            assert isinstance(decoded(content), np.ndarray)


def test_a_bomb_does_not_explode() -> None:
    bomb = encoded(np.zeros((4000, 4000), np.uint8))
    small = encoded(np.zeros((4, 4), np.uint8))[:10]
    assert decoded(small + bomb[10:]).shape == (4, 4)


def keep(packs: Packs, keys: Keys, raster: Raster) -> tuple[Any, set[bytes]]:
    with packs.batch(MANY) as batch:
        keeper = Keeper(keys, batch)
        return keeper.keep_raster(raster), keeper.live


def test_rasters_come_back_and_only_changed_tiles_are_written(tmp_path: Path) -> None:
    packs, keys = Packs(tmp_path), Keys()
    raster = Raster.of(noise(3, 600, 300))
    first, live = keep(packs, keys, raster)
    size = packs.nbytes
    second, _ = keep(packs, keys, raster.written(0, 0, noise(4, 10, 10)))
    assert len(live) == 6
    assert packs.nbytes - size < size / 2
    source = Source(Packs(tmp_path), Keys())
    assert np.array_equal(source.raster(first).array(), raster.array())
    assert np.array_equal(source.raster(second).array()[:10, :10], noise(4, 10, 10))
    assert source.damaged == 0


def test_equal_tiles_are_kept_once_and_unknown_ones_found_by_content(tmp_path: Path) -> None:
    packs = Packs(tmp_path)
    reference, live = keep(packs, Keys(), Raster.filled(2000, 1500, 255))
    assert len(live) == 4  # inner, right, lower and corner tile
    size = packs.nbytes
    assert keep(packs, Keys(), Raster.filled(2000, 1500, 255))[0] == reference
    assert packs.nbytes == size


def test_what_was_read_is_not_written_again(tmp_path: Path) -> None:
    packs, keys = Packs(tmp_path), Keys()
    reference, _ = keep(packs, Keys(), Raster.of(noise(5, 300, 300)))
    raster = Source(packs, keys).raster(reference)
    size = packs.nbytes
    assert keep(packs, keys, raster)[0] == reference
    assert packs.nbytes == size


def test_keys_of_dead_arrays_are_forgotten() -> None:
    keys = Keys()
    array = noise(6)
    assert keys.of(array) == keys.of(array) == Keys().of(array.copy())
    del array
    gc.collect()
    assert keys._known == {}


def test_a_damaged_tile_is_empty_and_counted(tmp_path: Path) -> None:
    raster = Raster.of(noise(7, 300, 20))
    reference, _ = keep(Packs(tmp_path), Keys(), raster)
    path = next(tmp_path.iterdir())
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    source = Source(Packs(tmp_path), Keys())
    read = source.raster(reference).array()
    assert source.damaged == 1
    assert not read[:, :256].any()
    assert np.array_equal(read[:, 256:], raster.array()[:, 256:])


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"width": 10**9, "height": 10**9},
        {"tiles": "§"},
        {"tiles": ""},
        {"channels": 3},
        {"type": "x"},
    ],
)
def test_wrong_references_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    packs = Packs(tmp_path)
    reference, _ = keep(packs, Keys(), Raster.of(noise(8)))
    with pytest.raises(EditorError):
        Source(packs, Keys()).raster(reference | change)
    with pytest.raises(EditorError):
        Source(packs, Keys()).map("no hex")
