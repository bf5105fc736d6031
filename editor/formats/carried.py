"""What a file carries beside its pixels: read into the document, given back on export."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PIL import Image

from editor.colour import conversion as colour
from editor.colour import icc
from editor.document.export_options import ExportOptions
from editor.document.state_json import DPI_RANGE, LONGEST_NAME, LONGEST_TEXT, MOST_TEXTS
from editor.formats.metadata import exif, location, photoshop, raw_profiles, xmp
from editor.formats.metadata import provenance as metadata
from editor.formats.metadata.jpeg_encoding import encoding_of
from editor.formats.metadata.thumbnail import maker
from editor.formats.picture import Picture
from editor.layers.state import SourceMetadata
from inference.messages import Message

COMMENT_KEY = "Comment"
WORKFLOW_KEYS = {"workflow": exif.MAKE, "prompt": exif.MODEL}
"""ComfyUI's texts, and the EXIF tags into which it writes "workflow:…" and "prompt:…" elsewhere."""

_OURS_OR_PLAIN = (b"JFIF", b"JFXX", b"Exif\0", b"http://ns.adobe.com/x", b"Photoshop 3.0", b"ICC_PROFILE",
                  b"Adobe", b"Ducky", b"MPF\0")  # fmt: skip
_OTHERS = {
    b"JP\0": "C2PA",
    b"FLIR": "FLIR",
    b"GoPro": "GoPro",
    b"FPXR": "FlashPix",
    b"QVCI": "Casio",
    b"RMETA": "Ricoh",
    b"Meta\0": "Kodak",
    b"_JPSJPS_": "JPS",
    b"HDR_RI": "JPEG-HDR",
}

_GENERATED = re.compile(r"\bSteps: ?\d|^\s*\{", re.MULTILINE)
_HAS_TEXT = "png"
_HAS_DPI = ("png", "jpeg", "tiff")


@dataclass(frozen=True, kw_only=True)
class Words:
    """What an export says beside its pixels, ready for any format; empty if the user wants nothing said."""

    exif: exif.Block | None = None
    xmp: bytes = b""
    own_xmp: bytes = b""  # without the source's
    photoshop: bytes = b""
    parameters: str = ""
    payload: str = ""
    text: Mapping[str, str]

    @property
    def comment(self) -> bytes:
        """The file's comment, for formats that have one."""
        return self.text.get(COMMENT_KEY, "").encode()


def words_of(picture: Picture, options: ExportOptions, kind: str) -> Words:
    """Everything that is to be said of a picture in a file of the format `kind`, a key of `FORMATS`."""
    if not options.metadata:
        return Words(text={})
    source, provenance = picture.source, metadata.provenance_of(picture.state, picture.source)
    text = dict(source.text) if options.location else location.without_place(source.text)
    if provenance.parameters:
        text.pop(metadata.PARAMETERS_KEY, None)
    thumbnail = maker(picture)
    wishes = exif.Wishes(
        size=(picture.width, picture.height),
        dpi=picture.state.dpi,
        keeps_dpi=kind not in _HAS_DPI,
        location=options.location,
        comment=provenance.parameters or _comment(source, text, kind),
        names={} if kind == _HAS_TEXT else _workflow(text),
        thumbnail=thumbnail if kind != "tiff" else None,
    )
    return Words(
        exif=exif.for_export(source.exif, wishes),
        xmp=metadata.exported_xmp(provenance, source.xmp, location=options.location),
        own_xmp=metadata.exported_xmp(provenance, b"", location=options.location),
        photoshop=photoshop.exported(
            source.photoshop,
            dpi=picture.state.dpi,
            thumbnail=thumbnail,
            without=() if options.location else location.IPTC_DATASETS,
        ),
        parameters=provenance.parameters,
        payload=provenance.payload,
        text=text,
    )


def _comment(source: SourceMetadata, text: Mapping[str, str], kind: str) -> str:
    """What other tools wrote of how the picture was made, where the format has no text but EXIF's comment."""
    given = text.get(metadata.PARAMETERS_KEY, "")
    said = kind == _HAS_TEXT or given == exif.comment_of(source.exif)
    return "" if said else given


def _workflow(text: Mapping[str, str]) -> dict[int, str]:
    return {tag: f"{key}:{text[key]}" for key, tag in WORKFLOW_KEYS.items() if text.get(key)}


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
    if words.exif is not None:
        data = exif.fitted(words.exif, exif_bytes or 2**32, notes)
        found["exif"] = exif.PREFIX + data if data else b""
    return found


