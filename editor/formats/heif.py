"""HEIF (phones' .heic), read through pillow-heif where it is installed."""

import importlib
from pathlib import Path
from typing import Any

from editor.formats import Opened, raster
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
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
    return raster.read(path, ("HEIF",))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Choose AVIF, JPEG or PNG.", suffix=path.suffix
    )
