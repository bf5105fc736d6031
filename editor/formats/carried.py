"""What a file carries beside its pixels: read into the document, given back on export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from PIL import Image

from editor.colour import conversion as colour
from editor.colour import icc
from editor.formats import exif
from editor.formats import provenance as metadata
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
from editor.layers.state import SourceMetadata
from inference.messages import Message

COMMENT_KEY = "Comment"
LARGEST_TEXT_CHARACTERS = 2**20


@dataclass(frozen=True, kw_only=True)
class Words:
    """What an export says beside its pixels, ready for any format; empty if the user wants nothing said."""

    exif: Image.Exif
    xmp: bytes = b""
    parameters: str = ""
    payload: str = ""
    text: Mapping[str, str]


def words_of(picture: Picture, options: ExportOptions) -> Words:
    """Everything that is to be said of a picture."""
    if not options.metadata:
        return Words(exif=Image.Exif(), text={})
    source, provenance = picture.source, metadata.provenance_of(picture.state, picture.source)
    text = {
        key: value
        for key, value in source.text.items()
        if key != metadata.PARAMETERS_KEY or not provenance.parameters
    }
    return Words(
        exif=exif.for_export(source.exif, provenance.parameters, location=options.location),
        xmp=metadata.exported_xmp(provenance, source.xmp, location=options.location),
        parameters=provenance.parameters,
        payload=provenance.payload,
        text=text,
    )


def fitting_xmp(picture: Picture, words: Words, largest: int, notes: list[Message]) -> bytes:
    """The XMP, or only ours where the source's does not fit."""
    if len(words.xmp) <= largest:
        return words.xmp
    notes.append(Message("The XMP of the opened file was left out: it is too long for this format."))
    provenance = metadata.provenance_of(picture.state, picture.source)
    ours = metadata.xmp_packet(provenance) if provenance.source_type else b""
    return ours if len(ours) <= largest else b""


def pillow_keywords(
    picture: Picture, words: Words, notes: list[Message], *, exif_bytes: int | None = None
) -> dict[str, Any]:
    """Pillow's keywords for profile, resolution and EXIF."""
    state = picture.state
    found: dict[str, Any] = {}
    if state.icc_profile:
        found["icc_profile"] = state.icc_profile
    if state.dpi is not None:
        found["dpi"] = state.dpi
    data = exif.to_bytes(words.exif, exif_bytes, notes)
    if data:
        found["exif"] = data
    return found


def source_of(image: Image.Image) -> tuple[SourceMetadata, str]:
    """What a decoded image carries, and our payload if it has one."""
    text = _text(image)
    xmp = image.info.get("xmp") or text.pop(metadata.XMP_KEY, "")
    packet = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    payload = text.pop(metadata.KEY, "") or metadata.read_xmp(packet)[0]
    comment = exif.comment_of(image)
    if comment:
        text.setdefault(metadata.PARAMETERS_KEY, comment)
    return SourceMetadata(exif=exif.carried(image), text=text, xmp=packet), payload


def profile_of(image: Image.Image, notes: list[Message]) -> bytes:
    """The profile of RGB pixels; those for grey and ink do not fit pixels that have become RGB."""
    profile = bytes(image.info.get("icc_profile") or b"")
    if not icc.is_rgb(profile):
        return b""
    if not colour.is_usable(profile):
        notes.append(Message("The picture's colour profile is damaged and was left out."))
        return b""
    return profile


def dpi_of(image: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info.get("dpi") or ())
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 0.1 <= across <= 1e6 and 0.1 <= down <= 1e6 else None


def _text(image: Image.Image) -> dict[str, str]:
    """The texts that the file itself has; the decoder's own remarks in `info` are none of them."""
    given: Any = getattr(image, "text", None)  # PNG
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in cast("dict[Any, Any]", given).items()}
    comment = image.info.get("comment")
    if isinstance(comment, bytes):
        comment = comment.decode("utf-8", errors="replace")
    if isinstance(comment, str) and comment.strip("\0 ") and len(comment) <= LARGEST_TEXT_CHARACTERS:
        return {COMMENT_KEY: comment.strip("\0")}
    return {}
