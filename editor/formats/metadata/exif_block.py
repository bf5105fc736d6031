"""An EXIF block as its bytes: read by its own tables, changed in place, never written anew.

A block is a small TIFF: a header, directories of 12-byte entries, and values that entries point at by their
distance from the header (TIFF 6.0; Exif 2.32, 4.5 and 4.6). What a camera's maker wrote into its own note
points into the block in ways that only the maker knows, so nothing that is kept may move: entries are taken
out of their directory without moving values, values are overwritten where they lie if they fit, and what does
not fit goes to the end.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

PREFIX = b"Exif\0\0"
EXIF, GPS, INTEROP, MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C
THUMBNAIL_PLACE, THUMBNAIL_BYTES = 0x0201, 0x0202
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
UNIT_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
MOST_ENTRIES = 2000
LARGEST_BYTES = 16 * 2**20
_HEADER_BYTES = 8
_ENTRY_BYTES = 12


@dataclass(frozen=True)
class Entry:
    """One entry: where it lies, and where its value does; `size` in bytes."""

    tag: int
    kind: int
    count: int
    place: int
    value: int
    size: int


@dataclass(frozen=True)
class Folder:
    """A directory at `place`; the four bytes at `pointer` say so."""

    pointer: int
    place: int


class Block:
    """The bytes of one block, without the prefix that JPEG puts before it."""

    def __init__(self, data: bytes) -> None:
        """Raises:
        ValueError: no TIFF header, no directory where it points, or of absurd size.
        """
        if len(data) > LARGEST_BYTES:
            raise ValueError("EXIF of absurd size")
        self.data = bytearray(data.removeprefix(PREFIX))
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(self.data[:4]))
        if order is None or len(self.data) < _HEADER_BYTES + 2:
            raise ValueError("no EXIF")
        self.order = order
        if self.main is None:
            raise ValueError("EXIF without a directory")

    @classmethod
    def empty(cls, order: str = ">") -> Block:
        """A block that says nothing."""
        head = b"II*\0" if order == "<" else b"MM\0*"
        return cls(head + struct.pack(f"{order}IHI", _HEADER_BYTES, 0, 0))

    # reading

    @property
    def main(self) -> Folder | None:
        """IFD0, of the picture itself."""
        return self._folder(4)

    @property
    def thumbnail_folder(self) -> Folder | None:
        """IFD1."""
        return self._folder(self._after(self.main)) if self.main is not None else None

    def inner(self, folder: Folder | None, tag: int) -> Folder | None:
        """The directory that an entry of another one points at."""
        entry = self.find(folder, tag)
        return self._folder(entry.place + 8) if entry is not None and entry.kind in (LONG, 13) else None

    @property
    def photo(self) -> Folder | None:
        """The Exif directory: how the picture was taken."""
        return self.inner(self.main, EXIF)

    def entries(self, folder: Folder | None) -> Iterator[Entry]:
        """Those whose values lie inside the block."""
        if folder is None:
            return
        for index in range(self._count(folder)):
            place = folder.place + 2 + _ENTRY_BYTES * index
            tag, kind, count = struct.unpack_from(f"{self.order}HHI", self.data, place)
            size = UNIT_BYTES.get(kind, 0) * count
            value = place + 8 if size <= 4 else self._number(place + 8)
            if size and value + size <= len(self.data):
                yield Entry(tag, kind, count, place, value, size)

    def find(self, folder: Folder | None, tag: int) -> Entry | None:
        return next((entry for entry in self.entries(folder) if entry.tag == tag), None)

    def bytes_of(self, entry: Entry) -> bytes:
        return bytes(self.data[entry.value : entry.value + entry.size])

    def value(self, folder: Folder | None, tag: int) -> bytes | None:
        """The bytes of a value, in the block's order."""
        entry = self.find(folder, tag)
        return self.bytes_of(entry) if entry is not None else None

    def whole(self, folder: Folder | None, tag: int) -> int | None:
        """A value that is one SHORT or LONG."""
        entry = self.find(folder, tag)
        if entry is None or entry.count != 1 or entry.kind not in (SHORT, LONG):
            return None
        code = "H" if entry.kind == SHORT else "I"
        return int(struct.unpack_from(f"{self.order}{code}", self.data, entry.value)[0])

    # changing

    def remove(self, folder: Folder | None, tags: Collection[int], *, wiped: bool = False) -> None:
        """Take entries out; `wiped` also blanks their values. What follows in the directory moves up."""
        if folder is None:
            return
        if wiped:
            self._blank([entry for entry in self.entries(folder) if entry.tag in tags])
        count = self._count(folder)
        start, end = folder.place + 2, folder.place + 2 + _ENTRY_BYTES * count
        kept = [
            bytes(self.data[place : place + _ENTRY_BYTES])
            for place in range(start, end, _ENTRY_BYTES)
            if struct.unpack_from(f"{self.order}H", self.data, place)[0] not in tags
        ]
        if len(kept) == count:
            return
        after = bytes(self.data[end : end + 4])
        body = struct.pack(f"{self.order}H", len(kept)) + b"".join(kept) + after
        self.data[folder.place : end + 4] = body.ljust(end + 4 - folder.place, b"\0")

    def remove_folder(self, folder: Folder | None, tag: int) -> None:
        """Take a directory out and blank everything that it holds."""
        found = self.inner(folder, tag)
        if found is not None:
            self.wipe(found)
        self.remove(folder, (tag,))

    def remove_thumbnail(self) -> None:
        """Take IFD1 out, with its picture."""
        folder, main = self.thumbnail_folder, self.main
        if main is None:
            return
        if folder is not None:
            start, size = self.thumbnail_range(folder)
            self.data[start : start + size] = bytes(size)
            self.wipe(folder)
            if start + size == len(self.data):
                del self.data[start:]
        struct.pack_into(f"{self.order}I", self.data, self._after(main), 0)

    def thumbnail_range(self, folder: Folder) -> tuple[int, int]:
        """Where the JPEG of IFD1 lies, and its bytes; (0, 0) if there is none inside the block."""
        start, size = self.whole(folder, THUMBNAIL_PLACE), self.whole(folder, THUMBNAIL_BYTES)
        if not start or not size or start + size > len(self.data):
            return 0, 0
        return start, size

    def put_thumbnail(self, jpeg: bytes) -> None:
        """Put another picture in place of IFD1's: into the same bytes, or at the end."""
        folder = self.thumbnail_folder
        if folder is None:
            return
        start, size = self.thumbnail_range(folder)
        place, length = self.find(folder, THUMBNAIL_PLACE), self.find(folder, THUMBNAIL_BYTES)
        if not size or place is None or length is None:
            self.remove_thumbnail()
            return
        self.data[start : start + size] = bytes(size)
        if start + size == len(self.data):
            del self.data[start:]
            self.data += jpeg
        elif len(jpeg) <= size:
            self.data[start : start + len(jpeg)] = jpeg
        else:
            start = self._append(jpeg)
        self._put_whole(place, start)
        self._put_whole(length, len(jpeg))

    def put(self, folder: Folder, tag: int, kind: int, value: bytes) -> None:
        """Set a value, in the block's byte order: where the old one lies, or at the end of the block.

        A directory that lacks the tag moves to the end as a whole; get it again afterwards.
        """
        entry = self.find(folder, tag)
        if entry is None:
            self.remove(folder, (tag,))  # one that points out of the block
            entry = self._added(folder, tag)
        head = struct.pack(f"{self.order}HHI", tag, kind, len(value) // UNIT_BYTES[kind])
        if len(value) <= 4:
            at, field = None, value.ljust(4, b"\0")
        else:
            at = entry.value if len(value) <= entry.size else self._append(value)
            field = struct.pack(f"{self.order}I", at)
        if entry.size > 4:
            self.data[entry.value : entry.value + entry.size] = bytes(entry.size)
        if at is not None:
            self.data[at : at + len(value)] = value
        self.data[entry.place : entry.place + _ENTRY_BYTES] = head + field

    def put_folder(self, folder: Folder, tag: int) -> Folder:
        """The directory that `tag` points at, made if it is not there."""
        found = self.inner(folder, tag)
        if found is not None:
            return found
        at = self._append(bytes(6))
        self.put(folder, tag, LONG, struct.pack(f"{self.order}I", at))
        made = self.inner(self._folder(folder.pointer), tag)
        assert made is not None, "it was put there"
        return made

    def wipe(self, folder: Folder) -> None:
        """Blank a directory and all its values."""
        self._blank(list(self.entries(folder)))
        end = folder.place + 2 + _ENTRY_BYTES * self._count(folder) + 4
        self.data[folder.place : end] = bytes(min(end, len(self.data)) - folder.place)

    def _blank(self, entries: list[Entry]) -> None:
        """Blank values, each byte once, however often entries point at it."""
        end = 0
        for start, size in sorted((entry.value, entry.size) for entry in entries):
            first = max(start, end)
            end = max(end, start + size)
            self.data[first:end] = bytes(end - first)

    def _added(self, folder: Folder, tag: int) -> Entry:
        """An empty entry for a tag, in a copy of the directory at the end."""
        count = self._count(folder)
        start, end = folder.place + 2, folder.place + 2 + _ENTRY_BYTES * count
        lines = [bytes(self.data[place : place + _ENTRY_BYTES]) for place in range(start, end, _ENTRY_BYTES)]
        lines.append(struct.pack(f"{self.order}HHII", tag, BYTE, 1, 0))
        lines.sort(key=lambda line: struct.unpack_from(f"{self.order}H", line)[0])
        after = bytes(self.data[end : end + 4])
        at = self._append(struct.pack(f"{self.order}H", count + 1) + b"".join(lines) + after)
        struct.pack_into(f"{self.order}I", self.data, folder.pointer, at)
        found = self.find(Folder(folder.pointer, at), tag)
        assert found is not None, "it was put there"
        return found

    def _append(self, data: bytes) -> int:
        if len(self.data) % 2:
            self.data += b"\0"
        place = len(self.data)
        self.data += data
        return place

    def _put_whole(self, entry: Entry, value: int) -> None:
        self.data[entry.place : entry.place + _ENTRY_BYTES] = struct.pack(
            f"{self.order}HHII", entry.tag, LONG, 1, value
        )

    def _folder(self, pointer: int) -> Folder | None:
        if pointer + 4 > len(self.data):
            return None
        place = self._number(pointer)
        found = Folder(pointer, place)
        return found if place >= _HEADER_BYTES and place + 2 <= len(self.data) and self._fits(found) else None

    def _fits(self, folder: Folder) -> bool:
        (count,) = struct.unpack_from(f"{self.order}H", self.data, folder.place)
        return count <= MOST_ENTRIES and folder.place + 2 + _ENTRY_BYTES * count <= len(self.data)

    def _after(self, folder: Folder) -> int:
        """Where the place of the next directory stands; some writers leave it away at the end."""
        place = folder.place + 2 + _ENTRY_BYTES * self._count(folder)
        if place + 4 > len(self.data):
            self.data += bytes(place + 4 - len(self.data))
        return place

    def _count(self, folder: Folder) -> int:
        return int(struct.unpack_from(f"{self.order}H", self.data, folder.place)[0])

    def _number(self, place: int) -> int:
        return int(struct.unpack_from(f"{self.order}I", self.data, place)[0])
