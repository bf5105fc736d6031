"""Pictures that are opened but not written: BMP, GIF (first frame), JPEG 2000, QOI, ICO, TGA, PNM."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.decoding import BrokenFileError, said_broken
from editor.formats.deep import spread
from editor.formats.picture import Picture
from editor.layers.limits import check_file_size
from editor.pixels.raster import Samples, frozen
from inference.errors import EditorError
from inference.messages import Message

_PILLOW_NAMES = ("BMP", "GIF", "JPEG2000", "QOI", "ICO", "PPM", "TGA")
_HEAD_BYTES = 2**16
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
_PNM = re.compile(rb"P([2356])" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)\s")


def read(path: Path) -> Opened:
    """The picture of a file; see `Codec.read`."""
    with said_broken(path.name):
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        pnm = _PNM.match(head)
        if pnm is not None and int(pnm[4]) > 255:
            return _deep_pnm(path, pnm)
        bits = _jpeg_2000_bits(head)
        return raster.read(path, _PILLOW_NAMES, decode=_deep_jpeg_2000(path, bits) if bits > 8 else None)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Choose PNG, JPEG or WebP.", suffix=path.suffix
    )


def _deep_jpeg_2000(path: Path, bits: int) -> raster.Decode:
    """A decoder that keeps all bits; Pillow keeps 8 of colours."""

    def decode(image: Image.Image) -> Samples:
        import imagecodecs

        values: Any = imagecodecs.jpeg2k_decode(path.read_bytes())
        if values.shape[:2] != (image.height, image.width) or values.dtype != np.uint16:
            raise ValueError("its channels have different sizes")
        return spread(values, bits)

    return decode


def _jpeg_2000_bits(head: bytes) -> int:
    """Bits a channel by the SIZ marker of the code stream (ISO/IEC 15444-1, A.5.1); 0 if there is none."""
    start = head.find(b"\xff\x4f\xff\x51")
    if start < 0 or len(head) < start + 43:
        return 0
    depth = head[start + 42]
    return 0 if depth & 0x80 else depth + 1  # signed ones are left to Pillow


def _deep_pnm(path: Path, header: re.Match[bytes]) -> Opened:
    """PGM and PPM of more than 255 levels, which Pillow reduces to 256."""
    kind, width, height, top = (int(item) for item in header.groups())
    check_file_size(path.name, width, height)
    channels = 3 if kind in (3, 6) else 1
    if top > 65535:
        raise BrokenFileError("“{name}” is damaged: a level cannot be {top}.", name=path.name, top=top)
    content = path.read_bytes()[header.end() :]
    count = width * height * channels
    if kind in (5, 6):
        values = np.frombuffer(content, ">u2", count)
    else:
        values = np.array(content.split(None, count)[:count], np.uint32)
    if len(values) < count:
        raise BrokenFileError("“{name}” is damaged or incomplete.", "Get the file again.", name=path.name)
    table = np.round(np.arange(top + 1, dtype=np.float64) * (65535 / top)).astype(np.uint16)
    scaled = table[np.minimum(values, top)].reshape(height, width, channels)
    return raster.as_opened(path, frozen(spread(scaled, 16)), Image.new("RGB", (1, 1)), [])
