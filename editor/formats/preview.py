"""First pixels of a large file, long before all of it is decoded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from editor.formats.decoding import decoded, opened, orientation_of, reopener, said_broken
from editor.pixels.arithmetic import read_only, to_rgba
from editor.pixels.raster import to_eight_bits
from inference.errors import EditorError
from inference.request import Pixels

WORTH_PIXELS = 4_000_000  # smaller pictures are there at once
PREVIEW_PIXELS = 1_500_000
_MOST_SCALES = 8  # libjpeg decodes at 1/8 at the smallest
_THUMBNAIL = "Thumbnails/thumbnail.png"
_THUMBNAIL_BYTES = 2**22


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Small pixels RGBA, upright, in the file's own colour space, and the size of what is to come."""

    pixels: Pixels
    width: int
    height: int


OnPreview: TypeAlias = Callable[[Preview], None]


def jpeg_preview(path: Path) -> Preview | None:
    """A JPEG decoded at a fraction of its size; None where that is not worth it.

    Raises:
        EditorError: the file is damaged.
    """
    with opened(path, ("JPEG", "MPO")) as image:
        width, height = image.size
        if width * height < WORTH_PIXELS or image.mode not in ("RGB", "L"):
            return None
        turned = orientation_of(image) in (5, 6, 7, 8)
        share = 1
        while share < _MOST_SCALES and width * height > PREVIEW_PIXELS * share * share:
            share *= 2
        image.draft(image.mode, (width // share, height // share))
        pixels = to_eight_bits(decoded(image, reopener(path, ("JPEG", "MPO")), []))
        return Preview(pixels=pixels, width=height if turned else width, height=width if turned else height)


def openraster_preview(path: Path) -> Preview | None:
    """The thumbnail of a project; None if it has none that can be used."""
    try:
        with said_broken(path.name), zipfile.ZipFile(path) as archive:
            info = archive.getinfo(_THUMBNAIL)
            if info.file_size > _THUMBNAIL_BYTES:
                return None
            thumbnail = BytesIO(archive.read(info))
            with archive.open("mergedimage.png") as merged, Image.open(merged, formats=("PNG",)) as image:
                width, height = image.size
        with opened(thumbnail, ("PNG",)) as small:
            pixels = read_only(to_rgba(np.asarray(small.convert("RGBA"))))
    except EditorError:
        return None
    return Preview(pixels=pixels, width=width, height=height) if width * height >= WORTH_PIXELS else None


PREVIEWS: dict[str, Callable[[Path], Preview | None]] = {
    "jpeg": jpeg_preview,
    "openraster": openraster_preview,
}
"""Formats whose files have first pixels."""
