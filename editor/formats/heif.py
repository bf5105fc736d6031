"""HEIF (phones' .heic), read through pillow-heif; installers leave it out, for the GPL of a part of it."""

import importlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.boxes import properties_of
from editor.formats.colour_space import of_boxes
from editor.formats.decoding import said_broken
from editor.formats.deep import spread
from editor.formats.picture import Picture
from editor.pixels.raster import Samples
from inference.errors import EditorError
from inference.messages import Message


def read(path: Path) -> Opened:
    """Read the primary picture.

    Raises:
        EditorError: pillow-heif is missing, or the file is damaged.
    """
    try:
        library: Any = importlib.import_module("pillow_heif")
    except ImportError as error:
        raise EditorError(
            "“{name}” is a HEIF picture, which needs the library pillow-heif.",
            "Install pillow-heif, or convert the picture to JPEG or PNG.",
            name=path.name,
        ) from error
    library.register_heif_opener(thumbnails=False)
    with said_broken(path.name):
        said = properties_of(path)
        decode = partial(_deep, library, path, said.bits) if said.bits > 8 else None
        return raster.read(path, ("HEIF",), declared=partial(of_boxes, said), decode=decode)


def _deep(library: Any, path: Path, bits: int, image: Image.Image) -> Samples:
    """Samples [H, W, 4] of 16 bits, not turned; the library puts 10 and 12 bits into the upper ones."""
    file = library.open_heif(path, convert_hdr_to_8bit=False)
    values = np.asarray(file)
    if values.shape[:2] != (image.height, image.width) or values.dtype != np.uint16:
        raise ValueError("its parts have different sizes")
    return spread(values >> (16 - bits), bits)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Choose AVIF, JPEG or PNG.", suffix=path.suffix
    )
