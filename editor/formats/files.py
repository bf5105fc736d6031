"""Opening, saving and exporting: functions that may run on any thread and touch no Qt object."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from editor.formats import FORMATS, ExportOptions, Opened, Picture, format_for_reading, format_for_writing
from editor.layers.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.messages import Message
from inference.request import Pixels

__all__ = [
    "ExportOptions",
    "Opened",
    "export_picture",
    "export_preview",
    "open_file",
    "sample_picture",
    "sample_pictures",
    "save_project",
]


def open_file(path: Path, size_of: Callable[[int, int], tuple[int, int]] | None = None) -> Opened:
    """Read a picture or project.

    `size_of` makes the wished (width, height) of a drawing's own; all else has pixels, and keeps them.

    Raises:
        EditorError: what was expected, what was found; nothing else changes.
    """
    found = format_for_reading(path)
    if found.scalable and size_of is not None:
        from editor.formats.svg import read_at

        return read_at(path, size_of)
    return found.codec.read(path)


def save_project(state: DocumentState, source: SourceMetadata, path: Path) -> None:
    """Write all layers and recipes as OpenRaster."""
    if path.suffix.lower() not in FORMATS["openraster"].extensions:
        raise EditorError(
            "A project is saved as .ora, not “{name}”.", "Use Export for other formats.", name=path.name
        )
    FORMATS["openraster"].codec.write(Picture(state=state, source=source), path, ExportOptions())


def export_picture(
    state: DocumentState, source: SourceMetadata, path: Path, options: ExportOptions
) -> tuple[Message, ...]:
    """Write the composite of the visible layers; gives sentences on what the format could not hold.

    Raises:
        EditorError: the format cannot be written, or the file; the old one is as it was then.
    """
    from editor.formats.preparing import prepared

    chosen = format_for_writing(path, options.format)
    return chosen.codec.write(prepared(state, source, options, deep=chosen.deep), path, options)


def export_preview(
    state: DocumentState, source: SourceMetadata, options: ExportOptions
) -> tuple[int, Pixels, bytes]:
    """What an export would be: (bytes of the file, its pixels as they would be opened again, their profile).

    Pixels are RGBA of 8 bits.

    Raises:
        EditorError: as `export_picture`.
    """
    chosen = format_for_writing(Path("preview.png"), options.format)
    with tempfile.TemporaryDirectory(prefix="attune-") as folder:
        path = Path(folder) / f"preview{chosen.extensions[0]}"
        export_picture(state, source, path, options)
        size = path.stat().st_size
        written = open_file(path).state
        return size, next(layer.pixels for layer in written.rasters()), written.icc_profile


def sample_pictures() -> tuple[Path, ...]:
    """The pictures that come with the application, as far as they are installed."""
    folder = resources.files("resources") / "samples"
    return tuple(sorted(Path(str(folder)).glob("*.png")))


def sample_picture() -> Path | None:
    """The picture that the window shows at first, or None where it is not installed."""
    samples = sample_pictures()
    return next((path for path in samples if path.stem == "couple"), samples[0] if samples else None)
