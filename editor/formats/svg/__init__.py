"""SVG as pixels of a chosen size, drawn by Qt; nothing is fetched, and nothing in it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.decoding import said_broken
from editor.formats.picture import Picture
from editor.formats.svg.safe import Cleaned, cleaned
from editor.layers.limits import check_file_size
from editor.pixels.raster import Samples
from editor.system.without_window import ensure_fonts
from inference.errors import EditorError
from inference.messages import Message

SizeOf = Callable[[int, int], tuple[int, int]]
"""From a picture's own (width, height) to the one that is wished, in pixels."""

_USUAL_PX = 512  # of a drawing that has no size
_LARGEST_SIDE_PX = 32_767  # of Qt's pictures


def read(path: Path) -> Opened:
    """The drawing at its own size; see `Codec.read`."""
    return read_at(path, lambda width, height: (width, height))


def read_at(path: Path, size_of: SizeOf) -> Opened:
    """The drawing at another size, as sharp as that size allows.

    Raises:
        EditorError: no SVG, or a size beyond the limits.
    """
    with said_broken(path.name):
        found = cleaned(path.read_bytes())
        samples = _drawn(path, found, size_of)
    notes = [
        Message(
            "The drawing became pixels: {width} × {height}.", width=samples.shape[1], height=samples.shape[0]
        )
    ]
    if found.fetched:
        notes.append(
            Message("What the file only names, such as pictures and fonts elsewhere, was not fetched.")
        )
    if found.ran:
        notes.append(Message("Scripts, moving parts and other documents in the file were left out."))
    return replace(raster.as_opened(path, samples, Image.new("RGB", (1, 1)), notes), is_drawing=True)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError("Attune does not write “{suffix}” files.", "Choose PNG.", suffix=path.suffix)


def _renderer(found: Cleaned) -> Any:
    """Qt's renderer; it asks for an application for the sake of fonts, so there is one."""
    try:
        from PySide6.QtCore import QByteArray, Qt
        from PySide6.QtSvg import QSvgRenderer

        ensure_fonts()
    except ImportError as error:  # a server without the system's libraries for windows
        raise EditorError(
            "Drawing SVG needs libraries of the system that are not there: {reason}.", reason=str(error)
        ) from error
    renderer = QSvgRenderer(QByteArray(found.data))
    if not renderer.isValid():
        raise ValueError("it is no drawing")
    renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
    return renderer


def _own_size(renderer: Any) -> tuple[int, int]:
    size = renderer.defaultSize()
    width, height = int(size.width()), int(size.height())
    return (width, height) if width > 0 and height > 0 else (_USUAL_PX, _USUAL_PX)


def _drawn(path: Path, found: Cleaned, size_of: SizeOf) -> Samples:
    renderer = _renderer(found)
    width, height = size_of(*_own_size(renderer))
    check_file_size(path.name, width, height)
    if max(width, height) > _LARGEST_SIDE_PX:
        raise EditorError(
            "A drawing becomes at most {most} pixels wide and high, not {width} × {height}.",
            "Choose a smaller size.",
            most=_LARGEST_SIDE_PX,
            width=width,
            height=height,
        )
    from PySide6.QtGui import QImage, QPainter

    from editor.pixels.qimages import from_qimage

    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    if image.isNull():
        raise MemoryError
    image.fill(0)
    painter = QPainter(image)
    try:
        renderer.render(painter)
    finally:
        painter.end()
    return from_qimage(image)
