"""File formats, one a file; the table says which are there, and the modules load when they are used."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from editor.document.export_options import ExportOptions
from editor.formats.picture import Picture
from editor.layers.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.files import check_ordinary
from inference.messages import Message, listed
from inference.parameters import N_
from inference.reasons import reason_of

__all__ = [
    "FORMATS",
    "Codec",
    "ExportOptions",
    "FileFormat",
    "Opened",
    "Picture",
    "export_formats",
    "format_for_reading",
    "format_for_writing",
    "readable_extensions",
]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a file held. `notes` are sentences on what could not be kept."""

    state: DocumentState
    source: SourceMetadata
    is_project: bool = False
    is_drawing: bool = False  # it could have been drawn at another size
    notes: tuple[Message, ...] = ()


class Codec(Protocol):
    """What the module of a format offers; both run on any thread and raise `EditorError`."""

    @staticmethod
    def read(path: Path) -> Opened: ...

    @staticmethod
    def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
        """Write atomically; gives sentences on what the format could not hold."""
        ...


@dataclass(frozen=True, kw_only=True)
class FileFormat:
    """One format: its names, how its files begin, and the module that reads and writes it."""

    name: str
    label: str
    extensions: tuple[str, ...]
    mime_type: str
    module: str
    keeps_layers: bool = False
    writable: bool = True
    lossy: bool = False  # has a quality
    lossless: bool = False  # can do without loss although it has a quality
    deep: bool = False  # 16 bits a channel
    alpha: bool = True
    scalable: bool = False  # a drawing, which becomes pixels at any size

    @property
    def codec(self) -> Codec:
        return cast("Codec", importlib.import_module(self.module))


FORMATS: dict[str, FileFormat] = {
    item.name: item
    for item in (
        FileFormat(
            name="openraster",
            label=N_("FileFormat", "OpenRaster project"),
            extensions=(".ora",),
            mime_type="image/openraster",
            module="editor.formats.openraster",
            keeps_layers=True,
            deep=True,
        ),
        FileFormat(
            name="png",
            label=N_("FileFormat", "PNG"),
            extensions=(".png",),
            mime_type="image/png",
            module="editor.formats.png",
            deep=True,
        ),
        FileFormat(
            name="jpeg",
            label=N_("FileFormat", "JPEG"),
            extensions=(".jpg", ".jpeg"),
            mime_type="image/jpeg",
            module="editor.formats.jpeg",
            lossy=True,
            alpha=False,
        ),
        FileFormat(
            name="webp",
            label=N_("FileFormat", "WebP"),
            extensions=(".webp",),
            mime_type="image/webp",
            module="editor.formats.webp",
            lossy=True,
            lossless=True,
        ),
        FileFormat(
            name="tiff",
            label=N_("FileFormat", "TIFF"),
            extensions=(".tif", ".tiff"),
            mime_type="image/tiff",
            module="editor.formats.tiff",
            deep=True,
        ),
        FileFormat(
            name="avif",
            label=N_("FileFormat", "AVIF"),
            extensions=(".avif",),
            mime_type="image/avif",
            module="editor.formats.avif",
            lossy=True,
        ),
        FileFormat(
            name="heif",
            label=N_("FileFormat", "HEIF"),
            extensions=(".heic", ".heif"),
            mime_type="image/heif",
            module="editor.formats.heif",
            writable=False,
        ),
        FileFormat(
            name="psd",
            label=N_("FileFormat", "Photoshop document"),
            extensions=(".psd", ".psb"),
            mime_type="image/vnd.adobe.photoshop",
            module="editor.formats.psd",
            keeps_layers=True,
            writable=False,
        ),
        FileFormat(
            name="raw",
            label=N_("FileFormat", "Camera raw"),
            extensions=(".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"),
            mime_type="image/x-adobe-dng",
            module="editor.formats.raw",
            writable=False,
            deep=True,
        ),
        FileFormat(
            name="jxl",
            label=N_("FileFormat", "JPEG XL"),
            extensions=(".jxl",),
            mime_type="image/jxl",
            module="editor.formats.jxl",
            writable=False,
            deep=True,
        ),
        FileFormat(
            name="svg",
            label=N_("FileFormat", "SVG drawing"),
            extensions=(".svg", ".svgz"),
            mime_type="image/svg+xml",
            module="editor.formats.svg",
            writable=False,
            scalable=True,
        ),
        FileFormat(
            name="light",
            label=N_("FileFormat", "OpenEXR and Radiance HDR"),
            extensions=(".exr", ".hdr"),
            mime_type="image/x-exr",
            module="editor.formats.light",
            writable=False,
            deep=True,
        ),
        FileFormat(
            name="other",
            label=N_("FileFormat", "Other pictures"),
            extensions=(
                ".bmp",
                ".gif",
                ".jp2",
                ".j2k",
                ".qoi",
                ".ico",
                ".tga",
                ".ppm",
                ".pgm",
                ".pbm",
            ),
            mime_type="",
            module="editor.formats.other",
            writable=False,
        ),
    )
}


