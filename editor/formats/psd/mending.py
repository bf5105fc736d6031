"""A PSD's bytes without what is damaged or unknown beside its pixels, before psd-tools reads them strictly.

psd-tools refuses a whole document for one blend mode or one path that it cannot parse. Of the image resources
it is given those alone that it needs; a blend mode that nobody knows becomes normal, and is said.
"""

from __future__ import annotations

import struct

from editor.formats.psd.resources import EXIF, GUIDES, PROFILE, RESOLUTION, XMP, Resources, blocks_of
from inference.messages import Message

_OURS = frozenset((RESOLUTION, GUIDES, PROFILE, EXIF, XMP))
_THEIRS = frozenset((1047, 1053, 1057))  # transparent index, identifiers of alpha, whether a picture is there
_HEADER_BYTES = 26
_NAMES = (
    b"pass norm diss dark mul  idiv lbrn dkCl lite scrn div  lddg lgCl over "
    b"sLit hLit vLit lLit pLit hMix diff smud fsub fdiv hue  sat  colr lum "
)
_MODES = frozenset(_NAMES[start : start + 4] for start in range(0, len(_NAMES), 5))


def mended(data: bytes, notes: list[Message]) -> tuple[bytes, Resources]:
    """The same document with at most its unknown parts replaced, and its resources apart.

    Anything odd in its frame stays as it is.
    """
    try:
        return _mended(data, notes)
    except (struct.error, IndexError):
        return data, Resources({})  # cut off: psd-tools says where


def _mended(data: bytes, notes: list[Message]) -> tuple[bytes, Resources]:
    (palette,) = struct.unpack_from(">I", data, _HEADER_BYTES)
    start = _HEADER_BYTES + 4 + palette
    (size,) = struct.unpack_from(">I", data, start)
    end = start + 4 + size
    blocks: dict[int, bytes] = {}
    kept: list[bytes] = []
    for key, first, content, last in blocks_of(data, start + 4, end):
        if key in _OURS:
            blocks[key] = data[content:last]
        elif key in _THEIRS:
            kept.append(data[first:last])
    rest = bytearray(data[end:])
    _mend_modes(rest, data[4:6] == b"\0\2", notes)
    size_of_kept = struct.pack(">I", sum(map(len, kept)))
    return b"".join((data[:start], size_of_kept, *kept, rest)), Resources(blocks)


def _mend_modes(rest: bytearray, large: bool, notes: list[Message]) -> None:
    """Replace unknown blend modes of the layers, in place; `rest` begins with the layers' section."""
    length = 8 if large else 4
    (section,) = struct.unpack_from(">Q" if large else ">I", rest, 0)
    if not section:
        return
    (layers,) = struct.unpack_from(">Q" if large else ">I", rest, length)
    if not layers:
        return
    (count,) = struct.unpack_from(">h", rest, 2 * length)
    place = 2 * length + 2
    for _ in range(abs(count)):
        (channels,) = struct.unpack_from(">H", rest, place + 16)
        mode = place + 18 + channels * (2 + length) + 4  # behind the signature
        given = bytes(rest[mode : mode + 4])
        if given not in _MODES and bytes(rest[mode - 4 : mode]) == b"8BIM":
            rest[mode : mode + 4] = b"norm"
            shown = given.decode("latin-1").strip()
            notes.append(
                Message(
                    "A layer uses the unknown blend mode “{shown}”, which is shown as normal.", shown=shown
                )
            )
        (extra,) = struct.unpack_from(">I", rest, mode + 8)
        place = mode + 12 + extra
