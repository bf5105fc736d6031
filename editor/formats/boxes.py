"""What AVIF and HEIF say of their picture in boxes that decoders keep to themselves: colour space and bits.

Only the properties of the primary item count (ISO/IEC 14496-12, 8.11; 23008-12, 6.5): others belong to gain
maps, alpha and thumbnails.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LARGEST_META_BYTES = 2**24
_MOST_BOXES = 10_000


@dataclass(frozen=True, kw_only=True)
class Properties:
    """Code points of H.273 as (primaries, transfer), if there are any, and bits a channel (0: unknown)."""

    code_points: tuple[int, int] | None = None
    bits: int = 0


def properties_of(path: Path) -> Properties:
    """Of the primary item; nothing where the boxes make no sense.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        return _of_meta(_meta(path))
    except (struct.error, IndexError, ValueError):
        return Properties()


def _meta(path: Path) -> bytes:
    """The content of the file's own `meta` box."""
    with path.open("rb") as file:
        for _ in range(_MOST_BOXES):
            head = file.read(8)
            if len(head) < 8:
                break
            size, kind = struct.unpack(">I4s", head)
            length = size - 8
            if size == 1:
                length = struct.unpack(">Q", file.read(8))[0] - 16
            if kind == b"meta":
                return file.read(min(length, _LARGEST_META_BYTES) if size else _LARGEST_META_BYTES)[4:]
            if size == 0 or length < 0:
                break
            file.seek(length, 1)
    return b""


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, content) of one box after another.

    Raises:
        struct.error: one ends within its head.
    """
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
            head = 16
        size = size or len(data) - place
        if size < head:
            return
        yield kind, data[place + head : place + size]
        place += size


def _of_meta(meta: bytes) -> Properties:
    parts = dict(boxes(meta))
    pitm = parts.get(b"pitm", b"")
    (primary,) = struct.unpack_from(">I" if pitm[:1] > b"\0" else ">H", pitm, 4)
    inner = dict(boxes(parts.get(b"iprp", b"")))
    properties = list(boxes(inner.get(b"ipco", b"")))
    found, bits = None, 0
    for index in _associated(inner.get(b"ipma", b""), primary):
        kind, data = properties[index - 1]
        if kind == b"colr" and data[:4] == b"nclx":
            found = struct.unpack_from(">HH", data, 4)
        elif kind == b"pixi" and len(data) > 5:
            bits = max(data[5 : 5 + data[4]])
        elif kind == b"av1C" and not bits:
            bits = (12 if data[2] & 0x20 else 10) if data[2] & 0x40 else 8
        elif kind == b"hvcC" and not bits:
            bits = 8 + (data[17] & 7)
    return Properties(code_points=(found[0], found[1]) if found else None, bits=bits)


def _associated(ipma: bytes, item: int) -> list[int]:
    """The 1-based numbers of an item's properties."""
    version, flags = ipma[0], ipma[3]
    (count,) = struct.unpack_from(">I", ipma, 4)
    place = 8
    for _ in range(min(count, _MOST_BOXES)):
        (key,) = struct.unpack_from(">I" if version else ">H", ipma, place)
        place += 4 if version else 2
        number, wide = ipma[place], flags & 1
        place += 1
        step = 2 if wide else 1
        if key == item:
            items = struct.unpack_from(f">{number}{'H' if wide else 'B'}", ipma, place)
            return [value & (0x7FFF if wide else 0x7F) for value in items]
        place += step * number
    return []
