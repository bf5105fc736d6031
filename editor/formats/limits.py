"""What Attune opens at most: beyond it a file is a mistake or an attack, and is refused before it is decoded.

Opening a file holds at most its samples twice (once as the decoder left them): 16 GB at the very limits.
"""

from __future__ import annotations

from inference.errors import EditorError
from inference.messages import Message

LARGEST_PIXELS = 400_000_000  # 1.6 GB as 8-bit RGBA
LARGEST_SIDE_PX = 300_000
LARGEST_TOTAL_PIXELS = 4 * LARGEST_PIXELS  # of all layers of a project together
LARGEST_ENTRY_BYTES = 8 * LARGEST_PIXELS  # one decompressed part of an archive
LARGEST_TEXT_BYTES = 64 * 2**20  # XML, JSON
LARGEST_LAYERS = 10_000
DEEPEST_GROUPS = 100

MOST_PIXELS_PER_BYTE = 8256
"""Of PNG: deflate packs 1032 bytes into one at best, each of 8 pixels at most. JPEG, GIF and BMP reach less.
A header that claims more is cut off or lies."""


def check_size(name: str | Message, width: int, height: int, file_bytes: int | None = None) -> None:
    """Refuse a picture by its header.

    Raises:
        EditorError: larger than the limits, or than a file of that size can hold.
    """
    if width < 1 or height < 1:
        raise EditorError(
            "“{name}” has {width} × {height} pixels; that is no picture.",
            name=name,
            width=width,
            height=height,
        )
    if width * height > LARGEST_PIXELS or max(width, height) > LARGEST_SIDE_PX:
        raise EditorError(
            "“{name}” has {width} × {height} pixels; Attune opens up to {most_megapixels} "
            "megapixels and {most} pixels on a side.",
            "Make it smaller with another program first.",
            name=name,
            width=width,
            height=height,
            most_megapixels=LARGEST_PIXELS // 10**6,
            most=LARGEST_SIDE_PX,
        )
    if file_bytes is not None and width * height > file_bytes * MOST_PIXELS_PER_BYTE:
        raise EditorError(
            "“{name}” is damaged or incomplete: {file_bytes} bytes cannot hold {width} × {height} pixels.",
            "Get the file again.",
            name=name,
            file_bytes=file_bytes,
            width=width,
            height=height,
        )
