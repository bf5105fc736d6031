"""What a TIFF's stored values mean: from an array and the declared tags to RGBA samples.

8 bits and fewer become 8, everything else 16. Nothing is guessed from the values but the range of floating
numbers and of signed integers, for which TIFF declares no white; that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.formats.decoding import to_srgb
from editor.formats.deep import ranged
from editor.formats.lab import lab_to_srgb
from editor.pixels.raster import Samples, to_eight_bits, to_sixteen_bits
from inference.errors import EditorError
from inference.messages import Message

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, TRANSPARENCY, CMYK, YCBCR = range(7)
CIE_LAB, ICC_LAB, ITU_LAB = 8, 9, 10
CHANNELS = {
    WHITE_IS_ZERO: 1,
    BLACK_IS_ZERO: 1,
    RGB: 3,
    PALETTE: 1,
    CMYK: 4,
    YCBCR: 3,
    CIE_LAB: 3,
    ICC_LAB: 3,
    ITU_LAB: 3,
}
"""The colour channels of the photometric interpretations that are read."""

_UNSIGNED, _SIGNED, _FLOATING = 1, 2, 3
_PREMULTIPLIED, STRAIGHT_ALPHA = 1, 2
_CMYK_INKS = 1
_BRIGHT_SHARE = 99.5  # percent of floating values that must lie below white for the rest to be cut off


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What a directory declares about its values.

    Args:
        kind: 1 unsigned, 2 signed, 3 floating.
        extra: what each channel beyond the colours is: 0 unspecified, 1 premultiplied alpha, 2 straight.
        palette: uint16 [3, 2**bits], or None.
        ink_set: of CMYK; 1 is CMYK.
        profile: the embedded ICC profile; b"" for none.
    """

    photometric: int
    bits: int
    kind: int = _UNSIGNED
    extra: tuple[int, ...] = ()
    palette: NDArray[np.uint16] | None = None
    ink_set: int = _CMYK_INKS
    profile: bytes = b""


def to_samples(values: NDArray[Any], tags: Tags, notes: list[Message]) -> Samples:
    """RGBA samples [H, W, 4] of stored values [H, W, S].

    Raises:
        EditorError: an interpretation that is not read, named.
    """
    count = CHANNELS[tags.photometric]
    if values.shape[2] < count:
        raise EditorError(
            "The picture has {found} channels where its colours need {needed}.",
            "Get the file again.",
            found=values.shape[2],
            needed=count,
        )
    if tags.photometric == PALETTE:
        colours: Samples = _of_palette(values, tags)
    else:
        colours = _of_colours(values[..., :count], tags, notes)
    alpha = _alpha(values[..., count:], tags, notes)
    return _joined(colours, alpha, premultiplied=tags.extra[:1] == (_PREMULTIPLIED,))


def _of_colours(values: NDArray[Any], tags: Tags, notes: list[Message]) -> Samples:
    """Samples [H, W, 1 or 3] of grey, RGB or other colours."""
    if tags.photometric in (CIE_LAB, ICC_LAB, ITU_LAB):
        return _of_lab(values, tags, notes)
    if tags.photometric == WHITE_IS_ZERO and tags.kind == _FLOATING:
        return _of_floats(1 - values, notes)
    scaled = _scaled(values, tags, notes)
    if tags.photometric == WHITE_IS_ZERO:
        return np.subtract(np.iinfo(scaled.dtype).max, scaled, dtype=scaled.dtype)
    if tags.photometric == CMYK:
        return _of_cmyk(scaled, tags, notes)
    if tags.photometric == YCBCR:
        return cv2.cvtColor(np.ascontiguousarray(scaled[..., (0, 2, 1)]), cv2.COLOR_YCrCb2RGB)  # type: ignore[return-value]
    return scaled


def _scaled(values: NDArray[Any], tags: Tags, notes: list[Message]) -> Samples:
    """The values over the whole range of 8 or 16 bits."""
    if tags.kind == _FLOATING:
        return _of_floats(values, notes)
    if tags.kind == _SIGNED:
        return ranged(values, notes)
    stored: Any = values
    if stored.dtype == np.bool_:
        return stored.astype(np.uint8) * np.uint8(255)
    top = (1 << tags.bits) - 1
    if tags.bits in (8, 16):
        return stored.astype(f"=u{tags.bits // 8}", copy=False)
    if tags.bits < 16:
        full, kind = (255, "u1") if tags.bits < 8 else (65535, "u2")
        table: Any = np.round(np.arange(top + 1) * (full / top)).astype(kind)
        return table[np.minimum(stored, top)]
    wide = np.asarray(values, np.float64)
    return np.round(wide * (65535 / top)).astype(np.uint16)


