"""What is remembered of memory: by model, size and device, checked when read, forgotten with more memory."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.files import read_at_most
from inference.models import ModelEntry
from inference.operations import Family
from inference.weights import known_modes
from inference.weights.known_modes import Device, KnownModes, device_here, size_bucket
from inference.weights.modes import MemoryMode

CARD = Device("card", 8 * 2**30)
ENTRY = ModelEntry(name="a", family=Family.SDXL, path=Path("/models/a"), size_bytes=7)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "memory_modes.json"


def modes(file: Path, device: Device = CARD) -> KnownModes:
    return KnownModes(file, lambda: device)


def test_the_next_start_knows_it_for_this_model_size_and_device(file: Path) -> None:
    assert modes(file).mode(ENTRY, 3) is None
    assert not file.exists()
    modes(file).keep(ENTRY, 3, MemoryMode.GROUP)
    assert modes(file).mode(ENTRY, 3) is MemoryMode.GROUP
    assert modes(file).mode(ENTRY, 4) is MemoryMode.GROUP  # what is larger takes no less
    assert modes(file).mode(ENTRY, 2) is None
    for other in (replace(ENTRY, path=Path("/models/b")), replace(ENTRY, size_bytes=8)):
        assert modes(file).mode(other, 3) is None
    assert modes(file, replace(CARD, name="other")).mode(ENTRY, 3) is None
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_it_is_forgotten_when_the_device_has_more_memory(file: Path) -> None:
    modes(file).keep(ENTRY, 3, MemoryMode.SEQUENTIAL)
    larger = replace(CARD, memory_bytes=2 * CARD.memory_bytes)
    assert modes(file, larger).mode(ENTRY, 3) is None
    assert modes(file, replace(CARD, memory_bytes=CARD.memory_bytes // 2)).mode(ENTRY, 3) is not None
    modes(file, larger).keep(ENTRY, 5, MemoryMode.MODEL)
    assert modes(file, larger).mode(ENTRY, 5) is MemoryMode.MODEL
    assert "sequential" not in file.read_text()
    modes(file).forget()
    assert modes(file).mode(ENTRY, 5) is None


def broken(values: dict[str, Any]) -> Iterator[bytes]:
    good = values["modes"][0]
    yield b""
    yield b"\xff\xfe"
    yield b"[" * 100_000
    for content in (1, [], {}, {"version": 2, "modes": [good]}, {"version": 1, "modes": 7}):
        yield json.dumps(content).encode()
    wrong: list[tuple[str, Any]] = [("mode", "none"), ("mode", 3), ("bucket", -1), ("bucket", 1e400)]
    for name, value in (*wrong, ("memory_bytes", "8"), ("model", None), ("device", "x" * 1000)):
        yield json.dumps({"version": 1, "modes": [{**good, name: value}]}).encode()


def test_what_cannot_be_read_is_not_there_and_is_written_anew(file: Path) -> None:
    modes(file).keep(ENTRY, 1, MemoryMode.MODEL)
    for content in broken(json.loads(file.read_bytes())):
        file.write_bytes(content)
        assert modes(file).mode(ENTRY, 1) is None, content[:60]
        modes(file).keep(ENTRY, 1, MemoryMode.GROUP)
        assert modes(file).mode(ENTRY, 1) is MemoryMode.GROUP


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_in_its_place_is_not_waited_for(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    assert modes(file).mode(ENTRY, 3) is None
    modes(file).keep(ENTRY, 3, MemoryMode.GROUP)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"a file")
    modes(tmp_path / "new" / "memory_modes.json").keep(ENTRY, 1, MemoryMode.MODEL)


def test_sizes_are_told_apart_by_doublings() -> None:
    assert size_bucket(0, 0) == 0
    assert size_bucket(512, 512) == size_bucket(500, 520) < size_bucket(1024, 1024)
    assert size_bucket(1024, 1024) < size_bucket(2048, 2048)
    assert device_here("cpu").name == "cpu"


def test_the_file_is_read_once_until_somebody_changes_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes(file).keep(ENTRY, 3, MemoryMode.GROUP)
    read: list[Path] = []

    def counted(path: Path, most_bytes: int) -> bytes:
        read.append(path)
        return read_at_most(path, most_bytes)

    monkeypatch.setattr(known_modes, "read_at_most", counted)
    kept = modes(file)
    assert [kept.mode(ENTRY, 3) for _ in range(5)] == [MemoryMode.GROUP] * 5
    assert len(read) == 1
    modes(file).keep(ENTRY, 3, MemoryMode.SEQUENTIAL)  # another program of this machine
    assert kept.mode(ENTRY, 3) is MemoryMode.SEQUENTIAL
    kept.keep(ENTRY, 2, MemoryMode.MODEL)
    assert kept.mode(ENTRY, 2) is MemoryMode.MODEL
    kept.forget()
    assert kept.mode(ENTRY, 3) is None