def export_formats() -> tuple[FileFormat, ...]:
    """The formats of flat pictures that can be written."""
    return tuple(item for item in FORMATS.values() if item.writable and not item.keeps_layers)


def readable_extensions() -> tuple[str, ...]:
    return tuple(extension for item in FORMATS.values() for extension in item.extensions)


def format_for_writing(path: Path, name: str = "") -> FileFormat:
    """The format of that name, or the one that the ending of `path` asks for.

    Raises:
        EditorError: no such format, or one that is only read.
    """
    if name:
        found = FORMATS.get(name)
    else:
        found = next((item for item in FORMATS.values() if path.suffix.lower() in item.extensions), None)
    if found is None or not found.writable:
        endings = listed(ending for item in FORMATS.values() if item.writable for ending in item.extensions)
        raise EditorError(
            Message("Attune cannot write “{name}”.", name=name)
            if name
            else Message("Attune cannot write files with the ending of “{name}”.", name=path.name),
            "Choose one of: {endings}.",
            endings=endings,
        )
    return found


def format_for_reading(path: Path) -> FileFormat:
    """The format that the first bytes of a file show, whatever it is called.

    Raises:
        EditorError: no file, or no picture that Attune reads.
    """
    head = _head(path)
    for name, fits in _SIGNATURES:
        if fits(head):
            return FORMATS[name]
    if path.suffix.lower() == ".tga" and head:
        return FORMATS["other"]  # has no mark of its own
    if head[:4] == b"PK\3\4" and _holds_layers(path):
        return FORMATS["openraster"]
    if _is_drawing(path, head):
        return FORMATS["svg"]
    if head.startswith(b"gimp xcf "):
        raise EditorError(
            "“{name}” is a file of GIMP, whose layers only GIMP itself reads well.",
            "Open it in GIMP and export it as OpenRaster (.ora) or as Photoshop document (.psd), "
            "which keep the layers.",
            name=path.name,
        )
    raise EditorError(
        Message("“{name}” is no picture that Attune reads.", name=path.name)
        if head
        else Message("“{name}” is empty.", name=path.name),
        "Attune opens PNG, JPEG, WebP, TIFF, AVIF, HEIF, JPEG 2000, JPEG XL, camera raw, OpenEXR, "
        "OpenRaster, Photoshop, SVG and some older kinds of files.",
    )


def _head(path: Path) -> bytes:
    check_ordinary(path)
    try:
        with path.open("rb") as file:
            return file.read(64)
    except FileNotFoundError as error:
        raise EditorError("There is no file “{path}”.", "Check the name.", path=path) from error
    except IsADirectoryError as error:
        raise EditorError("“{path}” is a folder.", "Choose a picture in it.", path=path) from error
    except OSError as error:
        raise EditorError("“{path}” cannot be read: {reason}.", path=path, reason=reason_of(error)) from error


def _holds_layers(path: Path) -> bool:
    """Whether a zip file is OpenRaster although its `mimetype` does not stand where it should."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return "stack.xml" in archive.NameToInfo
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def _is_drawing(path: Path, head: bytes) -> bool:
    """Whether a text begins as SVG does, after what may stand before it, or is packed and called so."""
    if head.startswith(b"\x1f\x8b"):
        return path.suffix.lower() in FORMATS["svg"].extensions
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if not start.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")):
        return False
    with path.open("rb") as file:
        return b"<svg" in file.read(_LONGEST_PREAMBLE_BYTES).replace(b"\0", b"").lower()


_LONGEST_PREAMBLE_BYTES = 2**16
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

_RAW = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW")  # Olympus, Panasonic, Fujifilm
_LIGHT = (b"v/1\x01", b"#?RADIANCE", b"#?RGBE")
_OTHERS = (
    b"BM",
    b"GIF8",
    b"\0\0\0\x0cjP  \r\n\x87\n",  # JPEG 2000 in its container
    b"\xff\x4f\xff\x51",  # and without
    b"qoif",
    b"\0\0\1\0",  # icons
    *(b"P%d%c" % (kind, space) for kind in range(1, 7) for space in b" \t\r\n"),  # PNM
)

_SIGNATURES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    ("jpeg", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("webp", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    ("openraster", lambda head: head[:4] == b"PK\x03\x04" and b"mimetypeimage/openraster" in head),
    ("raw", lambda head: head.startswith(_RAW) or (head[:4] == b"II*\0" and head[8:10] == b"CR")),
    ("raw", lambda head: head[4:12] == b"ftypcrx "),  # Canon's newer one
    ("tiff", lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("avif", lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis")),
    ("heif", lambda head: head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS),
    ("psd", lambda head: head[:4] == b"8BPS"),
    ("jxl", lambda head: head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"))),
    ("light", lambda head: head.startswith(_LIGHT)),
    ("other", lambda head: any(head.startswith(start) for start in _OTHERS)),
)
