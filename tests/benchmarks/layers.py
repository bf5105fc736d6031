"""The document that compositing is measured on: many full-size layers, partly transparent, without files."""

import cv2
import numpy as np

from editor.layers.layer import BlendMode, Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster

MIXED = (
    BlendMode.NORMAL, BlendMode.MULTIPLY, BlendMode.SCREEN, BlendMode.OVERLAY, BlendMode.SOFT_LIGHT,
    BlendMode.DARKEN, BlendMode.LIGHTEN, BlendMode.HARD_LIGHT, BlendMode.DIFFERENCE, BlendMode.COLOUR_DODGE,
    BlendMode.COLOUR_BURN, BlendMode.EXCLUSION, BlendMode.PLUS, BlendMode.LINEAR_BURN, BlendMode.HUE,
    BlendMode.SATURATION, BlendMode.COLOUR, BlendMode.LUMINOSITY,
)  # fmt: skip


def pixels(seed: int, width: int, height: int, *, opaque: bool) -> np.ndarray:
    """A smooth picture with grain [height, width, 4]; alpha is smooth, too, and rarely 0 or 255."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 200 + 2, width // 200 + 2, 4), np.uint8)
    result = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(-3, 4, (512, 512, 3), np.int8)
    for top in range(0, height, 512):
        for left in range(0, width, 512):
            part = result[top : top + 512, left : left + 512, :3]
            part[:] = np.clip(part + grain[: part.shape[0], : part.shape[1]].astype(np.int16), 0, 255)
    if opaque:
        result[..., 3] = 255
    return result


def document(width: int, height: int, count: int, *, mixed: bool) -> DocumentState:
    """`count` layers; the lowest is opaque, the others have alpha and, if `mixed`, modes of all sorts."""
    layers = [
        Layer(
            name=f"layer {index}",
            id=str(index),
            raster=Raster.of(pixels(index, width, height, opaque=index == 0)),
            blend_mode=MIXED[index % len(MIXED)] if mixed and index else BlendMode.NORMAL,
        )
        for index in range(count)
    ]
    return DocumentState(width=width, height=height, layers=tuple(layers), active=layers[-1].id)
