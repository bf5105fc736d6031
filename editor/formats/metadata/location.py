"""Where a picture was taken: every carrier of it that is known, in EXIF, XMP, IPTC and texts.

One list, so that leaving the place out leaves it out everywhere. What a person wrote into captions, keywords
and file names is theirs and stays.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from editor.formats.metadata.exif_block import GPS, MAKER_NOTE, UNIT_BYTES, Block
from editor.formats.metadata.xmp import RDF, XML, Tree

GEO_TAGS = frozenset({33550, 33920, 33922, 34264, 34735, 34736, 34737, 42112})
"""GeoTIFF: scale, matrices, tie points, keys and their values; and GDAL's description of them."""

IPTC_DATASETS = frozenset({(2, 26), (2, 27), (2, 90), (2, 92), (2, 95), (2, 100), (2, 101)})
"""Content location code and name, city, sub-location, state, country's code and name."""

_ANYWHERE = re.compile(
    r"gps|latitude|longt?itude|altitude|geotag|geoloc|geodetic|geohash|location|what3words",
    re.IGNORECASE,
)
_EXACTLY = frozenset({
    "city", "state", "province", "provincestate", "province-state", "stateprovince", "country", "countrycode",
    "countryname", "county", "municipality", "locality", "continent", "island", "islandgroup", "waterbody",
    "highergeography", "footprintwkt", "verbatimcoordinates", "sublocation", "worldregion", "landmark", "lat",
    "lon", "long", "lng", "latlong",
})  # fmt: skip
"""IPTC Core and Extension, Photoshop, Darwin Core, and what programs call it."""


def is_place(name: str) -> bool:
    """Whether a property or text of that name, prefix or namespace before it, says where a picture was taken.

    The contact of a picture's creator (CiAdrCity and its like) is none.
    """
    if name.startswith((f"{{{RDF}}}", f"{{{XML}}}")):
        return False
    if "wgs84_pos#" in name:
        return True
    local = re.split(r"[:}#/]", name)[-1]
    return bool(_ANYWHERE.search(local)) or local.casefold() in _EXACTLY


def names_in_xmp(tree: Tree) -> set[str]:
    """Names of the properties of a packet that hold a place."""
    return {name for name in tree.names() if is_place(name)}


def without_place(text: Mapping[str, str]) -> dict[str, str]:
    """Texts of a file without those that name a place."""
    return {key: value for key, value in text.items() if not is_place(key)}


def in_exif(block: Block) -> bool:
    """Whether a block says where the picture was taken."""
    if any(True for _ in block.entries(block.inner(block.main, GPS))):
        return True
    return any(entry.tag in GEO_TAGS for entry in block.entries(block.main)) or bool(_in_note(block))


def strip_exif(block: Block) -> None:
    """Take the GPS directory, GeoTIFF's tags and the places in makers' notes out, their bytes blanked."""
    for folder_of in (lambda: block.main, lambda: block.thumbnail_folder, lambda: block.photo):
        block.remove_folder(folder_of(), GPS)
    block.remove(block.main, GEO_TAGS, wiped=True)
    for start, size in _in_note(block):
        block.data[start : start + size] = bytes(size)


@dataclass(frozen=True)
class _Note:
    """How one maker's note begins, where its directory lies, and which of its tags hold a place.

    `header` is where a TIFF header lies in the note from which its values' places are counted, None for those
    of the block; some count from the note itself, which is taken where a place of the block is outside of it.
    `own_order` is for notes whose order of bytes need not be the block's.
    """

    start: re.Pattern[bytes]
    directory: int
    tags: frozenset[int]
    header: int | None = None
    own_order: bool = False


_NOTES = (
    # Location, country, state, city, landmark, and the same as travellers enter it
    _Note(re.compile(rb"Panasonic\0"), 12, frozenset({0x67, 0x69, 0x6B, 0x6D, 0x6F, 0x80})),
    _Note(re.compile(rb"LEICA\0\0\0"), 8, frozenset({0x67, 0x69, 0x6B, 0x6D, 0x6F, 0x80})),
    _Note(re.compile(rb"Nikon\0\x02"), 18, frozenset({0x39}), 10),  # LocationInfo
    # Samsung: the place's name, and that in the local language
    _Note(re.compile(rb"(?s)\0.\0\x01\0\x07\0\0\0\x040100"), 0, frozenset({0x30, 0x31})),
    _Note(re.compile(rb"(?s).\0\x01\0\x07\0\x04\0\0\x000100"), 0, frozenset({0x30, 0x31})),
    # the cities of a traveller's home and destination
    _Note(re.compile(rb"AOC\0"), 6, frozenset({0x23, 0x24}), own_order=True),
    _Note(re.compile(rb"PENTAX \0"), 10, frozenset({0x23, 0x24}), own_order=True),
    _Note(re.compile(rb"(QVC|DCI)\0"), 6, frozenset({0x3006}), own_order=True),  # Casio
)


def _in_note(block: Block) -> list[tuple[int, int]]:
    """(place, bytes) of the values in the maker's note that hold a place and are not blank."""
    entry = block.find(block.photo, MAKER_NOTE)
    if entry is None:
        return []
    note = block.bytes_of(entry)
    known = next((item for item in _NOTES if item.start.match(note)), None)
    if known is None:
        return []
    try:
        return [
            (start, size)
            for start, size in _values(block, entry.value, note, known)
            if any(block.data[start : start + size])
        ]
    except struct.error:
        return []


def _values(block: Block, at: int, note: bytes, known: _Note) -> list[tuple[int, int]]:
    order, directory = block.order, known.directory
    if known.header is not None:
        order = "<" if note[known.header : known.header + 2] == b"II" else ">"
    elif known.own_order:  # read the wrong way round a small count is a huge one
        order = min("<>", key=lambda one: struct.unpack_from(f"{one}H", note, directory)[0])
    elif directory == 0:
        order = ">" if note[0] == 0 else "<"
    (count,) = struct.unpack_from(f"{order}H", note, directory)
    found: list[tuple[int, int]] = []
    for place in range(directory + 2, directory + 2 + 12 * min(count, 1000), 12):
        tag, kind, number, value = struct.unpack_from(f"{order}HHII", note, place)
        size = UNIT_BYTES.get(kind, 1) * number
        if tag in known.tags and size:
            start = at + place + 8 if size <= 4 else _start(at, note, known, value)
            found.append((start, min(size, max(0, len(block.data) - start))))
    return found


def _start(at: int, note: bytes, known: _Note, value: int) -> int:
    """Where in the block a value lies."""
    if known.header is not None:
        return at + known.header + value
    return value if at <= value < at + len(note) or value >= len(note) else at + value
