"""JPEG: no transparency (flattened over white), with EXIF, XMP, Photoshop's block and comment."""

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.carried import Words, pillow_keywords, words_of
from editor.formats.decoding import said_broken
from editor.formats.metadata import exif, photoshop, xmp
from editor.formats.metadata.jpeg_encoding import pillow_options
from editor.formats.picture import Picture
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.messages import Message

FULL_CHROMA_QUALITY = 90  # from here on colours keep the full resolution
LARGEST_XMP_BYTES = 65_000  # one APP1 segment
LARGEST_COMMENT_BYTES = 65_533
_PIECE_BYTES = 65_000
LARGEST_SIDE_PX = 65_500
_PILLOW_NAMES = ("JPEG", "MPO")
_END = b"\xff\xd9"  # after it, libjpeg fills what it has not seen
_SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def read(path: Path) -> Opened:
    """The picture of a file; see `Codec.read`. What is missing at the end of a file is left grey and said."""
    try:
        return raster.read(path, _PILLOW_NAMES)
    except EditorError as error:
        if "truncated" not in str(error.__cause__):
            raise
    with said_broken(path.name):
        data = BytesIO(path.read_bytes() + _END)
    notes = [Message("The file ends early; what is missing was left grey.")]
    return raster.read(path, _PILLOW_NAMES, notes, data)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`."""
    if max(picture.width, picture.height) > LARGEST_SIDE_PX:
        raise EditorError(
            "The picture has {width} × {height} pixels; JPEG holds up to {most} on a side.",
            "Export it as PNG or TIFF, or smaller.",
            width=picture.width,
            height=picture.height,
            most=LARGEST_SIDE_PX,
        )
    notes: list[Message] = []
    words = words_of(picture, options, "jpeg")
    keywords = pillow_keywords(picture, words, notes, exif_bytes=exif.LARGEST_JPEG_BYTES)
    if words.comment:
        keywords["comment"] = words.comment[:LARGEST_COMMENT_BYTES].decode(errors="ignore").encode()
    keywords["extra"] = b"".join((*_packets(words), *_resources(words.photoshop)))
    keywords |= _encoding(picture, options, notes)
    image = raster.image_without_alpha(picture, grey=not picture.state.icc_profile)
    with atomic_write(path) as file:
        image.save(
            file,
            "JPEG",
            progressive=options.progressive,
            optimize=options.progressive or options.effort == "small",
            **keywords,
        )
    return tuple(notes)


def _packets(words: Words) -> list[bytes]:
    """The XMP in a segment, and in further ones what does not fit into it."""
    packet, parts = xmp.in_parts(words.xmp, words.own_xmp, LARGEST_XMP_BYTES)
    return [_segment(b"\xff\xe1", data) for data in (xmp.START + packet if packet else b"", *parts) if data]


def _resources(block: bytes) -> list[bytes]:
    """Photoshop's block in segments; readers join them."""
    pieces = [block[place : place + _PIECE_BYTES] for place in range(0, len(block), _PIECE_BYTES)]
    return [_segment(b"\xff\xed", photoshop.MARKER + piece) for piece in pieces]


def _segment(marker: bytes, data: bytes) -> bytes:
    return marker + struct.pack(">H", len(data) + 2) + data


def _encoding(picture: Picture, options: ExportOptions, notes: list[Message]) -> dict[str, Any]:
    """Pillow's keywords for quality and resolution of colour."""
    if options.like_original and picture.source.jpeg is not None:
        return pillow_options(picture.source.jpeg)
    if options.like_original:
        notes.append(
            Message(
                "The picture was no JPEG that it could be like; the quality is {quality}.",
                quality=options.quality,
            )
        )
    return {"quality": options.quality, "subsampling": subsampling(options)}


def subsampling(options: ExportOptions) -> int:
    if options.subsampling == "auto":
        return 0 if options.quality >= FULL_CHROMA_QUALITY else 2
    return _SUBSAMPLING[options.subsampling]
