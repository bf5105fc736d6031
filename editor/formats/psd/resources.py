"""A Photoshop document's image resources that are read here: resolution, guides, profile, EXIF, XMP.

They are read from the bytes, each by itself: one that is broken counts as missing. The layout is that of
Adobe's "Photoshop File Formats Specification" (2019).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from editor.layers.state import Guide

RESOLUTION, GUIDES, PROFILE, EXIF, XMP = 1005, 1032, 1039, 1058, 1060
_MOST_GUIDES = 1000


class Resources:
    """What a document says beside its layers."""

    def __init__(self, blocks: Mapping[int, bytes]) -> None:
        self._blocks = blocks

    def bytes(self, key: int) -> bytes:
        """The content of a block; b"" if there is none."""
        return self._blocks.get(key, b"")

    def dpi(self) -> tuple[float, float] | None:
        """Pixels per inch, across and down."""
        try:
            across, down = struct.unpack_from(">i4xi", self.bytes(RESOLUTION))
        except struct.error:
            return None
        across, down = across / 65536, down / 65536
        return (across, down) if 0.1 <= across <= 1e6 and 0.1 <= down <= 1e6 else None

    def guides(self) -> tuple[Guide, ...]:
        """The first thousand guides; their places are in 32nds of a pixel."""
        data = self.bytes(GUIDES)
        try:
            (count,) = struct.unpack_from(">I", data, 12)
            items = [struct.unpack_from(">iB", data, 16 + 5 * at) for at in range(min(count, _MOST_GUIDES))]
        except struct.error:
            return ()
        return tuple(Guide(vertical=kind == 0, position=place / 32) for place, kind in items)


def blocks_of(data: bytes, place: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(key, first byte, first byte of its content, byte behind it) of every resource that is whole.

    Raises:
        struct.error, IndexError: `end` lies behind the data.
    """
    while place + 12 <= end:
        (key,) = struct.unpack_from(">H", data, place + 4)
        name = data[place + 6] + 1
        at = place + 6 + name + name % 2
        (size,) = struct.unpack_from(">I", data, at)
        last = at + 4 + size + size % 2
        if last > end:
            return
        yield key, place, at + 4, last
        place = last
