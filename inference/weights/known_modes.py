"""Which memory mode worked, kept on disk, so that the next start does not run out of memory first.

Kept by model, size of the picture and device; of no use, and so forgotten, once the device has more memory.
The file is a convenience: what cannot be read counts as not there, what cannot be written is lost.
"""

import contextlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from inference.errors import EditorError
from inference.files import atomic_write, read_at_most
from inference.messages import Message
from inference.models import ModelEntry
from inference.values import fields, items, parsed_json, text, typed, whole
from inference.weights.modes import MemoryMode

MODES_FILE = "memory_modes.json"
_VERSION = 1
_MOST = 500  # the oldest go first
_LARGEST_FILE = 2**20
_LEAST_AREA = 256 * 256
_MOST_BYTES = 2**60


@dataclass(frozen=True)
class Device:
    """What models run on: its name, and all of its memory."""

    name: str
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class _Known:
    model: str
    model_bytes: int
    bucket: int
    device: str
    memory_bytes: int
    mode: str


def size_bucket(width: int, height: int) -> int:
    """Sizes that take about the same: each bucket has twice the area; 0 for a size that is not known."""
    if width <= 0 or height <= 0:
        return 0
    return 1 + max(0, math.ceil(math.log2(width * height / _LEAST_AREA)))


class KnownModes:
    """The modes of one device.

    Args:
        file: made with its folder when there is something to keep.
        device: tells what models run on; asked when a mode is looked up or kept.
    """

    def __init__(self, file: Path, device: Callable[[], Device]) -> None:
        self._file = file
        self._device = device
        self._seen: tuple[object, tuple[_Known, ...]] = (None, ())  # what the file was, and held

    def mode(self, entry: ModelEntry, bucket: int) -> MemoryMode | None:
        """The mode in which this model worked with such a size or a smaller one, after memory ran out."""
        known = self._read()
        if not known:
            return None
        device = self._device()
        modes = [
            MemoryMode(one.mode)
            for one in known
            if _is_of(one, entry)
            and one.device == device.name
            and one.memory_bytes >= device.memory_bytes
            and one.bucket <= bucket
        ]
        return max(modes, key=list(MemoryMode).index, default=None)

    def keep(self, entry: ModelEntry, bucket: int, mode: MemoryMode) -> None:
        """Remember that it took this mode; it replaces what is known of the same, and of less memory."""
        device = self._device()
        others = [
            one
            for one in self._read()
            if not (_is_of(one, entry) and one.device == device.name)
            or (one.bucket != bucket and one.memory_bytes >= device.memory_bytes)
        ]
        found = _Known(
            model=str(entry.path),
            model_bytes=entry.size_bytes,
            bucket=bucket,
            device=device.name,
            memory_bytes=device.memory_bytes,
            mode=mode.value,
        )
        kept = [asdict(one) for one in (*others, found)][-_MOST:]
        content = json.dumps({"version": _VERSION, "modes": kept}, indent=1)
        with contextlib.suppress(EditorError, OSError), atomic_write(self._file, parents=True) as file:
            file.write(content.encode() + b"\n")

    def forget(self) -> None:
        """Begin anew."""
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _read(self) -> tuple[_Known, ...]:
        """What the file holds; read again only once it is another one, for every request asks."""
        try:
            found = self._file.stat()
        except (OSError, ValueError):
            return ()
        stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if self._seen[0] != stamp:
            self._seen = (stamp, self._read_anew())
        return self._seen[1]

    def _read_anew(self) -> tuple[_Known, ...]:
        try:
            content = fields(parsed_json(read_at_most(self._file, _LARGEST_FILE)), Message("The file"))
            if content.get("version") != _VERSION:
                return ()
            given = items(content.get("modes"), "modes")
        except (OSError, ValueError, RecursionError, EditorError):
            return ()
        found: list[_Known] = []
        for one in given[-_MOST:]:
            with contextlib.suppress(EditorError):
                found.append(_known(one))
        return tuple(found)


def _is_of(one: _Known, entry: ModelEntry) -> bool:
    return (one.model, one.model_bytes) == (str(entry.path), entry.size_bytes)


def _known(values: object) -> _Known:
    """One entry, each value checked.

    Raises:
        EditorError: it is none.
    """
    given = fields(values, Message("A mode"))
    return _Known(
        model=text(given.get("model"), "model", 4096),
        model_bytes=whole(given.get("model_bytes"), Message("model_bytes"), 0, _MOST_BYTES),
        bucket=whole(given.get("bucket"), Message("bucket"), 0, 64),
        device=text(given.get("device"), "device", 200),
        memory_bytes=whole(given.get("memory_bytes"), Message("memory_bytes"), 0, _MOST_BYTES),
        mode=typed(MemoryMode, given.get("mode"), "mode").value,
    )


def device_here(name: str) -> Device:
    """The device that `--device` means; loads torch.

    Raises:
        EditorError: it is not there, or unknown.
    """
    import torch

    from inference.weights.loading import choose_device

    device = choose_device(name)
    if device.type == "cuda":
        about = cast("Any", torch.cuda).get_device_properties(device)
        return Device(str(about.name), int(about.total_memory))
    return Device(device.type, _all_memory())


def _all_memory() -> int:
    """Of the machine; 0 where it does not tell."""
    import os

    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
