"""JPEG: no transparency (flattened over white), with EXIF and XMP."""

from pathlib import Path

from editor.formats import Opened, exif, raster
from editor.formats.carried import fitting_xmp, pillow_keywords, words_of
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.messages import Message

FULL_CHROMA_QUALITY = 90  # from here on colours keep the full resolution
LARGEST_XMP_BYTES = 65_000  # one APP1 segment
LARGEST_SIDE_PX = 65_500
_SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def read(path: Path) -> Opened:
    return raster.read(path, ("JPEG", "MPO"))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`."""
    if max(picture.width, picture.height) > LARGEST_SIDE_PX:
        raise EditorError(
            "The picture has {width} × {height} pixels; JPEG holds up to {most} on a side.",
            "Export it as PNG or TIFF, or smaller.",
            width=picture.width,
            height=picture.height,
            most=LARGEST_SIDE_PX,
        )
    notes: list[Message] = []
    words = words_of(picture, options)
    keywords = pillow_keywords(picture, words, notes, exif_bytes=exif.LARGEST_JPEG_BYTES)
    xmp = fitting_xmp(picture, words, LARGEST_XMP_BYTES, notes)
    if xmp:
        keywords["xmp"] = xmp
    image = raster.image_of(picture, alpha=False)
    with atomic_write(path) as file:
        image.save(
            file,
            "JPEG",
            quality=options.quality,
            subsampling=subsampling(options),
            progressive=options.progressive,
            optimize=options.progressive or options.effort == "small",
            **keywords,
        )
    return tuple(notes)


def subsampling(options: ExportOptions) -> int:
    if options.subsampling == "auto":
        return 0 if options.quality >= FULL_CHROMA_QUALITY else 2
    return _SUBSAMPLING[options.subsampling]
