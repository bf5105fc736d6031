"""ImageMagick's way to keep profiles in a PNG: texts "Raw profile type …" that hold hexadecimal bytes.

A text is a blank line, the profile's name, its length, and lines of digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from editor.formats.metadata import photoshop, xmp
from editor.formats.metadata.exif_block import PREFIX

KEY = "Raw profile type "
LARGEST_BYTES = 16 * 2**20
_DIGITS_A_LINE = 72
_RAW_EXIF = "exif"  # a text of some programs whose bytes the decoder takes for EXIF


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """What such texts hold, b"" for nothing, and the texts that are none of them."""

    exif: bytes
    xmp: bytes
    photoshop: bytes
    text: Mapping[str, str]


def read(text: Mapping[str, str]) -> Profiles:
    """The profiles among a PNG's texts."""
    exif = packet = block = b""
    for name, value in text.items():
        if not name.startswith(KEY):
            continue
        data = decoded(value).removeprefix(photoshop.MARKER)
        if data.startswith(xmp.START):
            packet = packet or data.removeprefix(xmp.START)
        elif name.casefold().endswith(("exif", "app1")) or data.startswith(PREFIX):
            exif = exif or data
        elif name.endswith("xmp"):
            packet = packet or data
        elif data.startswith(b"8BIM"):
            block = block or data
        elif name.endswith("iptc"):
            block = block or photoshop.with_captions(b"", data)
    others = {key: value for key, value in text.items() if not key.startswith(KEY) and key != _RAW_EXIF}
    return Profiles(exif=exif, xmp=packet, photoshop=block, text=others)


def decoded(value: str) -> bytes:
    """The bytes of one text, b"" if it is broken."""
    lines = value.strip("\n").split("\n", 2)
    if len(value) > 3 * LARGEST_BYTES or len(lines) < 3:
        return b""
    try:
        return bytes.fromhex("".join(lines[2].split()))
    except ValueError:
        return b""


def encoded(name: str, data: bytes) -> str:
    """The text of a profile."""
    digits = data.hex()
    lines = [digits[place : place + _DIGITS_A_LINE] for place in range(0, len(digits), _DIGITS_A_LINE)]
    return "\n".join(["", name, f"{len(data):8}", *lines, ""])
