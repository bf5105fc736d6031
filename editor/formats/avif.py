"""AVIF through Pillow: lossy or nearly lossless, 8 bits, with EXIF and XMP."""

from pathlib import Path

from PIL import features

from editor.formats import Opened, raster
from editor.formats.carried import pillow_keywords, words_of
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.messages import Message

LARGEST_SIDE_PX = 65_535
_SPEEDS = {"fast": 9, "normal": 7, "small": 4}


def read(path: Path) -> Opened:
    _check_available()
    return raster.read(path, ("AVIF",))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`."""
    _check_available()
    words = words_of(picture, options)
    keywords = pillow_keywords(picture, words, [])
    keywords.pop("dpi", None)  # AVIF has no place for it
    if words.xmp:
        keywords["xmp"] = words.xmp
    sampling = "4:4:4" if options.lossless or options.subsampling == "auto" else options.subsampling
    image = raster.image_of(picture)
    with atomic_write(path) as file:
        image.save(
            file,
            "AVIF",
            quality=100 if options.lossless else options.quality,
            subsampling=sampling,
            speed=_SPEEDS[options.effort],
            **keywords,
        )
    return ()


def _check_available() -> None:
    if not features.check("avif"):
        raise EditorError("AVIF is not supported by this installation's Pillow.", "Choose WebP or JPEG.")
