"""The small JPEG of a picture that EXIF and Photoshop's block hold for file managers."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, cast

import numpy as np
from PIL import Image

from editor.formats.picture import Picture
from editor.pixels.raster import Samples, to_eight_bits

SIDE_PX = 160
MOST_BYTES = 16 * 2**10
_QUALITIES = (80, 60, 40, 20, 5)


def maker(picture: Picture) -> Callable[[], bytes]:
    """A function that gives the thumbnail, made when it is first asked for."""
    made: list[bytes] = []

    def thumbnail() -> bytes:
        if not made:
            made.append(jpeg_of(picture))
        return made[0]

    return thumbnail


def jpeg_of(picture: Picture) -> bytes:
    """At most 160 pixels on a side and 16 KiB, over white; large pictures are sampled by rows."""
    step = max(1, min(picture.width, picture.height) // (2 * SIDE_PX))
    rows = [picture.band(top, 1)[0, ::step] for top in range(0, picture.height, step)]
    sampled: Samples = np.stack(cast("list[Any]", rows))
    image = Image.fromarray(to_eight_bits(sampled))
    white = Image.new("RGBA", image.size, "white")
    small = Image.alpha_composite(white, image).convert("RGB")
    small.thumbnail((SIDE_PX, SIDE_PX))
    tried = b""
    for quality in _QUALITIES:
        buffer = BytesIO()
        small.save(buffer, "JPEG", quality=quality)
        tried = buffer.getvalue()
        if len(tried) <= MOST_BYTES:
            break
    return tried
