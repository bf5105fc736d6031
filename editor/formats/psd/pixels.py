"""Samples of Photoshop layers: psd-tools' floats back as the integers they were."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.formats.decoding import to_srgb
from editor.formats.limits import LARGEST_TOTAL_PIXELS, check_size
from editor.pixels.raster import Raster, Samples, frozen
from inference.errors import EditorError
from inference.messages import Message

Floats = NDArray[np.float32]


class Budget:
    """All layers of a document together are limited, too."""

    def __init__(self) -> None:
        self._pixels = 0

    def take(self, name: str, width: int, height: int) -> None:
        check_size(name, width, height)
        self._pixels += width * height
        if self._pixels > LARGEST_TOTAL_PIXELS:
            most = LARGEST_TOTAL_PIXELS // 10**6
            raise EditorError("The layers of the file have more than {most} megapixels together.", most=most)


def layer_samples(layer: Any, depth: int) -> Samples | None:
    """RGBA samples [H, W, 4] of a layer with pixels; None if it has none."""
    colours = layer.numpy("color")
    if colours is None or colours.shape[2] == 0:
        return None
    return rgba(colours, layer.numpy("shape"), depth)


def rgba(colours: Floats, alpha: Floats | None, depth: int) -> Samples:
    """Grey or RGB floats [H, W, 1 or 3] and alpha [H, W, 1] as samples; 32-bit light is encoded as sRGB."""
    top, kind = (255, np.uint8) if depth <= 8 else (65535, np.uint16)
    if depth == 32:
        light = np.clip(np.nan_to_num(colours), 0, 1)
        colours = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    result = np.empty((*colours.shape[:2], 4), kind)
    result[..., :3] = np.clip(colours[..., :3] * np.float32(top) + np.float32(0.5), 0, top)
    result[..., 3] = top
    if alpha is not None:
        result[..., 3] = np.clip(alpha[..., 0] * np.float32(top) + np.float32(0.5), 0, top)
    return cast("Samples", frozen(result))


def mask_raster(values: Floats) -> Raster:
    """An 8-bit mask of floats [H, W, 1]."""
    eight = np.clip(np.nan_to_num(values[..., :1]) * np.float32(255) + np.float32(0.5), 0, 255)
    return Raster.of(frozen(eight.astype(np.uint8)))


def flat_samples(document: Any, notes: list[Message]) -> Samples:
    """The document's own composite, RGBA.

    Raises:
        EditorError: it was saved without one.
    """
    mode = int(document.color_mode)
    if mode in (1, 3):
        planes = document.numpy()
        own = 1 if mode == 1 else 3
        alpha = planes[..., own : own + 1] if planes.shape[2] > own else None
        return rgba(planes[..., :own], alpha, document.depth)
    image: Image.Image | None = document.topil(apply_icc=False)
    if image is None:
        raise EditorError("The document holds no flattened picture.", "Save it in RGB with Photoshop.")
    if document.depth > 8:
        notes.append(Message("The picture has more than 8 bits a channel; it was opened with 8."))
    if image.mode in ("CMYK", "LAB"):
        image.info["icc_profile"] = document.image_resources.get_data(1039)
        image = to_srgb(image)
    return cast("Samples", frozen(np.asarray(image.convert("RGBA"))))
