"""Pictures that are opened but not written: BMP, GIF (first frame)."""

from pathlib import Path

from editor.formats import Opened, raster
from editor.formats.options import ExportOptions
from editor.formats.picture import Picture
from inference.errors import EditorError
from inference.messages import Message


def read(path: Path) -> Opened:
    return raster.read(path, ("BMP", "GIF"))


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Choose PNG, JPEG or WebP.", suffix=path.suffix
    )
