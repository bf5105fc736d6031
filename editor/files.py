"""Opening, saving and exporting: functions that may run on any thread and touch no Qt object."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from editor.compositing import composite
from editor.formats import FORMATS, ExportOptions, Opened, Picture, format_for_reading, format_for_writing
from editor.state import DocumentState, SourceMetadata
from inference.errors import EditorError

__all__ = ["ExportOptions", "Opened", "export_picture", "open_file", "sample_picture", "save_project"]


def open_file(path: Path) -> Opened:
    """Read a picture or project.

    Raises:
        EditorError: what was expected, what was found; nothing else changes.
    """
    return format_for_reading(path).codec.read(path)


def save_project(state: DocumentState, source: SourceMetadata, path: Path) -> None:
    """Write all layers and recipes as OpenRaster."""
    if path.suffix.lower() not in FORMATS["openraster"].extensions:
        raise EditorError(f"A project is saved as .ora, not “{path.name}”.", "Use Export for other formats.")
    FORMATS["openraster"].codec.write(_picture(state, source), path, ExportOptions())


def export_picture(state: DocumentState, source: SourceMetadata, path: Path, options: ExportOptions) -> None:
    """Write the composite of the visible layers."""
    format_for_writing(path, options.format).codec.write(_picture(state, source), path, options)


def sample_picture() -> Path | None:
    """The picture that the window shows at first, or None where it is not installed."""
    folder = resources.files("resources") / "samples"
    samples = sorted(Path(str(folder)).glob("*.png"))
    return samples[0] if samples else None


def _picture(state: DocumentState, source: SourceMetadata) -> Picture:
    return Picture(pixels=composite(state.layers, state.area), state=state, source=source)
