"""EXIF out of a TIFF file, where it lies among strips, and into a block that has become too large.

Directories are read as they are, types and bytes kept, and laid out anew in a block of their own; only the
maker's note stays at its old distance from the header if it can, because what it says may depend on it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from editor.formats.metadata.exif_block import EXIF, GPS, INTEROP, LONG, MAKER_NOTE, MOST_ENTRIES, UNIT_BYTES

Read: TypeAlias = Callable[[int, int], bytes]
"""(place, bytes) -> as many of them as there are."""

LARGEST_BYTES = 12 * 2**20  # of all values together
FURTHEST_NOTE = 60_000  # a note that lies further from the header is moved
_FOLDERS = (EXIF, GPS, INTEROP)
_LONG8, _SIGNED8, _IFD8 = 16, 17, 18


@dataclass(frozen=True)
class Value:
    """Bytes in the file's order, and where they were."""

    kind: int
    data: bytes
    place: int = 0


Tree: TypeAlias = "dict[int, Value | Tree]"


@dataclass(frozen=True)
class _Layout:
    """How directories of classic and of big TIFF are written."""

    order: str
    big: bool

    @property
    def count(self) -> str:
        return f"{self.order}{'Q' if self.big else 'H'}"

    @property
    def entry(self) -> str:
        return f"{self.order}HH{'Q' if self.big else 'I'}"

    @property
    def number(self) -> str:
        return f"{self.order}{'Q' if self.big else 'I'}"


def read_tree(read: Read, without: Collection[int] = ()) -> tuple[str, Tree]:
    """Byte order and directories of a TIFF; `without` names entries of the first that are left out.

    Raises:
        ValueError, struct.error: no TIFF, or one that is cut off in its first directory.
    """
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None:
        raise ValueError("no TIFF")
    big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
    layout = _Layout(order, big)
    (place,) = struct.unpack_from(layout.number, head, 8 if big else 4)
    return order, _folder(_Bounded(read), layout, int(place), frozenset(without), 0)


class _Bounded:
    """Reads, and gives nothing more when all values together are too large."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._left = LARGEST_BYTES

    def __call__(self, place: int, size: int) -> bytes:
        if size > self._left:
            return b""
        self._left -= size
        return self._read(place, size)


def _folder(read: Read, layout: _Layout, place: int, without: frozenset[int], depth: int) -> Tree:
    width, inline = struct.calcsize(layout.number), struct.calcsize(layout.number)
    step = 4 + 2 * width
    head = struct.calcsize(layout.count)
    (count,) = struct.unpack(layout.count, read(place, head))
    if count > MOST_ENTRIES:
        raise ValueError("a directory of absurd size")
    tree: Tree = {}
    for index in range(count):
        at = place + head + step * index
        tag, kind, number = struct.unpack_from(layout.entry, read(at, step).ljust(step, b"\0"))
        size = (8 if kind in (_LONG8, _SIGNED8, _IFD8) else UNIT_BYTES.get(kind, 0)) * number
        if tag in without or not 0 < size <= LARGEST_BYTES:
            continue
        start = at + 4 + width
        if size > inline:
            (start,) = struct.unpack(layout.number, read(start, width).ljust(width, b"\0"))
        data = read(start, size)
        if tag in _FOLDERS and depth < 2:
            try:
                tree[tag] = _folder(read, layout, _first(data, layout.order), frozenset(), depth + 1)
            except (ValueError, struct.error):
                continue
        elif len(data) == size:
            value = _classic(Value(kind, data, start if size > inline else 0), layout.order)
            if value is not None:
                tree[tag] = value
    return tree


def _first(data: bytes, order: str) -> int:
    return int(struct.unpack_from(f"{order}{'Q' if len(data) == 8 else 'I'}", data)[0])


def _classic(value: Value, order: str) -> Value | None:
    """Numbers of 64 bits, which only big TIFFs have, as those of 32; None where they are too large."""
    if value.kind not in (_LONG8, _SIGNED8, _IFD8):
        return value
    count = len(value.data) // 8
    numbers = struct.unpack(f"{order}{count}Q", value.data)
    if max(numbers) >= 2**32:
        return None
    return Value(LONG, struct.pack(f"{order}{count}I", *numbers))


def written(order: str, tree: Tree) -> bytes:
    """A block of those directories; the maker's note lies where it was, if that is near enough."""
    writer = _Writer(order, _note(tree))
    head = b"II*\0" if order == "<" else b"MM\0*"
    place = writer.folder(tree)
    return head + struct.pack(f"{order}I", place) + bytes(writer.data[8:])


def _note(tree: Tree) -> Value | None:
    photo = tree.get(EXIF)
    note = photo.get(MAKER_NOTE) if isinstance(photo, Mapping) else None
    if not isinstance(note, Value) or len(note.data) <= 4:
        return None
    return note if 8 <= note.place <= FURTHEST_NOTE else None


class _Writer:
    """Places directories and values one after the other, around the bytes that are taken."""

    def __init__(self, order: str, pinned: Value | None) -> None:
        self.data = bytearray(8)
        self._order = order
        self._end = 8
        self._pinned = pinned
        if pinned is not None:
            self._write(pinned.place, pinned.data)

    def folder(self, tree: Tree) -> int:
        """Write a directory and all that it holds; where it lies."""
        place = self._room(2 + 12 * len(tree) + 4)
        lines = [self._entry(tag, tree[tag]) for tag in sorted(tree)]
        self._write(place, struct.pack(f"{self._order}H", len(lines)) + b"".join(lines) + bytes(4))
        return place

    def _entry(self, tag: int, value: Value | Tree) -> bytes:
        if isinstance(value, dict):
            return struct.pack(f"{self._order}HHII", tag, LONG, 1, self.folder(value))
        count = len(value.data) // UNIT_BYTES[value.kind]
        head = struct.pack(f"{self._order}HHI", tag, value.kind, count)
        if len(value.data) <= 4:
            return head + value.data.ljust(4, b"\0")
        if value is self._pinned:
            return head + struct.pack(f"{self._order}I", value.place)
        place = self._room(len(value.data))
        self._write(place, value.data)
        return head + struct.pack(f"{self._order}I", place)

    def _room(self, size: int) -> int:
        place = self._end + self._end % 2
        if self._pinned is not None:
            first, last = self._pinned.place, self._pinned.place + len(self._pinned.data)
            if place < last and place + size > first:
                place = last + last % 2
        self._end = place + size
        return place

    def _write(self, place: int, data: bytes) -> None:
        if len(self.data) < place + len(data):
            self.data += bytes(place + len(data) - len(self.data))
        self.data[place : place + len(data)] = data
