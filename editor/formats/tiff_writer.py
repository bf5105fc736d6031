"""A classic TIFF of RGB or RGBA in strips, deflated on all cores in bounded memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias, cast

from editor.formats.deflate import in_order, whole
from editor.formats.metadata.exif import LAYOUT
from editor.formats.metadata.exif_block import LONG, SHORT, UNIT_BYTES, Block
from editor.formats.picture import Picture
from editor.pixels.raster import Samples

Tags: TypeAlias = dict[int, tuple[int, bytes]]
"""(type, bytes in the file's order) by number."""

_STRIP_BYTES = 2**20
_LEVEL = 3
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _SAMPLES, _ROWS, _STRIP_SIZES = 273, 277, 278, 279
_PLANAR, _PREDICTOR, _EXTRA, _FORMAT = 284, 317, 338, 339
_RGB, _CHUNKY, _DIFFERENCES, _STRAIGHT_ALPHA, _UNSIGNED = 2, 1, 2, 2, 1
_NONE, _DEFLATE = 1, 8


def write_tiff(file: BinaryIO, picture: Picture, block: Block, tags: Tags, *, compress: bool) -> None:
    """The EXIF block first, strips behind it, then a directory of the block's entries, `tags` and the layout.

    A block is a TIFF already, and so nothing in it moves: what a camera's maker wrote stays true.
    """
    channels = 3 if picture.is_opaque else 4
    rows = max(1, _STRIP_BYTES // (picture.width * channels * picture.depth // 8))
    file.write(block.data)
    place = _even(file, len(block.data))
    offsets, sizes = list[int](), list[int]()
    for strip in in_order(lambda band: _strip(band, compress, block.order), _bands(picture, channels, rows)):
        offsets.append(place)
        sizes.append(len(strip))
        file.write(strip)
        place += len(strip)
    place = _even(file, place)
    layout = _layout(picture, channels, rows, compress)
    numbers: dict[int, tuple[int, tuple[int, ...]]] = {
        **{tag: (SHORT, values) for tag, values in layout.items()},
        **{tag: (LONG, (layout[tag][0],)) for tag in (_WIDTH, _LENGTH, _ROWS)},  # whatever the values are now
        _STRIP_OFFSETS: (LONG, tuple(offsets)),
        _STRIP_SIZES: (LONG, tuple(sizes)),
    }
    described: Tags = {
        tag: (kind, _packed(kind, values, block.order)) for tag, (kind, values) in numbers.items()
    }
    data, start = _directory(block, {**tags, **described}, place)
    file.write(data)
    file.seek(4)
    file.write(struct.pack(f"{block.order}I", start))


def _even(file: BinaryIO, place: int) -> int:
    file.write(bytes(place % 2))
    return place + place % 2


def _packed(kind: int, values: tuple[int, ...], order: str) -> bytes:
    return struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values)


def _bands(picture: Picture, channels: int, rows: int) -> Iterator[Samples]:
    for top in range(0, picture.height, rows):
        yield picture.band(top, min(rows, picture.height - top))[..., :channels]


def _strip(samples: Samples, compress: bool, order: str) -> bytes:
    stored: Any = samples.astype(f"{order}u{samples.dtype.itemsize}")
    if not compress:
        return cast("bytes", stored.tobytes())
    differences = stored.copy()
    differences[:, 1:] -= stored[:, :-1]  # modulo the type's range, as the format wants
    return whole(differences.tobytes(), _LEVEL)


def _layout(picture: Picture, channels: int, rows: int, compress: bool) -> dict[int, tuple[int, ...]]:
    described = {
        _WIDTH: (picture.width,),
        _LENGTH: (picture.height,),
        _BITS: (picture.depth,) * channels,
        _COMPRESSION: (_DEFLATE if compress else _NONE,),
        _PHOTOMETRIC: (_RGB,),
        _SAMPLES: (channels,),
        _ROWS: (rows,),
        _PLANAR: (_CHUNKY,),
        _FORMAT: (_UNSIGNED,) * channels,
    }
    if compress:
        described[_PREDICTOR] = (_DIFFERENCES,)
    if channels == 4:
        described[_EXTRA] = (_STRAIGHT_ALPHA,)
    return described


def _directory(block: Block, tags: Tags, place: int) -> tuple[bytes, int]:
    """What goes to `place` and behind it, and where in the file the directory begins.

    The block's own entries keep pointing at their values, because the file begins with the block.
    """
    order, kept, values = block.order, dict[int, bytes](), bytearray()
    for entry in block.entries(block.main):
        if entry.tag not in LAYOUT and entry.tag not in tags:
            kept[entry.tag] = bytes(block.data[entry.place : entry.place + 12])
    for tag, (kind, data) in tags.items():
        field = data.ljust(4, b"\0")
        if len(data) > 4:
            values += bytes(len(values) % 2)
            field = struct.pack(f"{order}I", place + len(values))
            values += data
        kept[tag] = struct.pack(f"{order}HHI", tag, kind, len(data) // UNIT_BYTES[kind]) + field
    values += bytes(len(values) % 2)
    lines = b"".join(kept[tag] for tag in sorted(kept))
    directory = struct.pack(f"{order}H", len(kept)) + lines + bytes(4)
    return bytes(values) + directory, place + len(values)
