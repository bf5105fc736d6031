"""TIFF: 8 or 16 bits, deflated or plain, read in every layout that libtiff knows."""

import struct
from pathlib import Path

from editor.atomic import atomic_write
from editor.formats import Opened, exif, photoshop, raster
from editor.formats.carried import Words, words_of
from editor.formats.exif_block import BYTE, RATIONAL, SHORT, UNDEFINED
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
from editor.formats.tiff_writer import Tags, write_tiff
from inference.errors import EditorError

LARGEST_BYTES = 4 * 10**9  # classic TIFF counts bytes with 32 bits
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 282, 283, 296, 2
_PROFILE = 34675


def read(path: Path) -> Opened:
    return raster.read(path, ("TIFF",))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[str, ...]:
    """Write the composite; see `Codec.write`.

    Raises:
        EditorError: more than 4 GB.
    """
    size = picture.width * picture.height * picture.depth // 8 * 4
    if size > LARGEST_BYTES:
        raise EditorError(
            f"The picture has {size // 10**9} GB; TIFF holds up to 4 GB.", "Export it as PNG, or smaller."
        )
    with atomic_write(path) as file:
        words = words_of(picture, options, "tiff")
        block = words.exif or exif.Block.empty("<")
        tags = tags_of(picture, words, block.order)
        write_tiff(file, picture, block, tags, compress=options.tiff_compression == "deflate")
    return ()


def tags_of(picture: Picture, words: Words, order: str) -> Tags:
    """What is said beside the pixels and EXIF, each as (type, bytes in the file's order)."""
    tags: Tags = {}
    captions = photoshop.captions(words.photoshop)
    others = photoshop.with_captions(words.photoshop, b"")
    for tag, kind, data in (
        (exif.XMP, BYTE, words.xmp),
        (exif.IPTC, UNDEFINED, captions),
        (exif.PHOTOSHOP, BYTE, others),
        (_PROFILE, UNDEFINED, picture.state.icc_profile),
    ):
        if data:
            tags[tag] = (kind, data)
    if picture.state.dpi is not None:
        for tag, value in zip((_X_RESOLUTION, _Y_RESOLUTION), picture.state.dpi, strict=True):
            tags[tag] = (RATIONAL, struct.pack(f"{order}II", *exif.ratio(value)))
        tags[_RESOLUTION_UNIT] = (SHORT, struct.pack(f"{order}H", _INCH))
    return tags
