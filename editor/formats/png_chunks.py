"""The chunks of a PNG before its pixels are decoded: what is damaged beside them is left out, not refused."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from editor.layers.limits import LARGEST_PROFILE_BYTES, LARGEST_TEXT_BYTES

_SIGNATURE_BYTES = 8
_CRITICAL = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND"))
_PIXELS = frozenset((b"IDAT", b"fdAT", b"fcTL", b"acTL", b"tRNS"))  # what is shown depends on them
_COMPRESSED = {b"iCCP": 1, b"zTXt": 1, b"iTXt": 0}  # bytes between the keyword's zero and the rest
_KEPT = frozenset((b"IHDR", b"cICP", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"mDCV"))
_LARGEST_KEPT_BYTES = 64


@dataclass(frozen=True, kw_only=True)
class Chunks:
    """What was found.

    Args:
        small: the first content of chunks about colour and of the header, at most 64 bytes of each.
        broken: (name, first byte, byte behind it) of chunks that hold no pixels and cannot be used.
    """

    small: Mapping[bytes, bytes]
    broken: tuple[tuple[bytes, int, int], ...]


def scanned(path: Path) -> Chunks:
    """The chunks of a file, as far as they can be followed.

    Raises:
        OSError: the file cannot be read.
    """
    small: dict[bytes, bytes] = {}
    broken: list[tuple[bytes, int, int]] = []
    texts = 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = _SIGNATURE_BYTES
        while start + 12 <= size:
            file.seek(start)
            length, name = struct.unpack(">I4s", file.read(8))
            end = start + 12 + length
            if end > size or not name.isalpha():
                break
            if name not in _CRITICAL and name not in _PIXELS:
                room = LARGEST_TEXT_BYTES - texts
                unpacked = _usable_bytes(file, name, length, room)
                texts += unpacked or 0
                if unpacked is None:
                    broken.append((name, start, end))
            if name in _KEPT and (name, start, end) not in broken:
                file.seek(start + 8)
                small.setdefault(name, file.read(min(length, _LARGEST_KEPT_BYTES)))
            start = end
    return Chunks(small=small, broken=tuple(broken))


def mended(path: Path, chunks: Chunks) -> BytesIO:
    """The file without the chunks that are broken."""
    data = path.read_bytes()
    result, place = BytesIO(), 0
    for _, start, end in chunks.broken:
        result.write(data[place:start])
        place = end
    result.write(data[place:])
    result.seek(0)
    return result


def _usable_bytes(file: BinaryIO, name: bytes, length: int, room: int) -> int | None:
    """Bytes that a chunk holds, unpacked; None if its checksum is wrong or it is too large."""
    if length > room:
        return None
    data = file.read(length + 4)
    if zlib.crc32(data[:-4], zlib.crc32(name)) != int.from_bytes(data[-4:], "big"):
        return None
    if name not in _COMPRESSED:
        return length
    packed = _packed_part(name, data[:-4])
    if packed is None:
        return length
    unpacker = zlib.decompressobj()
    try:
        size = len(unpacker.decompress(packed, min(room, LARGEST_PROFILE_BYTES)))
    except zlib.error:
        return length  # Pillow leaves it out
    return None if unpacker.unconsumed_tail else size


def _packed_part(name: bytes, data: bytes) -> bytes | None:
    """The deflated part of a chunk; None if it has none."""
    _, zero, rest = data.partition(b"\0")
    if not zero or not rest:
        return None
    if name != b"iTXt":
        return rest[_COMPRESSED[name] :]
    parts = rest[2:].split(b"\0", 2)
    return parts[2] if rest[0] and len(parts) == 3 else None
