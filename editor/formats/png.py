"""PNG: 8 or 16 bit RGB or RGBA, with our chunk, `parameters` and XMP as text."""

import struct
import zlib
from functools import partial
from pathlib import Path

from PIL.PngImagePlugin import PngInfo

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.carried import Words, words_of
from editor.formats.colour_space import of_png
from editor.formats.decoding import said_broken
from editor.formats.metadata import provenance as metadata
from editor.formats.metadata import raw_profiles
from editor.formats.picture import Picture
from editor.formats.png_chunks import mended, scanned
from editor.formats.png_writer import Chunk, Layout, write_png
from editor.system.atomic import atomic_write
from inference.messages import Message, listed

_METRES_PER_INCH = 0.0254


def read(path: Path) -> Opened:
    """The picture of a file; see `Codec.read`. What is damaged beside the pixels is left out and said."""
    with said_broken(path.name):
        chunks = scanned(path)
        declared = partial(of_png, chunks.small)
        if not chunks.broken:
            return raster.read(path, ("PNG",), declared=declared)
        names = listed(sorted({name.decode() for name, _, _ in chunks.broken}))
        notes = [
            Message(
                "Damaged or too long parts of the file beside its pixels were left out: {names}.", names=names
            )
        ]
        return raster.read(path, ("PNG",), notes, mended(path, chunks), declared)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`."""
    channels = 3 if picture.is_opaque else 4
    layout = Layout(width=picture.width, height=picture.height, channels=channels, depth=picture.depth)
    with atomic_write(path) as file:
        write_png(
            file, layout, picture.band, chunks_of(picture, words_of(picture, options, "png")), options.effort
        )
    return ()


def chunks_of(picture: Picture, words: Words) -> list[Chunk]:
    """Everything between the header and the pixels."""
    chunks: list[Chunk] = []
    if picture.state.icc_profile:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(picture.state.icc_profile)))
    if picture.state.dpi is not None:
        across, down = (round(value / _METRES_PER_INCH) for value in picture.state.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    chunks += _text(words)
    if words.exif is not None:
        chunks.append((b"eXIf", bytes(words.exif.data)))
    return chunks


def _text(words: Words) -> list[Chunk]:
    info = PngInfo()
    for key, value in words.text.items():
        if is_keyword(key):
            _add_text(info, key, value)
    if words.payload:
        info.add_itxt(metadata.KEY, words.payload)
    if words.parameters:
        _add_text(info, metadata.PARAMETERS_KEY, words.parameters)
    if words.photoshop:
        info.add_text(f"{raw_profiles.KEY}iptc", raw_profiles.encoded("iptc", words.photoshop), zip=True)
    if words.xmp:
        info.add_itxt(metadata.XMP_KEY, words.xmp.decode("utf-8", errors="replace"))
    return [(name, data) for name, data, *_ in info.chunks]


def is_keyword(key: str) -> bool:
    """PNG's keywords are 1 to 79 Latin-1 characters."""
    return 1 <= len(key) <= 79 and all(32 <= ord(c) < 127 or 160 < ord(c) < 256 for c in key)


def _add_text(info: PngInfo, key: str, text: str) -> None:
    """Other tools look for a tEXt chunk; what Latin-1 cannot say goes into an iTXt one."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        info.add_itxt(key, text)
    else:
        info.add_text(key, text)
