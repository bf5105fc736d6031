"""16-bit pictures through Pillow, which decodes 16-bit colours to 8: once the high bytes, once the low.

Pillow's readers name how samples lie in the file, and its unpackers for 16 bits keep one byte of each; with
the other byte order they keep the other byte. That costs a second pass over the file and brings no second
decoder with weaknesses of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.pixels.raster import Samples
from inference.messages import Message

_PLANAR_TAG = 284
_GREY_16 = ("I;16", "I;16B", "I;16L", "I;16N")
_LITTLE = sys.byteorder == "little"


Reopen: TypeAlias = Callable[[], Image.Image]


def samples_of(image: Image.Image, reopen: Reopen, notes: list[Message]) -> Samples | None:
    """uint16 RGBA samples [H, W, 4] of an image that is not decoded yet; None if 8 bits say it all.

    `reopen` gives the same image again, not decoded.
    """
    layout = raw_mode(image)
    if layout == "LA;16B":
        return _grey_with_alpha(image)
    if layout.startswith(("RGB;16", "RGBA;16")):
        if not _has_planes(image):
            return _in_two_passes(image, reopen(), layout)
        notes.append(
            Message("The picture holds its 16-bit colours apart; it was opened with 8 bits a channel.")
        )
    elif image.mode in _GREY_16:
        image.load()
        return _grey(np.asarray(image).astype(np.uint16), image.info.get("transparency"))
    elif image.mode in ("I", "F"):
        image.load()
        return _grey(ranged(np.asarray(image), notes), None)
    elif layout.endswith((";16B", ";16L", ";16N")):
        notes.append(Message("The picture has 16 bits a channel; it was opened with 8."))
    return None


def raw_mode(image: Image.Image) -> str:
    """How the samples lie in the file, in Pillow's words; "" if unknown."""
    tiles: list[Any] = list(getattr(image, "tile", ()))
    arguments: Any = tiles[0].args if tiles else None
    if isinstance(arguments, tuple):
        arguments = cast("tuple[Any, ...]", (*arguments, ""))[0]
    return arguments if isinstance(arguments, str) else ""


def _has_planes(image: Image.Image) -> bool:
    tags: Any = getattr(image, "tag_v2", None)
    return tags is not None and tags.get(_PLANAR_TAG) == 2


def _in_two_passes(image: Image.Image, again: Image.Image, layout: str) -> NDArray[np.uint16]:
    order = layout[-1] if layout[-1] != "N" else ("L" if _LITTLE else "B")
    other = "B" if order == "L" else "L"
    high = _decoded_as(image, layout[:-1] + order)
    result = np.empty((*high.shape[:2], 4), np.uint16)
    channels = high.shape[2]
    np.multiply(high, np.uint16(256), out=result[..., :channels])
    result[..., :channels] |= _decoded_as(again, layout[:-1] + other)
    if channels == 3:
        result[..., 3] = 65535
        key = image.info.get("transparency")
        if isinstance(key, tuple) and len(cast("tuple[int, ...]", key)) == 3:
            result[(result[..., :3] == np.array(key, np.uint16)).all(axis=-1), 3] = 0
    return result


def _decoded_as(image: Image.Image, raw_mode: str) -> NDArray[np.uint8]:
    """The image decoded by another of Pillow's unpackers."""
    unread: Any = image
    unread.tile = [_withraw_mode(tile, raw_mode) for tile in unread.tile]
    image.load()
    return np.asarray(image)


def _withraw_mode(tile: Any, raw_mode: str) -> Any:
    arguments = tile.args
    return tile._replace(args=(raw_mode, *arguments[1:]) if isinstance(arguments, tuple) else raw_mode)


def _grey_with_alpha(image: Image.Image) -> NDArray[np.uint16]:
    """Four bytes a pixel, grey and alpha of two each: read as if they were RGBA."""
    data = _decoded_as(image, "RGBA")
    pair = np.ascontiguousarray(data).view(">u2")
    return np.concatenate([np.repeat(pair[..., :1], 3, axis=-1), pair[..., 1:]], axis=-1).astype(np.uint16)


def _grey(values: NDArray[np.uint16], transparent: object) -> NDArray[np.uint16]:
    result = np.empty((*values.shape, 4), np.uint16)
    result[..., :3] = values[..., None]
    result[..., 3] = 65535
    if isinstance(transparent, int):
        result[values == transparent, 3] = 0
    return result


def ranged(values: NDArray[Any], notes: list[Message]) -> NDArray[np.uint16]:
    """Integers of up to 16 bits as they are; wider ones and floating numbers scaled to fit."""
    if values.dtype.kind != "f" and values.min(initial=0) >= 0 and values.max(initial=0) <= 65535:
        return values.astype(np.uint16)
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = min(0.0, float(finite.min(initial=0))), max(1.0, float(finite.max(initial=0)))
    if (low, high) != (0.0, 1.0):
        notes.append(
            Message(
                "The picture's values from {low:g} to {high:g} were scaled to 16 bits.", low=low, high=high
            )
        )
    return np.round((finite - low) / (high - low) * 65535).astype(np.uint16)


def spread(values: NDArray[Any], bits: int) -> NDArray[np.uint16]:
    """Grey, RGB or RGBA of `bits` 9 to 16 as RGBA samples [H, W, 4] of 16 bits."""
    planes = values if values.ndim == 3 else values[..., None]
    top = (1 << bits) - 1
    table = np.round(np.arange(top + 1, dtype=np.float64) * (65535 / top)).astype(np.uint16)
    result = np.empty((*planes.shape[:2], 4), np.uint16)
    count = planes.shape[2]
    colours = planes[..., : 3 if count >= 3 else 1]
    result[..., :3] = table[np.minimum(colours, top)]
    result[..., 3] = table[np.minimum(planes[..., -1], top)] if count in (2, 4) else 65535
    return result
