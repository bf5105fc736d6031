"""A PNG of 8 or 16 bits, written band by band: filtered and deflated on all cores, in bounded memory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np

from editor.formats.deflate import in_order, joined_checksum, piece
from editor.formats.png_rows import Rows, filtered, row_bytes
from editor.pixels.raster import TILE_PX, Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEVELS = {"fast": 1, "normal": 3, "small": 9}
_BAND_BYTES = 2**22
_ZLIB_HEADER = b"\x78\x01"

Chunk: TypeAlias = tuple[bytes, bytes]
ReadBand: TypeAlias = Callable[[int, int], Samples]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the header says; `channels` is 1 (grey), 3 or 4 of those that the bands have, `depth` 8 or 16."""

    width: int
    height: int
    channels: int
    depth: int

    @property
    def pixel_bytes(self) -> int:
        return self.channels * self.depth // 8


def write_png(
    file: BinaryIO, layout: Layout, read: ReadBand, chunks: Sequence[Chunk] = (), effort: str = "normal"
) -> None:
    """Write one picture; `read(top, rows)` gives its samples [rows, width, 3 or 4] from the top down.

    `chunks` are (type, data) between header and pixels.
    """
    kind = {1: 0, 3: 2, 4: 6}[layout.channels]
    header = struct.pack(">II5B", layout.width, layout.height, layout.depth, kind, 0, 0, 0)
    file.write(SIGNATURE)
    for name, data in ((b"IHDR", header), *chunks):
        _write_chunk(file, name, data)
    checksum, pending = 1, _ZLIB_HEADER
    for packed, adler, size in in_order(lambda band: _packed(band, layout, effort), _bands(layout, read)):
        checksum = joined_checksum(checksum, adler, size)
        _write_chunk(file, b"IDAT", pending + packed)
        pending = b""
    _write_chunk(file, b"IDAT", struct.pack(">I", checksum))
    _write_chunk(file, b"IEND", b"")


@dataclass(frozen=True)
class _Band:
    rows: Rows
    above: Rows
    last: bool


def _bands(layout: Layout, read: ReadBand) -> Iterator[_Band]:
    above = np.zeros(layout.width * layout.pixel_bytes, np.uint8)
    step = max(16, min(TILE_PX, 1 << (_BAND_BYTES // above.size).bit_length() - 1))
    for top in range(0, layout.height, step):
        count = min(step, layout.height - top)
        rows = row_bytes(read(top, count)[..., : layout.channels])
        yield _Band(rows, above, top + count == layout.height)
        above = rows[-1]


def _packed(band: _Band, layout: Layout, effort: str) -> tuple[bytes, int, int]:
    """The band's part of the stream, its Adler-32 and its size before compression."""
    data = filtered(band.rows, band.above, layout.pixel_bytes, fast=effort == "fast")
    return piece(data, LEVELS[effort], band.last), zlib.adler32(data), len(data)


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    checksum = zlib.crc32(data, zlib.crc32(name))
    file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum))