def source_of(image: Image.Image, path: Path | None = None) -> tuple[SourceMetadata, str]:
    """What a decoded image carries, and our payload if it has one; `path` is where a TIFF's tags are read."""
    profiles = raw_profiles.read(_text(image))
    text = dict(profiles.text)
    block, tags = bytes(image.info.get("exif") or b"") or profiles.exif, dict[int, bytes]()
    if image.format == "TIFF" and path is not None:
        with path.open("rb") as file:
            block, tags = exif.from_tiff(_reader(file))
    block = exif.carried(block)
    packet = _packet(image, text.pop(metadata.XMP_KEY, ""), profiles.xmp or tags.get(exif.XMP, b""))
    payload = text.pop(metadata.KEY, "") or metadata.read_xmp(packet)[0]
    _add_making(text, block)
    source = SourceMetadata(
        exif=block,
        text=_bounded(text),
        xmp=packet,
        photoshop=_photoshop(image, tags) or profiles.photoshop,
        others=_others(image),
        jpeg=encoding_of(image),
    )
    return source, payload


def _reader(file: Any) -> Callable[[int, int], bytes]:
    def read(place: int, size: int) -> bytes:
        file.seek(place)
        return bytes(file.read(size))

    return read


def _packet(image: Image.Image, text: str, other: bytes) -> bytes:
    """The file's XMP in UTF-8, with the parts of it that a JPEG keeps apart."""
    given = image.info.get("xmp") or text or other
    packet = given.encode() if isinstance(given, str) else bytes(given)
    parts = [data for name, data in _segments(image) if name == "APP1" and data.startswith(xmp.EXTENSION)]
    packet = xmp.in_utf8(packet)
    return xmp.joined(packet, parts) if parts else packet


def _photoshop(image: Image.Image, tags: Mapping[int, bytes]) -> bytes:
    """Photoshop's block with the IPTC that a TIFF holds beside it."""
    parts = [
        data.removeprefix(photoshop.MARKER)
        for name, data in _segments(image)
        if name == "APP13" and data.startswith(photoshop.MARKER)
    ]
    block = b"".join(parts) or tags.get(exif.PHOTOSHOP, b"")
    captions = tags.get(exif.IPTC, b"")
    return photoshop.with_captions(block, captions) if captions else block


def _segments(image: Image.Image) -> list[tuple[str, bytes]]:
    return cast("list[tuple[str, bytes]]", getattr(image, "applist", ()))


def _others(image: Image.Image) -> tuple[str, ...]:
    """Names of a JPEG's segments of other programs: thermal pictures, telemetry, credentials."""
    found: list[str] = []
    for name, data in _segments(image):
        known = any(data.startswith(start) for start in _OURS_OR_PLAIN)
        if name == "COM" or known:
            continue
        found.append(next((said for start, said in _OTHERS.items() if data.startswith(start)), name))
    return tuple(dict.fromkeys(found))


def _add_making(text: dict[str, str], block: bytes) -> None:
    """How the picture was made, where other tools put it into EXIF."""
    comment = exif.comment_of(block)
    if comment and _GENERATED.search(comment):
        text.setdefault(metadata.PARAMETERS_KEY, comment)
    for key, tag in WORKFLOW_KEYS.items():
        given = exif.name_in(block, tag)
        if given.startswith(f"{key}:"):
            text.setdefault(key, given.removeprefix(f"{key}:"))


def _bounded(text: Mapping[str, str]) -> dict[str, str]:
    """Texts within what a project holds."""
    kept = [
        (key, value) for key, value in text.items() if len(key) <= LONGEST_NAME and len(value) <= LONGEST_TEXT
    ]
    return dict(kept[:MOST_TEXTS])


def profile_of(image: Image.Image, notes: list[Message]) -> bytes:
    """The profile of RGB pixels; those for grey and ink do not fit pixels that have become RGB."""
    profile = bytes(image.info.get("icc_profile") or b"")
    if not icc.is_rgb(profile):
        return b""
    if not colour.is_usable(profile):
        notes.append(Message("The picture's colour profile is damaged and was left out."))
        return b""
    return profile


def dpi_of(image: Image.Image, source: SourceMetadata) -> tuple[float, float] | None:
    """Pixels per inch: the file's own, else Photoshop's, else EXIF's; None if no picture can have them."""
    try:
        across, down = (float(value) for value in image.info.get("dpi") or ())
    except (TypeError, ValueError, ZeroDivisionError):
        found = photoshop.dpi_of(source.photoshop)
        if found is None and image.format not in ("PNG", "GIF", "BMP"):
            found = exif.dpi_of(source.exif)
        across, down = found or (0.0, 0.0)
    low, high = DPI_RANGE
    return (across, down) if low <= across <= high and low <= down <= high else None


def _text(image: Image.Image) -> dict[str, str]:
    """The texts that the file itself has; the decoder's own remarks in `info` are none of them."""
    given: Any = getattr(image, "text", None)  # PNG
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in cast("dict[Any, Any]", given).items()}
    comments = [data for name, data in _segments(image) if name == "COM"]
    if not comments:
        comments = [cast("bytes | str", image.info.get("comment") or b"")]
    found = "\n".join(_decoded(data) for data in comments).strip("\0 ")
    return {COMMENT_KEY: found} if found else {}


def _decoded(data: bytes | str) -> str:
    """A comment, whose encoding no format tells: UTF-8, else Latin-1, which has a character for each byte."""
    if isinstance(data, str):
        return data
    try:
        return data.decode().strip("\0")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0")
