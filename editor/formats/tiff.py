"""TIFF: 8 or 16 bits, deflated or plain, read in every layout that libtiff knows."""

from pathlib import Path

from editor.formats import Opened, raster
from editor.formats import provenance as metadata
from editor.formats.carried import words_of
from editor.formats.exif import GPS_TAG
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
from editor.formats.tiff_writer import Tags, write_tiff
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.messages import Message

LARGEST_BYTES = 4 * 10**9  # classic TIFF counts bytes with 32 bits
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 282, 283, 296, 2
_XMP, _PROFILE = 700, 34675


def read(path: Path) -> Opened:
    return raster.read(path, ("TIFF",))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`.

    Raises:
        EditorError: more than 4 GB.
    """
    size = picture.width * picture.height * picture.depth // 8 * 4
    if size > LARGEST_BYTES:
        raise EditorError(
            "The picture has {size_gb} GB; TIFF holds up to 4 GB.",
            "Export it as PNG, or smaller.",
            size_gb=size // 10**9,
        )
    with atomic_write(path) as file:
        write_tiff(file, picture, tags_of(picture, options), compress=options.tiff_compression == "deflate")
    return ()


def tags_of(picture: Picture, options: ExportOptions) -> Tags:
    """What is said beside the pixels; nested folders are dicts."""
    words = words_of(picture, options)
    tags: Tags = {tag: words.exif[tag] for tag in words.exif}
    for folder in (metadata.EXIF_FOLDER_TAG, GPS_TAG):
        tags.pop(folder, None)
        entries = words.exif.get_ifd(folder)
        if entries:
            tags[folder] = dict(entries)
    if words.xmp:
        tags[_XMP] = words.xmp
    if picture.state.icc_profile:
        tags[_PROFILE] = picture.state.icc_profile
    if picture.state.dpi is not None:
        tags[_X_RESOLUTION], tags[_Y_RESOLUTION] = picture.state.dpi
        tags[_RESOLUTION_UNIT] = _INCH
    return tags
