"""JPEG XL, decoded by libjxl; what was a JPEG before becomes that JPEG again, with all it carried."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.colour_space import of_code_points
from editor.formats.decoding import said_broken
from editor.formats.deep import spread
from editor.formats.jxl.header import Header, Parts, header_of, parts_of
from editor.formats.picture import Picture
from editor.layers.limits import check_file_size
from editor.pixels.raster import Samples, frozen
from inference.errors import EditorError
from inference.messages import Message

_OVERSHOOT = 1.5  # that lossy encoders make of white


def read(path: Path) -> Opened:
    """The picture of a file, its first frame if it moves; see `Codec.read`."""
    with said_broken(path.name):
        data = path.read_bytes()
        parts = parts_of(data)
        header = header_of(parts.codestream)
        check_file_size(path.name, header.width, header.height)
        return _was_jpeg(path, data) if parts.was_jpeg else _picture(path, data, parts, header)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Choose AVIF, WebP or PNG.", suffix=path.suffix
    )


def _was_jpeg(path: Path, data: bytes) -> Opened:
    import imagecodecs

    decode: Any = imagecodecs.jpegxl_decode_jpeg  # its types ask for what has a default
    return raster.read(path, ("JPEG", "MPO"), data=BytesIO(decode(data)))


def _picture(path: Path, data: bytes, parts: Parts, header: Header) -> Opened:
    if header.has_ink:
        raise NotImplementedError("pictures of printing inks are not supported")
    notes: list[Message] = []
    if header.is_animated:
        notes.append(Message("The file holds more than one picture; the first was opened."))
    samples = _samples(data, header, notes)
    image = Image.new("RGB", (1, 1))
    if parts.exif:
        image.info["exif"] = b"Exif\0\0" + parts.exif
    if parts.xmp:
        image.info["xmp"] = parts.xmp
    return raster.as_opened(path, samples, image, notes, partial(_profile, header))


def _samples(data: bytes, header: Header, notes: list[Message]) -> Samples:
    """RGBA [H, W, 4], upright as the codestream says it."""
    import imagecodecs

    values: Any = imagecodecs.jpegxl_decode(data, index=0)
    if values.shape[:2] != (header.height, header.width):
        raise ValueError("its size differs from what it says")
    planes: Any = values if values.ndim == 3 else values[..., None]
    if planes.shape[2] > 4:
        notes.append(Message("Further channels of the file were left out."))
        planes = planes[..., :4]
    if planes.dtype.kind == "u":
        result = spread(planes, header.bits) if header.bits > 8 else _rgba(planes, header.bits)
    else:
        result = spread(_whole(planes, notes), 16)
    return frozen(_straight(result) if header.is_associated else result)


def _whole(values: NDArray[Any], notes: list[Message]) -> NDArray[np.uint16]:
    """Floating numbers, 1 being white, with 16 bits."""
    known = np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    if known.max(initial=0) > _OVERSHOOT:
        notes.append(
            Message("The picture has a high dynamic range; what is brighter than white was cut off.")
        )
    return np.round(np.clip(known, 0, 1) * 65535).astype(np.uint16)


def _rgba(planes: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Grey or colours of up to 8 bits, with or without coverage, as RGBA of 8."""
    top = (1 << bits) - 1
    table = np.round(np.minimum(np.arange(256), top) * (255 / top)).astype(np.uint8)
    count = planes.shape[2]
    result = np.empty((*planes.shape[:2], 4), np.uint8)
    result[..., :3] = table[planes[..., : 3 if count >= 3 else 1]]
    result[..., 3] = table[planes[..., -1]] if count in (2, 4) else 255
    return result


def _straight(samples: NDArray[Any]) -> NDArray[Any]:
    """Colours that were multiplied by the coverage as they are without."""
    top = np.iinfo(samples.dtype).max
    alpha = samples[..., 3:].astype(np.float32)
    colours = samples[..., :3] * (top / np.maximum(alpha, 1))
    result = samples.copy()
    result[..., :3] = np.minimum(np.round(colours), top)
    return result


def _profile(header: Header, image: Image.Image, notes: list[Message]) -> bytes:
    """The colour space that the codestream names; b"" is sRGB."""
    del image
    if header.code_points is not None:
        return of_code_points(*header.code_points, notes)
    notes.append(Message("The picture's colour space is one of its own, which is not read; sRGB was taken."))
    return b""
