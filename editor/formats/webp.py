"""WebP, lossy or lossless, with EXIF and XMP."""

from pathlib import Path

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.carried import pillow_keywords, words_of
from editor.formats.picture import Picture
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.messages import Message

LARGEST_SIDE_PX = 16383
_METHODS = {"fast": 2, "normal": 4, "small": 6}


def read(path: Path) -> Opened:
    return raster.read(path, ("WEBP",))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`.

    Raises:
        EditorError: a side is longer than WebP allows, or the file cannot be written.
    """
    if max(picture.width, picture.height) > LARGEST_SIDE_PX:
        raise EditorError(
            "The picture has {width} × {height} pixels; WebP holds up to {most} on a side.",
            "Export it as PNG or JPEG.",
            width=picture.width,
            height=picture.height,
            most=LARGEST_SIDE_PX,
        )
    words = words_of(picture, options, "webp")
    keywords = pillow_keywords(picture, words, [])
    keywords.pop("dpi", None)  # WebP has no place for it
    if words.xmp:
        keywords["xmp"] = words.xmp
    image = raster.image_of(picture)
    with atomic_write(path) as file:
        image.save(
            file,
            "WEBP",
            quality=options.quality,
            lossless=options.lossless,
            method=_METHODS[options.effort],
            exact=True,
            **keywords,
        )
    return ()
