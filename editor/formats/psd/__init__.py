"""Photoshop documents (PSD, PSB), read through psd-tools; what Attune lacks is said, layer by layer."""

from __future__ import annotations

import io
import logging
import struct
from pathlib import Path
from typing import Any

from editor.colour import conversion as colour
from editor.colour import icc
from editor.formats import ExportOptions, Opened, Picture
from editor.formats.decoding import said_broken
from editor.formats.metadata import photoshop
from editor.formats.psd.layers import Reader
from editor.formats.psd.mending import mended
from editor.formats.psd.merged import with_picture
from editor.formats.psd.pixels import flat_samples
from editor.formats.psd.resources import EXIF, PROFILE, XMP, Resources
from editor.layers.layer import Layer, Node
from editor.layers.limits import LARGEST_PIXELS, check_file_size
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import Message

HEADER_BYTES = 26
RGB, GREY = 3, 1
_MOST_BYTES = 32 * LARGEST_PIXELS  # what psd-tools may hold for one layer: floats of every channel, twice
_MODES = {
    0: Message("bitmap"),
    2: Message("indexed colour"),
    4: Message("CMYK"),
    7: Message("multichannel"),
    8: Message("duotone"),
    9: Message("Lab"),
}


def read(path: Path) -> Opened:
    """Read the layers, or the flattened picture of documents in other colours than RGB and grey.

    Raises:
        EditorError: damaged, or beyond the limits.
    """
    with said_broken(path.name):
        _check_header(path)
        import psd_tools

        reader: Any = psd_tools.PSDImage
        logging.getLogger("psd_tools").setLevel(logging.CRITICAL)  # what it lacks is ours to say
        notes: list[Message] = []
        whole = path.read_bytes()
        data, resources = mended(whole, notes)
        document: Any = reader.open(io.BytesIO(data), max_alloc_bytes=_MOST_BYTES)
        return _opened(document, resources, path, notes, photoshop.of_document(whole))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Save as .ora, or export a picture.", suffix=path.suffix
    )


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES:
        raise EditorError("“{name}” is damaged or incomplete.", "Get the file again.", name=path.name)
    height, width = struct.unpack_from(">II", head, 14)
    check_file_size(path.name, width, height)


def _opened(
    document: Any, resources: Resources, path: Path, notes: list[Message], described: bytes
) -> Opened:
    profile = resources.bytes(PROFILE)
    nodes = _nodes(document, profile, path, notes)
    usable = icc.is_rgb(profile) and colour.is_usable(profile) and int(document.color_mode) in (RGB, GREY)
    state = DocumentState(
        width=document.width,
        height=document.height,
        layers=nodes,
        active=nodes[-1].id,
        dpi=resources.dpi(),
        guides=resources.guides(),
        icc_profile=profile if usable else b"",
    )
    exif, xmp = resources.bytes(EXIF), resources.bytes(XMP)
    source = SourceMetadata(
        exif=b"Exif\0\0" + exif if exif else b"", xmp=xmp, photoshop=described, photo=True
    )
    return Opened(state=state, source=source, notes=tuple(dict.fromkeys(notes)))


def _nodes(document: Any, profile: bytes, path: Path, notes: list[Message]) -> tuple[Node, ...]:
    mode = int(document.color_mode)
    if mode not in (RGB, GREY):
        notes.append(
            Message(
                "The document is in {mode}; it was opened flattened, in sRGB.",
                mode=_MODES.get(mode, Message("unknown colours")),
            )
        )
    elif len(document):
        reader = Reader(document, notes)
        nodes = reader.nodes()
        if nodes:
            return with_picture(document, nodes, reader.lossy, notes)
        notes.append(Message("None of the document's layers could be opened; it was opened flattened."))
    samples = flat_samples(document, notes, profile)
    return (Layer(name=path.stem, raster=Raster.of(samples)),)
