"""EXIF between files: what an export may say again, and what has to go."""

from __future__ import annotations

import itertools
import struct
import warnings
from typing import Any, cast

from PIL import Image

from editor.formats import provenance as metadata
from editor.formats.decoding import ORIENTATION_TAG
from inference.messages import Message

GPS_TAG = 0x8825
MAKER_NOTE_TAG = 0x927C
LARGEST_JPEG_BYTES = 65_527  # one APP1 segment

_STRUCTURE = frozenset(
    itertools.chain(
        *(range(*ends) for ends in ((254, 267), (277, 285), (288, 294), (320, 326), (338, 342), (512, 522))),
        (273, 274, 296, 301, 317, 330, 332, 334, 336, 347, *range(529, 533), 559),
        (700, 33723, 34377, 34675, 37724, 50341),
    )
)
"""Tags of a TIFF that say how its pixels lie, or hold what is kept apart (XMP, profile, Photoshop's)."""

_BROKEN = (ValueError, TypeError, struct.error, KeyError, AttributeError, OSError, SyntaxError, IndexError,
           RuntimeError, ArithmeticError, AssertionError)  # fmt: skip


def carried(image: Image.Image) -> bytes:
    """The EXIF of an opened image without what describes the file's own pixels; b"" if there is none."""
    try:
        exif = image.getexif()
        for folder in (metadata.EXIF_FOLDER_TAG, GPS_TAG):
            if folder in exif:  # asking for one that is missing makes an empty one
                exif.get_ifd(folder)
        for tag in [tag for tag in exif if tag in _STRUCTURE]:
            del exif[tag]
        return exif.tobytes() if len(exif) else b""
    except _BROKEN:
        return b""


def comment_of(image: Image.Image) -> str:
    """The text of UserComment, where other tools put how a picture was made."""
    try:
        exif = image.getexif()
        if metadata.EXIF_FOLDER_TAG not in exif:
            return ""
        value = exif.get_ifd(metadata.EXIF_FOLDER_TAG).get(metadata.USER_COMMENT_TAG)
    except _BROKEN:
        return ""
    return metadata.read_user_comment(value)


def parsed(data: bytes) -> Image.Exif:
    """Empty if it is broken."""
    exif = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is damaged; it is left out
            exif.load(data)
            dict(exif)
            if metadata.EXIF_FOLDER_TAG in exif:
                exif.get_ifd(metadata.EXIF_FOLDER_TAG)
    except _BROKEN:
        return Image.Exif()
    return exif


def for_export(data: bytes, comment: str, *, location: bool) -> Image.Exif:
    """A source's EXIF, upright, with our comment; `location` says whether GPS stays."""
    exif = parsed(data) if data else Image.Exif()
    for tag in [tag for tag in exif if tag in _STRUCTURE or tag == ORIENTATION_TAG]:
        del exif[tag]
    if not location and GPS_TAG in exif:
        del exif[GPS_TAG]
    if comment:
        exif[metadata.SOFTWARE_TAG] = f"Attune {metadata.version()}"
        exif.get_ifd(metadata.EXIF_FOLDER_TAG)[metadata.USER_COMMENT_TAG] = metadata.user_comment(comment)
    return exif


def to_bytes(exif: Image.Exif, largest: int | None, notes: list[Message]) -> bytes:
    """The bytes, b"" if there is nothing to say; what does not fit into `largest` is dropped, and noted."""
    data = _packed(exif)
    if largest is None or len(data) <= largest:
        return data
    folder = exif.get_ifd(metadata.EXIF_FOLDER_TAG)
    if folder.pop(MAKER_NOTE_TAG, None) is not None:
        notes.append(Message("The camera maker's own notes were left out: EXIF in a JPEG holds 64 KB."))
        data = _packed(exif)
    if len(data) > largest:
        _drop_large(exif, folder)
        notes.append(Message("Some long EXIF entries were left out: EXIF in a JPEG holds 64 KB."))
        data = _packed(exif)
    return data if len(data) <= largest else b""


def has_location(data: bytes) -> bool:
    """Whether EXIF says where a picture was taken."""
    return bool(data) and bool(parsed(data).get_ifd(GPS_TAG))


def _drop_large(exif: Image.Exif, folder: dict[int, Any]) -> None:
    for entries in (exif, folder):
        for tag in [tag for tag, value in dict(entries).items() if _length(value) > 1000]:
            del entries[tag]


def _length(value: Any) -> int:
    return len(cast("bytes", value)) if isinstance(value, str | bytes | tuple) else 0


def _packed(exif: Image.Exif) -> bytes:
    try:
        folder = exif.get_ifd(metadata.EXIF_FOLDER_TAG)
        return exif.tobytes() if len(exif) or folder else b""
    except _BROKEN:
        return b""
