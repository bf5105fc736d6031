"""Photoshop's image resources (JPEG's APP13, TIFF's tag 34377) and the IPTC-IIM captions among them.

A block is a row of resources: a signature of four bytes ("8BIM"), a number, a name, and data, both padded to
even lengths. Resource 0x0404 holds IPTC-IIM: datasets of a marker, a record, a number, and data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

MARKER = b"Photoshop 3.0\0"
IPTC, DIGEST, RESOLUTION, OLD_THUMBNAIL, THUMBNAIL = 0x0404, 0x0425, 0x03ED, 0x0409, 0x040C
HELD_APART = frozenset({0x040F, 0x0422, 0x0423, 0x0424})  # profile, EXIF, XMP: they have places of their own
DESCRIBING = frozenset({IPTC, DIGEST, RESOLUTION, THUMBNAIL, 0x040A, 0x040B, *range(2000, 3000)})
"""What of a document's resources holds for a flat picture too: copyright and its address, paths."""

_SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
_THUMBNAIL_HEAD = struct.Struct(">6I2H")
_PIXELS_PER_INCH = 1
_TAG = 0x1C

Dataset = tuple[int, int]
"""(record, number), such as (2, 120) of a caption."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource; `name` is a Pascal string's text."""

    number: int
    data: bytes
    name: bytes = b""
    signature: bytes = b"8BIM"


def resources(block: bytes) -> list[Resource]:
    """The resources of a block, as far as it is sound."""
    found: list[Resource] = []
    place = 0
    while place + 12 <= len(block) and block[place : place + 4] in _SIGNATURES:
        signature, (number,) = block[place : place + 4], struct.unpack_from(">H", block, place + 4)
        length = block[place + 6]
        name = block[place + 7 : place + 7 + length]
        place += 7 + length
        place += (length + 1) % 2
        if place + 4 > len(block):
            break
        (size,) = struct.unpack_from(">I", block, place)
        data = block[place + 4 : place + 4 + size]
        if len(data) != size:
            break
        found.append(Resource(number=number, data=data, name=name, signature=signature))
        place += 4 + size + size % 2
    return found


def of_document(data: bytes) -> bytes:
    """The resources of a Photoshop document (PSD, PSB) that describe its picture.

    They lie behind the header of 26 bytes and the colour table, each with its length before it.
    """
    place = 26
    if len(data) < place + 4:
        return b""
    place += 4 + int(struct.unpack_from(">I", data, place)[0])
    if len(data) < place + 4:
        return b""
    (size,) = struct.unpack_from(">I", data, place)
    found = resources(data[place + 4 : place + 4 + size])
    return packed([item for item in found if item.number in DESCRIBING])


def packed(found: list[Resource]) -> bytes:
    """The block again; b"" of no resources."""
    return b"".join(_packed(item) for item in found)


def _packed(item: Resource) -> bytes:
    name = bytes((len(item.name),)) + item.name
    name += bytes(len(name) % 2)
    body = struct.pack(">I", len(item.data)) + item.data + bytes(len(item.data) % 2)
    return item.signature + struct.pack(">H", item.number) + name + body


def captions(block: bytes) -> bytes:
    """The IPTC-IIM of a block, b"" if it has none."""
    return next((item.data for item in resources(block) if item.number == IPTC), b"")


def with_captions(block: bytes, data: bytes) -> bytes:
    """The block with other IPTC-IIM; b"" takes it out."""
    kept = [item for item in resources(block) if item.number != IPTC]
    return packed([Resource(number=IPTC, data=data), *kept] if data else kept)


def dpi_of(block: bytes) -> tuple[float, float] | None:
    """Pixels per inch across and down, if the block says them."""
    found = next((item.data for item in resources(block) if item.number == RESOLUTION), b"")
    if len(found) < 16:
        return None
    across, down = (number / 65536 for number in struct.unpack_from(">I4xI", found))
    return across, down


def exported(
    block: bytes,
    *,
    dpi: tuple[float, float] | None,
    thumbnail: Callable[[], bytes],
    without: Collection[Dataset] = (),
) -> bytes:
    """The block for a picture with this resolution and JPEG thumbnail, without some datasets of its IPTC."""
    kept: list[Resource] = []
    for item in resources(block):
        if item.number in HELD_APART or item.number == OLD_THUMBNAIL:
            continue
        if item.number == RESOLUTION and dpi is not None:
            item = replace(item, data=_resolution(item.data, dpi))
        if item.number == THUMBNAIL:
            item = replace(item, data=_thumbnail(thumbnail()))
        if item.number == IPTC and without:
            item = replace(item, data=filtered(item.data, without))
        if item.number != DIGEST or not without:  # it would be that of the captions before
            kept.append(item)
    return packed([item for item in kept if item.data or item.number not in (IPTC, THUMBNAIL)])


def datasets(data: bytes) -> Iterator[tuple[Dataset, bytes]]:
    """(record, number) and bytes, head included, of each dataset, as far as they are sound."""
    place = 0
    while place + 5 <= len(data) and data[place] == _TAG:
        record, number, size = struct.unpack_from(">BBH", data, place + 1)
        head = 5
        if size & 0x8000:  # the size's own size
            digits = size & 0x7FFF
            size = int.from_bytes(data[place + 5 : place + 5 + digits], "big")
            head += digits
        end = place + head + size
        if end > len(data):
            return
        yield (record, number), data[place:end]
        place = end


def filtered(data: bytes, without: Collection[Dataset]) -> bytes:
    """IPTC-IIM without some datasets; what is not sound goes, because nobody knows what it says."""
    return b"".join(body for key, body in datasets(data) if key not in without)


def _resolution(data: bytes, dpi: tuple[float, float]) -> bytes:
    across, down = (min(round(value * 65536), 2**32 - 1) for value in dpi)
    units = struct.unpack_from(">4x2H4x2H", data.ljust(16, b"\0"))
    return struct.pack(">I2HI2H", across, _PIXELS_PER_INCH, units[1], down, _PIXELS_PER_INCH, units[3])


def _thumbnail(jpeg: bytes) -> bytes:
    """Resource 0x040C: format, width, height, bytes a row, in all, compressed, bits, planes; then a JPEG."""
    if not jpeg:
        return b""
    from io import BytesIO

    from PIL import Image

    with Image.open(BytesIO(jpeg)) as image:
        width, height = image.size
    row = (width * 24 + 31) // 32 * 4
    return _THUMBNAIL_HEAD.pack(1, width, height, row, row * height, len(jpeg), 24, 1) + jpeg
