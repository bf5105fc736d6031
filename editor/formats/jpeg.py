"""JPEG: no transparency (flattened over white), with EXIF and XMP."""

from io import BytesIO
from pathlib import Path

from editor.formats import Opened, exif, raster
from editor.formats.carried import fitting_xmp, pillow_keywords, words_of
from editor.formats.decoding import said_broken
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
from editor.system.atomic import atomic_write
from inference.errors import EditorError

FULL_CHROMA_QUALITY = 90  # from here on colours keep the full resolution
LARGEST_XMP_BYTES = 65_000  # one APP1 segment
LARGEST_SIDE_PX = 65_500
_PILLOW_NAMES = ("JPEG", "MPO")
_END = b"\xff\xd9"  # after it, libjpeg fills what it has not seen
_SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def read(path: Path) -> Opened:
    """The picture of a file; see `Codec.read`. What is missing at the end of a file is left grey and said."""
    try:
        return raster.read(path, _PILLOW_NAMES)
    except EditorError as error:
        if "truncated" not in str(error.__cause__):
            raise
    with said_broken(path.name):
        data = BytesIO(path.read_bytes() + _END)
    return raster.read(path, _PILLOW_NAMES, ["The file ends early; what is missing was left grey."], data)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[str, ...]:
    """Write the composite; see `Codec.write`."""
    if max(picture.width, picture.height) > LARGEST_SIDE_PX:
        raise EditorError(
            f"The picture has {picture.width} × {picture.height} pixels; "
            f"JPEG holds up to {LARGEST_SIDE_PX} on a side.",
            "Export it as PNG or TIFF, or smaller.",
        )
    notes: list[str] = []
    words = words_of(picture, options)
    keywords = pillow_keywords(picture, words, notes, exif_bytes=exif.LARGEST_JPEG_BYTES)
    xmp = fitting_xmp(picture, words, LARGEST_XMP_BYTES, notes)
    if xmp:
        keywords["xmp"] = xmp
    image = raster.image_without_alpha(picture, grey=not picture.state.icc_profile)
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
