"""File formats, one a file; the table says which are there, and the modules load when they are used."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from editor.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.parameters import N_
from inference.request import Pixels


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """How a picture is written. `format` is a key of `FORMATS`; "" goes by the file's ending.

    `quality` (1..100) is for JPEG and lossy WebP; `metadata` says how the picture was made.
    """

    format: str = ""
    quality: int = 92
    lossless: bool = False
    metadata: bool = True


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a file held. `notes` are sentences on what could not be kept."""

    state: DocumentState
    source: SourceMetadata
    is_project: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is written: the composite as read-only RGBA, its layers, and what the source said."""

    pixels: Pixels
    state: DocumentState
    source: SourceMetadata


class Codec(Protocol):
    """What the module of a format offers; both run on any thread and raise `EditorError`."""

    @staticmethod
    def read(path: Path) -> Opened: ...

    @staticmethod
    def write(picture: Picture, path: Path, options: ExportOptions) -> None: ...


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
    lossy: bool = False

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
        ),
        FileFormat(
            name="png",
            label=N_("FileFormat", "PNG"),
            extensions=(".png",),
            mime_type="image/png",
            module="editor.formats.png",
        ),
        FileFormat(
            name="jpeg",
            label=N_("FileFormat", "JPEG"),
            extensions=(".jpg", ".jpeg"),
            mime_type="image/jpeg",
            module="editor.formats.jpeg",
            lossy=True,
        ),
        FileFormat(
            name="webp",
            label=N_("FileFormat", "WebP"),
            extensions=(".webp",),
            mime_type="image/webp",
            module="editor.formats.webp",
            lossy=True,
        ),
        FileFormat(
            name="other",
            label=N_("FileFormat", "Other pictures"),
            extensions=(".bmp", ".gif", ".tif", ".tiff"),
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
        endings = ", ".join(
            ending for item in FORMATS.values() if item.writable for ending in item.extensions
        )
        what = f"“{name}”" if name else f"the ending of “{path.name}”"
        raise EditorError(f"Attune cannot write {what}.", f"Choose one of: {endings}.")
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
    what = "is empty" if not head else "is no picture that Attune reads"
    raise EditorError(
        f"“{path.name}” {what}.", "It opens PNG, JPEG, WebP, TIFF, BMP, GIF and OpenRaster files."
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except FileNotFoundError as error:
        raise EditorError(f"There is no file “{path}”.", "Check the name.") from error
    except IsADirectoryError as error:
        raise EditorError(f"“{path}” is a folder.", "Choose a picture in it.") from error
    except OSError as error:
        raise EditorError(f"“{path}” cannot be read: {error.strerror or error}.") from error


_SIGNATURES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    ("jpeg", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("webp", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    ("openraster", lambda head: head[:4] == b"PK\x03\x04" and b"mimetypeimage/openraster" in head),
    ("other", lambda head: head[:2] == b"BM" or head[:4] in (b"GIF8", b"II*\0", b"MM\0*")),
)