def _of_floats(values: NDArray[Any], notes: list[Message]) -> Samples:
    """1.0 is white; grey of another range, and colours that are mostly brighter, are scaled to fit."""
    low, high = float(np.nanmin(values, initial=0)), float(np.nanmax(values, initial=0))
    if values.shape[2] == 3 and low >= -0.5 and high > 1:
        bright = float(np.nanpercentile(values[:: max(1, len(values) // 500)], _BRIGHT_SHARE))
        if bright <= 1:
            notes.append(
                Message("Values above white were cut off: the picture was opened with 16 bits a channel.")
            )
            values = np.clip(values, 0, 1)
    return ranged(values, notes)


def _of_palette(values: NDArray[Any], tags: Tags) -> Samples:
    if tags.palette is None:
        raise EditorError("The picture's palette is missing.", "Get the file again.")
    table = np.ascontiguousarray(tags.palette.T)
    if table.max(initial=0) < 256:  # written so against the standard, by some
        table = table * np.uint16(257)
    indices = np.minimum(values[..., 0].astype(np.int64), len(table) - 1)
    return table[indices] if tags.bits > 8 else (table >> 8).astype(np.uint8)[indices]


def _of_cmyk(inks: Samples, tags: Tags, notes: list[Message]) -> Samples:
    if tags.ink_set != _CMYK_INKS:
        raise EditorError("Pictures in other inks than CMYK are not supported.", "Convert it to RGB first.")
    if inks.dtype == np.uint16:
        notes.append(Message("The picture has 16 bits a channel; it was opened with 8."))
    notes.append(Message("The picture was converted from CMYK to sRGB."))
    image = Image.fromarray(np.ascontiguousarray(to_eight_bits(inks)), "CMYK")
    if tags.profile:
        image.info["icc_profile"] = tags.profile
    return np.asarray(to_srgb(image))


def _of_lab(values: NDArray[Any], tags: Tags, notes: list[Message]) -> Samples:
    """CIE Lab has signed a and b; ICC's and ITU's are shifted (TIFF Technical Note 4, TIFF-FX)."""
    if tags.bits not in (8, 16) or tags.photometric == ITU_LAB or tags.kind == _FLOATING:
        raise EditorError(
            "Lab colours of {bits} bits of this kind are not supported.",
            "Convert it to RGB first.",
            bits=tags.bits,
        )
    notes.append(Message("The picture was converted from LAB to sRGB."))
    unit = 2 ** (tags.bits - 8)
    shifted = values.astype(f"=u{tags.bits // 8}", copy=False)
    lightness_top = 255 * unit if tags.photometric == ICC_LAB else 2**tags.bits - 1

    def band(rows: NDArray[Any]) -> NDArray[np.float32]:
        if tags.photometric == CIE_LAB:
            pair = rows[..., 1:].view(f"i{tags.bits // 8}").astype(np.float32) / unit
        else:
            pair = rows[..., 1:].astype(np.float32) / unit - 128
        return np.concatenate([rows[..., :1].astype(np.float32) * (100 / lightness_top), pair], axis=-1)

    return lab_to_srgb(np.ascontiguousarray(shifted), band, deep=tags.bits == 16)


def _alpha(extra: NDArray[Any], tags: Tags, notes: list[Message]) -> Samples | None:
    """The alpha channel [H, W]; further channels are left out."""
    has_alpha = extra.shape[2] > 0 and tags.extra[:1] in ((_PREMULTIPLIED,), (STRAIGHT_ALPHA,))
    left = extra.shape[2] - (1 if has_alpha else 0)
    if left:
        notes.append(
            Message("A further channel of the file was left out.")
            if left == 1
            else Message("{count} further channels of the file were left out.", count=left)
        )
    if not has_alpha:
        return None
    if tags.kind == _FLOATING:
        return np.round(np.clip(np.nan_to_num(extra[..., 0]), 0, 1) * 65535).astype(np.uint16)
    return _scaled(extra[..., :1], tags, notes)[..., 0]


def _joined(colours: Samples, alpha: Samples | None, *, premultiplied: bool) -> Samples:
    """RGBA of grey or RGB and alpha, straight."""
    height, width, count = colours.shape
    if alpha is not None and alpha.dtype != colours.dtype:
        colours, alpha = to_sixteen_bits(colours), to_sixteen_bits(alpha)
    result: Any = np.empty((height, width, 4), colours.dtype)
    if alpha is None and colours.flags.c_contiguous:
        conversion = cv2.COLOR_GRAY2RGBA if count == 1 else cv2.COLOR_RGB2RGBA
        return cast("Samples", cv2.cvtColor(colours, conversion, dst=result))
    result[..., :3] = colours
    result[..., 3] = np.iinfo(colours.dtype).max if alpha is None else alpha
    if premultiplied:
        _divide(result)
    return result


def _divide(samples: Any) -> None:
    """Premultiplied colours to straight ones, in place, row by row."""
    top = int(np.iinfo(samples.dtype).max)
    for row in samples:
        alpha = row[:, 3:].astype(np.uint32)
        straight = (row[:, :3].astype(np.uint64) * top + alpha // 2) // np.maximum(alpha, 1)
        row[:, :3] = np.minimum(straight, top)
