"""Arrays on disk that later runs can use again: inversions, features, encoded pictures.

Bounded in bytes, the values not used for longest go first. The files are the user's alone, and whoever
writes one half leaves nothing: a value is there whole or not at all. A value that cannot be written or read
is one that has to be computed again, never an error.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from inference.errors import EditorError
from inference.files import read_at_most

Arrays = Mapping[str, NDArray[Any]]

DEFAULT_BYTES = 2 * 2**30
_SUFFIX, _PART = ".safetensors", ".part"
# KeyError: of kinds of numbers that NumPy lacks
_UNREADABLE = (OSError, ValueError, KeyError, EditorError, safetensors.SafetensorError)
_STRAY_AGE_S = 3600.0  # no value is written for so long: whoever began it was killed


def is_whole(array: NDArray[Any] | None, shape: Sequence[int]) -> bool:
    """Whether what was read back are finite float32 numbers of this shape: files may hold anything."""
    if array is None or array.dtype != np.float32 or array.shape != tuple(shape):
        return False
    return bool(np.isfinite(array).all())


class DiskCache:
    """Values by key in one folder. Several processes may use it at once.

    Args:
        folder: made when something is kept, for its owner only.
        limit_bytes: 0 keeps nothing.
        version: the program's; what another one kept is not read, as it may have found it otherwise.
    """

    def __init__(self, folder: Path, limit_bytes: int = DEFAULT_BYTES, version: str = "") -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._version = version

    def get(self, key: object) -> dict[str, NDArray[Any]] | None:
        """The arrays kept under `key`, anything that prints the same each time; None if there are none."""
        path = self._path(key)
        try:
            found = safetensors.numpy.load(read_at_most(path, self.limit_bytes))
            os.utime(path)  # used now
        except _UNREADABLE:
            return None
        return found

    def put(self, key: object, values: Arrays) -> None:
        """Keep arrays, dropping what was not used for longest until all fit."""
        data = safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in values.items()})
        if len(data) > self.limit_bytes:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(len(data))
            self._write(self._path(key), data)

    @property
    def used_bytes(self) -> int:
        """How much there is."""
        return sum(size for _, size, _ in self._entries())

    def trim(self) -> None:
        """Drop what is beyond the limit, which may be lower than it was; 0 empties it."""
        self._make_room(0)

    def clear(self) -> None:
        """Delete everything."""
        for path, _, _ in (*self._entries(), *self._entries(_PART)):
            with contextlib.suppress(OSError):
                path.unlink()

    def _path(self, key: object) -> Path:
        name = hashlib.sha256(json.dumps([self._version, key], default=str).encode()).hexdigest()
        return self.folder / f"{name}{_SUFFIX}"

    def _write(self, path: Path, data: bytes) -> None:
        number, part = tempfile.mkstemp(dir=self.folder, suffix=_PART)  # readable by its owner only
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
            Path(part).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(part).unlink()
            raise

    def _make_room(self, wanted_bytes: int) -> None:
        for path, _, changed in self._entries(_PART):
            if time.time() - changed > _STRAY_AGE_S:
                with contextlib.suppress(OSError):
                    path.unlink()
        entries = sorted(self._entries(), key=lambda entry: entry[2])
        used = sum(size for _, size, _ in entries)
        for path, size, _ in entries:
            if used + wanted_bytes <= self.limit_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                used -= size

    def _entries(self, suffix: str = _SUFFIX) -> list[tuple[Path, int, float]]:
        """(path, bytes, time of last use) of every value."""
        found: list[tuple[Path, int, float]] = []
        with contextlib.suppress(OSError):
            for item in os.scandir(self.folder):
                if item.name.endswith(suffix) and item.is_file(follow_symlinks=False):
                    with contextlib.suppress(OSError):
                        stat = item.stat(follow_symlinks=False)
                        found.append((Path(item.path), stat.st_size, stat.st_mtime))
        return found
