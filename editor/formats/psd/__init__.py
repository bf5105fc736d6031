"""Photoshop documents (PSD, PSB), read through psd-tools; what Attune lacks is said, layer by layer."""

from __future__ import annotations

import io
import logging
import struct
from pathlib import Path
from typing import Any, cast

from editor.colour import conversion as colour
from editor.colour import icc
from editor.formats import ExportOptions, Opened, Picture
from editor.formats.decoding import said_broken
from editor.formats.limits import LARGEST_PIXELS, check_size
from editor.formats.psd.layers import Reader
from editor.formats.psd.pixels import flat_samples
from editor.layers.layer import Layer, Node
from editor.layers.state import DocumentState, Guide, SourceMetadata
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import Message

HEADER_BYTES = 26
RGB, GREY = 3, 1
_RESOLUTION, _GUIDES, _PROFILE, _EXIF, _XMP = 1005, 1032, 1039, 1058, 1060
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
        document: Any = reader.open(io.BytesIO(path.read_bytes()), max_alloc_bytes=_MOST_BYTES)
        return _opened(document, path)


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
    check_size(path.name, width, height)


def _opened(document: Any, path: Path) -> Opened:
    notes: list[Message] = []
    resources = _Resources(document)
    nodes = _nodes(document, path, notes)
    profile = resources.bytes(_PROFILE)
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
    exif, xmp = resources.bytes(_EXIF), resources.bytes(_XMP)
    source = SourceMetadata(exif=b"Exif\0\0" + exif if exif else b"", xmp=xmp, photo=True)
    return Opened(state=state, source=source, notes=tuple(dict.fromkeys(notes)))


def _nodes(document: Any, path: Path, notes: list[Message]) -> tuple[Node, ...]:
    mode = int(document.color_mode)
    if mode not in (RGB, GREY):
        notes.append(
            Message(
                "The document is in {mode}; it was opened flattened, in sRGB.",
                mode=_MODES.get(mode, Message("unknown colours")),
            )
        )
    elif len(document):
        nodes = Reader(document, notes).nodes()
        if nodes:
            return nodes
        notes.append(Message("None of the document's layers could be opened; it was opened flattened."))
    samples = flat_samples(document, notes)
    return (Layer(name=path.stem, raster=Raster.of(samples)),)


class _Resources:
    """What a document says beside its layers; anything broken counts as missing."""

    def __init__(self, document: Any) -> None:
        self._resources = document.image_resources

    def bytes(self, key: int) -> bytes:
        data = self._data(key)
        return bytes(cast("bytes", data)) if isinstance(data, bytes | bytearray) else b""

    def dpi(self) -> tuple[float, float] | None:
        data = self._data(_RESOLUTION)
        across, down = getattr(data, "horizontal", 0) / 65536, getattr(data, "vertical", 0) / 65536
        return (across, down) if 0.1 <= across <= 1e6 and 0.1 <= down <= 1e6 else None

    def guides(self) -> tuple[Guide, ...]:
        items: list[Any] = list(getattr(self._data(_GUIDES), "data", ()))[:1000]
        return tuple(Guide(vertical=kind == 0, position=place / 32) for place, kind in items)

    def _data(self, key: int) -> Any:
        try:
            return self._resources.get_data(key)
        except (KeyError, ValueError, AttributeError, TypeError):
            return None
