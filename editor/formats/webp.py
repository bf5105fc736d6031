"""WebP, lossy or lossless, with EXIF and XMP."""

from pathlib import Path

from PIL import Image

from editor.atomic import atomic_write
from editor.formats import ExportOptions, Opened, Picture, raster
from inference.errors import EditorError

LARGEST_SIDE_PX = 16383


def read(path: Path) -> Opened:
    return raster.read(path, ("WEBP",))


def write(picture: Picture, path: Path, options: ExportOptions) -> None:
    """Write the composite.

    Raises:
        EditorError: a side is longer than WebP allows, or the file cannot be written.
    """
    height, width, _ = picture.pixels.shape
    if max(width, height) > LARGEST_SIDE_PX:
        raise EditorError(
            f"The picture has {width} × {height} pixels; WebP holds up to {LARGEST_SIDE_PX} on a side.",
            "Export it as PNG or JPEG.",
        )
    image = Image.fromarray(raster.opaque_or_rgba(picture))
    keywords = raster.extras(picture) | raster.provenance_keywords(picture, options)
    keywords.pop("dpi", None)  # WebP has no place for it
    with atomic_write(path) as file:
        image.save(file, "WEBP", quality=options.quality, lossless=options.lossless, exact=True, **keywords)
