"""Pictures that are opened but not written: BMP, GIF (first frame), TIFF (first page)."""

from pathlib import Path

from editor.formats import ExportOptions, Opened, Picture, raster
from inference.errors import EditorError


def read(path: Path) -> Opened:
    return raster.read(path, ("BMP", "GIF", "TIFF"))


def write(picture: Picture, path: Path, options: ExportOptions) -> None:
    del picture, options
    raise EditorError(f"Attune does not write “{path.suffix}” files.", "Choose PNG, JPEG or WebP.")
