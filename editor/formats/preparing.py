"""From a document and options to the picture that a format writes: colours, size, depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editor.colour import conversion as colour
from editor.document.export_options import ExportOptions
from editor.formats.picture import Picture
from editor.layers.limits import check_size
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Samples, frozen, to_eight_bits, to_sixteen_bits


def prepared(state: DocumentState, source: SourceMetadata, options: ExportOptions, *, deep: bool) -> Picture:
    """The picture to be written; `deep` says whether the format takes 16 bits.

    Raises:
        EditorError: the document's profile cannot be converted, or the picture would be too large.
    """
    depth = depth_of(state, options, deep=deep)
    size = options.size_of(state.width, state.height)
    check_size(*size)
    to_srgb = options.profile == "srgb" and not colour.same_colours(state.icc_profile, b"")
    picture = Picture(state=state, source=source, depth=depth)
    if size == (state.width, state.height) and not to_srgb:
        return picture
    samples = picture.samples
    if to_srgb:
        samples = _converted(samples, state.icc_profile)
        state = replace(state, icc_profile=colour.built_in_profile("srgb"))
    samples = scaled(samples, *size, options.resampling)
    return Picture(state=state, source=source, samples=samples)


def depth_of(state: DocumentState, options: ExportOptions, *, deep: bool) -> int:
    """Bits a channel of the export."""
    if not deep:
        return 8
    return state.depth if options.depth == "keep" else int(options.depth)


def with_depth(samples: Samples, depth: int) -> Samples:
    return to_sixteen_bits(samples) if depth == 16 else to_eight_bits(samples)


def scaled(samples: Samples, width: int, height: int, resampling: str) -> Samples:
    """RGBA samples [H, W, 4] in another size; colours are weighted by their alpha."""
    if samples.shape[:2] == (height, width):
        return samples
    from PIL import Image  # not before a picture is scaled: the window starts without it

    method = Image.Resampling[resampling.upper()]
    if samples.dtype == np.uint8:
        return frozen(np.asarray(Image.fromarray(samples).resize((width, height), method)))
    return frozen(_scaled_deep(samples, width, height, method))


def _scaled_deep(samples: Samples, width: int, height: int, method: Any) -> NDArray[np.uint16]:
    alpha = samples[..., 3].astype(np.float32) / np.float32(65535)
    new_alpha = _resized(alpha, width, height, method)
    result = np.empty((height, width, 4), np.uint16)
    for channel in range(3):
        weighted = _resized(samples[..., channel] * alpha, width, height, method)
        plain = np.divide(weighted, new_alpha, out=np.zeros_like(weighted), where=new_alpha > 1e-6)
        result[..., channel] = np.clip(plain, 0, 65535) + np.float32(0.5)
    result[..., 3] = np.clip(new_alpha, 0, 1) * np.float32(65535) + np.float32(0.5)
    return result


def _resized(plane: NDArray[Any], width: int, height: int, method: Any) -> NDArray[np.float32]:
    from PIL import Image

    return np.asarray(Image.fromarray(plane.astype(np.float32)).resize((width, height), method))


def _converted(samples: Samples, profile: bytes) -> Samples:
    from editor.pixels.raster import Raster

    return colour.convert(Raster.of(samples), profile, b"").array()
