"""Samples of Photoshop layers: psd-tools' floats back as the integers they were."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.formats.decoding import to_srgb
from editor.layers.limits import check_file_size, check_total
from editor.pixels.raster import Raster, Samples, frozen
from inference.errors import EditorError
from inference.messages import Message

Floats = NDArray[np.float32]
_BITMAP, _GREY, _INDEXED, _RGB, _CMYK, _MULTICHANNEL, _DUOTONE, _LAB = 0, 1, 2, 3, 4, 7, 8, 9


class Budget:
    """All layers of a document together are limited, too."""

    def __init__(self) -> None:
        self._pixels = 0

    def take(self, name: str, width: int, height: int) -> None:
        check_file_size(name, width, height)
        self._pixels += width * height
        check_total(self._pixels)


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


def _is_transparent(document: Any) -> bool:
    """Whether the first channel beyond the colours is transparency; others are selections and spot colours.

    The specification: the number of layers is negative then, or a block says so.
    """
    from psd_tools.api.utils import has_transparency

    layers = document._record.layer_and_mask_information.layer_info
    return layers is not None and layers.layer_count != 0 and bool(has_transparency(document))


def flat_samples(document: Any, notes: list[Message], profile: bytes = b"") -> Samples:
    """The document's own composite, RGBA; colours other than RGB and grey come out of `profile`.

    Raises:
        EditorError: it was saved without one.
    """
    mode = int(document.color_mode)
    if mode not in (_GREY, _RGB) and document.depth > 8:
        notes.append(Message("The picture has more than 8 bits a channel; it was opened with 8."))
    if mode in (_BITMAP, _INDEXED, _DUOTONE):
        return _through_pillow(document)
    planes = document.numpy()
    own = {_GREY: 1, _RGB: 3, _LAB: 3}.get(mode, min(4, planes.shape[2]))
    has_alpha = planes.shape[2] > own and mode != _MULTICHANNEL and _is_transparent(document)
    alpha = planes[..., own : own + 1] if has_alpha else None
    colours = planes[..., :own]  # psd-tools took the white off that lies under RGB
    if mode in (_GREY, _RGB):
        return rgba(colours, alpha, document.depth)
    return rgba(_converted(colours, mode, profile), alpha, 8)


def _through_pillow(document: Any) -> Samples:
    image: Image.Image | None = document.topil(apply_icc=False)
    if image is None:
        raise EditorError("The document holds no flattened picture.", "Save it in RGB with Photoshop.")
    return cast("Samples", frozen(np.asarray(image.convert("RGBA"))))


def _converted(planes: Floats, mode: int, profile: bytes) -> Floats:
    """Inks, of which 1 is none, or Lab in 0..1, as sRGB in 0..1; single channels are inks in their order."""
    stored = np.round(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    if mode == _LAB:
        stored[..., 1:] ^= 128  # Pillow's a and b are signed
        image = Image.frombytes("LAB", stored.shape[1::-1], stored.tobytes())
    elif planes.shape[2] < 3:
        return np.repeat(planes[..., :1], 3, axis=-1)
    else:
        inks = np.zeros((*stored.shape[:2], 4), np.uint8)
        inks[..., : stored.shape[2]] = 255 - stored
        image = Image.fromarray(inks, "CMYK")
    if profile and mode != _MULTICHANNEL:
        image.info["icc_profile"] = profile
    return np.asarray(to_srgb(image), np.float32) / np.float32(255)
