"""JPEG: no transparency (flattened over white), with EXIF and XMP."""

from pathlib import Path

from PIL import Image

from editor.atomic import atomic_write
from editor.formats import ExportOptions, Opened, Picture, raster

FULL_CHROMA_QUALITY = 90  # from here on colours keep the full resolution
LARGEST_XMP_BYTES = 65_000  # one APP1 segment


def read(path: Path) -> Opened:
    return raster.read(path, ("JPEG", "MPO"))


def write(picture: Picture, path: Path, options: ExportOptions) -> None:
    image = Image.fromarray(raster.flattened(picture))
    keywords = raster.extras(picture) | raster.provenance_keywords(picture, options, LARGEST_XMP_BYTES)
    subsampling = 0 if options.quality >= FULL_CHROMA_QUALITY else 2
    with atomic_write(path) as file:
        image.save(file, "JPEG", quality=options.quality, subsampling=subsampling, optimize=True, **keywords)
