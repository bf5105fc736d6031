"""Content-addressed data in append-only files: one file a batch, on the disk before anybody names it.

A file is a header and records of key, length and data. A file whose end is missing (the process died in the
middle) is read as far as it goes; nothing refers to the rest.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from editor.system.atomic import sync_file, sync_folder, writing_error
from inference.errors import EditorError
from inference.reasons import reason_of

KEY_BYTES = 16
MOST_PACKS = 24  # more are joined
_MAGIC = b"ATTUNE-PACK-1\n"
_RECORD = struct.Struct(f"<{KEY_BYTES}sI")
_ENDING = ".pack"


class Place(NamedTuple):
    """Where a record's data are."""

    pack: int
    offset: int
    length: int


class Packs:
    """The packs of one folder. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        OSError: the folder cannot be read.
        """
        self.folder = folder
        self._places: dict[bytes, Place] = {}
        self._sizes: dict[int, int] = {}
        for path in sorted(folder.glob(f"*{_ENDING}")):
            if path.stem.isdigit():
                self._scan(int(path.stem), path)

    def __contains__(self, key: bytes) -> bool:
        return key in self._places

    @property
    def nbytes(self) -> int:
        """Bytes of all files."""
        return sum(self._sizes.values())

    def read(self, key: bytes) -> bytes:
        """The data of a key.

        Raises:
            EditorError: they are not there, or cannot be read.
        """
        place = self._places.get(key)
        if place is None:
            raise EditorError("A part of the recovery file is missing.")
        try:
            with self._path(place.pack).open("rb") as file:
                file.seek(place.offset)
                data = file.read(place.length)
        except OSError as error:
            raise EditorError("A recovery file cannot be read: {reason}.", reason=reason_of(error)) from error
        if len(data) != place.length:
            raise EditorError("A part of the recovery file is missing.")
        return data

    @contextmanager
    def batch(self, most_bytes: int) -> Generator[Batch]:
        """A new file of records; on the disk, and known here, when the block ends without an exception.

        Raises:
            WritingError: the disk is full, or the folder is gone or read-only.
            EditorError: more than `most_bytes` were put.
        """
        number = max(self._sizes, default=0) + 1
        batch = Batch(self._path(number), number, self._places, most_bytes)
        try:
            yield batch
            batch.finish()
        except OSError as error:
            batch.drop()
            raise writing_error(self._path(number), error) from error
        except BaseException:
            batch.drop()
            raise
        if batch.places:
            self._sizes[number] = batch.nbytes
            self._places |= batch.places

    def worth_moving(self, live: Collection[bytes]) -> list[bytes]:
        """Those of the `live` keys that should be put again so that their old files can go.

        They lie in files that are mostly waste, or in the smallest ones if there are many files.
        """
        held: dict[int, int] = dict.fromkeys(self._sizes, 0)
        for key in live:
            if key in self._places:
                held[self._places[key].pack] += self._places[key].length
        chosen = {pack for pack, size in self._sizes.items() if held[pack] < size / 2}
        if len(self._sizes) > MOST_PACKS:
            chosen |= set(sorted(self._sizes, key=self._sizes.__getitem__)[: MOST_PACKS // 2])
        return [key for key in live if key in self._places and self._places[key].pack in chosen]

    def sweep(self, live: Collection[bytes]) -> None:
        """Forget all keys but the `live` ones, and delete files that hold none of them."""
        self._places = {key: place for key, place in self._places.items() if key in live}
        used = {place.pack for place in self._places.values()}
        for number in set(self._sizes) - used:
            with suppress(OSError):  # tried again the next time
                self._path(number).unlink(missing_ok=True)
                del self._sizes[number]

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}{_ENDING}"

    def _scan(self, number: int, path: Path) -> None:
        size = path.stat().st_size
        self._sizes[number] = size
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                self._places |= dict(_records(file, number, size))


class Batch:
    """Records that go into one new file, which is made with the first of them."""

    def __init__(self, path: Path, number: int, known: Collection[bytes], most_bytes: int) -> None:
        self.places: dict[bytes, Place] = {}
        self.nbytes = 0
        self._path = path
        self._number = number
        self._known = known
        self._most_bytes = most_bytes
        self._file: BinaryIO | None = None

    def __contains__(self, key: bytes) -> bool:
        return key in self._known or key in self.places

    def put(self, key: bytes, data: bytes) -> None:
        """Add a record, even if an older file has it."""
        if self.nbytes + len(data) > self._most_bytes:
            raise EditorError(
                "The unsaved work takes more room than recovery may use.",
                "Save it as a project, or allow more in the settings.",
            )
        if self._file is None:
            self._file = self._path.open("xb")
            self.nbytes = self._file.write(_MAGIC)
        self._file.write(_RECORD.pack(key, len(data)))
        self.places[key] = Place(self._number, self.nbytes + _RECORD.size, len(data))
        self._file.write(data)
        self.nbytes += _RECORD.size + len(data)

    def finish(self) -> None:
        if self._file is None:
            return
        self._file.flush()
        sync_file(self._file)
        self._file.close()
        sync_folder(self._path.parent)

    def drop(self) -> None:
        if self._file is None:
            return
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _records(file: BinaryIO, number: int, size: int) -> Iterable[tuple[bytes, Place]]:
    offset = len(_MAGIC)
    while offset + _RECORD.size <= size:
        file.seek(offset)
        head = file.read(_RECORD.size)
        if len(head) < _RECORD.size:
            return
        key, length = _RECORD.unpack(head)
        offset += _RECORD.size
        if offset + length > size:
            return
        yield key, Place(number, offset, length)
        offset += length
