"""What a JPEG XL file says before its pixels: boxes, size, bits and colours (ISO/IEC 18181-1, D; 18181-2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from editor.formats.boxes import boxes

CODESTREAM: Final = b"\xff\x0a"
CONTAINER: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_LARGEST_BOX_BYTES = 2**24  # of what is carried beside the picture
_MOST_BOXES = 10_000

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_GREY, _XYB = 1, 2
_CUSTOM = 2
_P3, _P3_D65, _DCI = 11, 12, 11
_ALPHA, _SPOT, _BLACK, _CFA = 0, 2, 4, 5


@dataclass(frozen=True, kw_only=True)
class Header:
    """Size in pixels and what the pixels mean.

    Args:
        code_points: (primaries, transfer) of H.273; None for those of its own and for an ICC profile.
        is_associated: colours are multiplied by the coverage.
        has_ink: there is a channel of black ink.
    """

    width: int
    height: int
    bits: int = 8
    is_float: bool = False
    code_points: tuple[int, int] | None = (1, 13)
    is_associated: bool = False
    has_ink: bool = False
    is_animated: bool = False


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a file holds: the codestream's beginning, blocks beside it, and whether it was a JPEG before."""

    codestream: bytes
    exif: bytes = b""
    xmp: bytes = b""
    was_jpeg: bool = False


def parts_of(data: bytes) -> Parts:
    """The parts of a file, with or without a container.

    Raises:
        ValueError: there is no codestream.
    """
    if data.startswith(CODESTREAM):
        return Parts(codestream=data)
    found: dict[bytes, bytes] = {}
    for kind, content in _boxes(data):
        if kind == b"brob":
            kind, content = content[:4], _unpacked(content[4:])
        elif kind == b"jxlp":
            kind, content = b"jxlc", content[4:]
        found.setdefault(kind, content)
    if not found.get(b"jxlc", b"").startswith(CODESTREAM):
        raise ValueError("it holds no picture")
    exif = found.get(b"Exif", b"")
    start = struct.unpack(">I", exif[:4])[0] + 4 if len(exif) > 8 else 0
    return Parts(
        codestream=found[b"jxlc"],
        exif=exif[start:] if start else b"",
        xmp=found.get(b"xml ", b""),
        was_jpeg=b"jbrd" in found,
    )


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Those of a file; one that is cut off is the end."""
    with suppress(struct.error):
        yield from islice(boxes(data), _MOST_BOXES)


def _unpacked(data: bytes) -> bytes:
    import imagecodecs

    try:
        return bytes(imagecodecs.brotli_decode(data, out=_LARGEST_BOX_BYTES))
    except RuntimeError:  # damaged, or longer than anything that is carried
        return b""


def header_of(codestream: bytes) -> Header:
    """What a codestream begins with.

    Raises:
        ValueError: it ends too early, or says what cannot be.
    """
    bits = _Bits(codestream[len(CODESTREAM) :])
    width, height = _size(bits)
    if bits.flag():  # everything as usual
        return Header(width=width, height=height)
    turned, animated = _extra_fields(bits) if bits.flag() else (False, False)
    floating, depth = _depth(bits)
    bits.flag()  # whether 16 bits suffice for a decoder
    channels = _Channels()
    for _ in range(bits.number((0, 0), (0, 1), (4, 2), (12, 1))):
        _extra_channel(bits, channels)
    bits.flag()  # XYB: decoders turn it into the colours that follow
    return Header(
        width=height if turned else width,
        height=width if turned else height,
        bits=depth,
        is_float=floating,
        code_points=_code_points(bits),
        is_associated=channels.is_associated,
        has_ink=channels.has_ink,
        is_animated=animated,
    )


class _Bits:
    """Reads from the lowest bit of each byte on."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:4096], "little")
        self._left = 8 * min(len(data), 4096)

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("its header ends too early")
        found = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return found

    def flag(self) -> bool:
        return bool(self.take(1))

    def number(self, *choices: tuple[int, int]) -> int:
        """One of four ways, each (bits, what is added)."""
        count, offset = choices[self.take(2)]
        return self.take(count) + offset

    def enumerated(self) -> int:
        return self.number((0, 0), (0, 1), (4, 2), (6, 18))


@dataclass
class _Channels:
    is_associated: bool = False
    has_ink: bool = False


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.flag()

    def side() -> int:
        return 8 * (bits.take(5) + 1) if small else bits.number((9, 1), (13, 1), (18, 1), (30, 1))

    height = side()
    ratio = bits.take(3)
    if not ratio:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _extra_fields(bits: _Bits) -> tuple[bool, bool]:
    """Whether width and height change places, and whether it moves."""
    turned = bits.take(3) >= 4
    if bits.flag():
        _size(bits)  # at which it is meant to be shown
    if bits.flag():
        _preview(bits)
    animated = bits.flag()
    if animated:
        bits.number((0, 100), (0, 1000), (10, 1), (30, 1))
        bits.number((0, 1), (0, 1001), (8, 1), (10, 1))
        bits.number((0, 0), (3, 0), (16, 0), (32, 0))
        bits.flag()
    return turned, animated


def _preview(bits: _Bits) -> None:
    in_eighths = bits.flag()

    def side() -> int:
        if in_eighths:
            return bits.number((0, 16), (0, 32), (5, 1), (9, 33))
        return bits.number((6, 1), (8, 65), (10, 321), (12, 1345))

    side()
    if not bits.take(3):
        side()


def _depth(bits: _Bits) -> tuple[bool, int]:
    if not bits.flag():
        return False, bits.number((0, 8), (0, 10), (0, 12), (6, 1))
    depth = bits.number((0, 32), (0, 16), (0, 24), (6, 1))
    bits.take(4)  # of the exponent
    return True, depth


def _extra_channel(bits: _Bits, channels: _Channels) -> None:
    if bits.flag():  # transparency as usual
        return
    kind = bits.enumerated()
    channels.has_ink = channels.has_ink or kind == _BLACK
    _depth(bits)
    bits.number((0, 0), (0, 3), (0, 4), (3, 1))
    for _ in range(bits.number((0, 0), (4, 0), (5, 16), (10, 48))):
        bits.take(8)  # its name
    if kind == _ALPHA:
        channels.is_associated = bits.flag() or channels.is_associated
    elif kind == _SPOT:
        bits.take(64)
    elif kind == _CFA:
        bits.number((0, 1), (2, 0), (4, 3), (8, 19))


def _code_points(bits: _Bits) -> tuple[int, int] | None:
    if bits.flag():
        return 1, 13
    with_profile = bits.flag()
    space = bits.enumerated()
    if with_profile or space == _XYB:
        return None
    white = bits.enumerated()
    if white == _CUSTOM:
        _chromaticity(bits)
    primaries = 1
    if space != _GREY:
        primaries = bits.enumerated()
        for _ in range(3 if primaries == _CUSTOM else 0):
            _chromaticity(bits)
    if bits.flag():  # a power
        return None
    transfer = bits.enumerated()
    if _CUSTOM in (white, primaries):
        return None
    if (primaries, white) == (_P3, 1):
        return _P3_D65, transfer
    return (primaries, transfer) if white == (_DCI if primaries == _P3 else 1) else None


def _chromaticity(bits: _Bits) -> None:
    for _ in range(2):
        bits.number((19, 0), (19, 2**19), (20, 2**20), (21, 2**21))
