"""A small picture of a document, for the list of what can be restored."""

from io import BytesIO

import numpy as np
from PIL import Image

from editor.layers.state import DocumentState
from editor.rendering.compositing import pack, shared_mipmaps
from editor.rendering.kernel import Renderer
from editor.rendering.mipmaps import scaled_area

SIDE_PX = 160


def thumbnail_png(state: DocumentState) -> bytes:
    """At most `SIDE_PX` on the longer side, as PNG; made from the reduced tiles that the screen uses."""
    longer = max(state.width, state.height)
    level = max(0, (longer // (2 * SIDE_PX)).bit_length() - 1)
    area = scaled_area(state.area, level)
    pixels = np.empty((area.height, area.width, 4), np.uint8)
    pack(Renderer(shared_mipmaps(), level).render(state.layers, area), pixels)
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_PX, SIDE_PX))
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
