"""A classic TIFF of RGB or RGBA in strips, deflated on all cores in bounded memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias, cast

from PIL import TiffImagePlugin

from editor.formats.deflate import in_order, whole
from editor.formats.picture import Picture
from editor.pixels.raster import Samples

Tags: TypeAlias = dict[int, Any]

_STRIP_BYTES = 2**20
_LEVEL = 3
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _SAMPLES, _ROWS, _STRIP_SIZES = 273, 277, 278, 279
_PLANAR, _PREDICTOR, _EXTRA, _FORMAT = 284, 317, 338, 339
_RGB, _CHUNKY, _DIFFERENCES, _STRAIGHT_ALPHA, _UNSIGNED = 2, 1, 2, 2, 1
_NONE, _DEFLATE = 1, 8
_BYTES, _UNDEFINED = 1, 7
_KINDS = {700: _BYTES, 34675: _UNDEFINED}


def write_tiff(file: BinaryIO, picture: Picture, tags: Tags, *, compress: bool) -> None:
    """Strips first, the directory behind them; `tags` are added to those that describe the pixels."""
    channels = 3 if picture.is_opaque else 4
    rows = max(1, _STRIP_BYTES // (picture.width * channels * picture.depth // 8))
    file.write(struct.pack("<2sHI", b"II", 42, 0))
    offsets, sizes, place = list[int](), list[int](), 8
    for strip in in_order(lambda band: _strip(band, compress), _bands(picture, channels, rows)):
        offsets.append(place)
        sizes.append(len(strip))
        file.write(strip)
        place += len(strip)
    file.write(bytes(place % 2))
    place += place % 2
    layout = _layout(picture, channels, rows, compress) | {_STRIP_SIZES: tuple(sizes)}
    layout[_STRIP_OFFSETS] = (0,) * len(offsets)  # Pillow would move them
    directory = bytearray(_directory(tags | layout).tobytes(place))
    _put_offsets(directory, place, offsets)
    file.write(directory)
    file.seek(4)
    file.write(struct.pack("<I", place))


def _bands(picture: Picture, channels: int, rows: int) -> Iterator[Samples]:
    for top in range(0, picture.height, rows):
        yield picture.band(top, min(rows, picture.height - top))[..., :channels]


def _strip(samples: Samples, compress: bool) -> bytes:
    stored: Any = samples.astype(f"<u{samples.dtype.itemsize}")
    if not compress:
        return cast("bytes", stored.tobytes())
    differences = stored.copy()
    differences[:, 1:] -= stored[:, :-1]  # modulo the type's range, as the format wants
    return whole(differences.tobytes(), _LEVEL)


def _layout(picture: Picture, channels: int, rows: int, compress: bool) -> Tags:
    described: Tags = {
        _WIDTH: picture.width,
        _LENGTH: picture.height,
        _BITS: (picture.depth,) * channels,
        _COMPRESSION: _DEFLATE if compress else _NONE,
        _PHOTOMETRIC: _RGB,
        _SAMPLES: channels,
        _ROWS: rows,
        _PLANAR: _CHUNKY,
        _FORMAT: (_UNSIGNED,) * channels,
    }
    if compress:
        described[_PREDICTOR] = _DIFFERENCES
    if channels == 4:
        described[_EXTRA] = (_STRAIGHT_ALPHA,)
    return described


def _directory(tags: Tags) -> TiffImagePlugin.ImageFileDirectory_v2:
    directory = TiffImagePlugin.ImageFileDirectory_v2(ifh=b"II*\0\0\0\0\0")
    for tag in (_STRIP_OFFSETS, _STRIP_SIZES, _WIDTH, _LENGTH, _ROWS):
        directory.tagtype[tag] = 4  # 32 bits, whatever the values are now
    for tag, value in sorted(tags.items()):
        if tag in _KINDS:
            directory.tagtype[tag] = _KINDS[tag]
        directory[tag] = value
    return directory


def _put_offsets(directory: bytearray, place: int, offsets: list[int]) -> None:
    """Write where the strips are into a packed directory that begins at `place` of the file."""
    (count,) = struct.unpack_from("<H", directory, 0)
    for entry in range(2, 2 + 12 * count, 12):
        if struct.unpack_from("<H", directory, entry)[0] == _STRIP_OFFSETS:
            inside = len(offsets) == 1
            start = entry + 8 if inside else struct.unpack_from("<I", directory, entry + 8)[0] - place
            struct.pack_into(f"<{len(offsets)}I", directory, start, *offsets)
