"""Arrays on disk: bounded, private, and never an error."""

import os
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from inference.disk_cache import DiskCache

VALUE = {"latents": np.arange(1000, dtype=np.float32).reshape(10, 100)}


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    assert cache.get(["inversion", 1]) is None
    cache.put(["inversion", 1], VALUE)
    again = DiskCache(tmp_path / "cache").get(["inversion", 1])
    assert again is not None
    np.testing.assert_array_equal(again["latents"], VALUE["latents"])
    assert cache.get(["inversion", 2]) is None


def test_what_another_version_kept_is_not_read(tmp_path: Path) -> None:
    DiskCache(tmp_path, version="1.0").put(1, VALUE)
    assert DiskCache(tmp_path, version="1.1").get(1) is None
    assert DiskCache(tmp_path, version="1.0").get(1) is not None


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", limit_bytes=13_000)  # three values
    for number in range(3):
        cache.put(number, VALUE)
        time.sleep(0.02)
    assert cache.get(0) is not None
    cache.put(3, VALUE)
    assert [cache.get(number) is not None for number in range(4)] == [True, False, True, True]
    assert cache.used_bytes <= 13_000


def test_nothing_larger_than_all_is_kept_and_zero_keeps_nothing(tmp_path: Path) -> None:
    DiskCache(tmp_path / "a", limit_bytes=100).put(1, VALUE)
    DiskCache(tmp_path / "b", limit_bytes=0).put(1, VALUE)
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.skipif(sys.platform == "win32", reason="rights of another kind")
def test_the_files_are_the_users_alone(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    cache.put(1, VALUE)
    (file,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


STRANGE = b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff" * 64,
        b"\x08\0\0\0\0\0\0\0{broken}",
        len(STRANGE).to_bytes(8, "little") + STRANGE + b"\0\0",
    ],
)
def test_damage_is_as_if_nothing_was_kept(tmp_path: Path, damage: bytes) -> None:
    cache = DiskCache(tmp_path / "cache")
    cache.put(1, VALUE)
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(damage)
    assert cache.get(1) is None
    cache.put(1, VALUE)
    assert cache.get(1) is not None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = DiskCache(tmp_path / "file" / "cache")
    cache.put(1, VALUE)
    assert cache.get(1) is None
    assert cache.used_bytes == 0


def test_it_can_be_emptied(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    cache.put(1, VALUE)
    cache.clear()
    assert cache.used_bytes == 0
    assert cache.get(1) is None


def test_what_a_killed_process_left_is_deleted_in_time(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    left, begun = tmp_path / "left.part", tmp_path / "begun.part"
    for path in (left, begun):
        path.write_bytes(b"half")
    os.utime(left, (1, 1))
    cache.put(1, VALUE)
    assert (left.exists(), begun.exists()) == (False, True)
    cache.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_lower_limit_drops_what_is_beyond(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    for number in range(3):
        cache.put(number, VALUE)
    DiskCache(tmp_path / "cache", limit_bytes=9_000).trim()
    assert 0 < cache.used_bytes <= 9_000
    DiskCache(tmp_path / "cache", limit_bytes=0).trim()
    assert cache.used_bytes == 0
