"""OpenEXR and Radiance HDR: numbers of linear light, shown as sRGB shows them; 1 is white.

Documents hold at most 16 bits, so what is brighter than white is cut off, and said. That is what a camera's
sensor does, it depends on nothing else in the picture, and everything up to white is as it was.
"""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.colour_space import of_chromaticities
from editor.formats.decoding import quiet, said_broken
from editor.formats.picture import Picture
from editor.layers.limits import LARGEST_PIXELS, MEGA, check_file_size
from editor.layers.state import SourceMetadata
from editor.pixels.raster import Samples, frozen
from inference.errors import EditorError
from inference.messages import Message, listed

_HEAD_BYTES = 2**16
_RADIANCE_SIZE = re.compile(rb"\n-Y (\d+) \+X (\d+)\n")
_SRGB_KNEE = 0.0031308
_BAND_ROWS = 256
_ALPHA = "A"
_MOST_NUMBERS = 4 * LARGEST_PIXELS  # of all channels together


def read(path: Path) -> Opened:
    """The picture of a file; see `Codec.read`."""
    with said_broken(path.name), quiet():
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        return _radiance(path, head) if head[:2] == b"#?" else _exr(path)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    del picture, options
    raise EditorError(
        "Attune does not write “{suffix}” files.", "Choose TIFF or PNG with 16 bits.", suffix=path.suffix
    )


def encoded(light: NDArray[Any], notes: list[Message]) -> Samples:
    """Linear light [H, W, 3 or 4], 1 being white, as sRGB's curve has it: uint16 RGBA [H, W, 4].

    A fourth channel is coverage, by which the colours are multiplied. Notes say what was cut off.
    """
    height, width = light.shape[:2]
    result = np.empty((height, width, 4), np.uint16)
    cut = odd = False
    for top in range(0, height, _BAND_ROWS):
        band = np.asarray(light[top : top + _BAND_ROWS], np.float32)
        odd = odd or not bool(np.isfinite(band).all())
        colours, alpha = _straight(np.nan_to_num(band, nan=0.0, posinf=np.inf, neginf=0.0))
        cut = cut or bool((colours > 1).any() or (colours < 0).any())
        result[top : top + _BAND_ROWS, :, :3] = np.round(_curved(np.clip(colours, 0, 1)) * 65535)
        result[top : top + _BAND_ROWS, :, 3] = np.round(alpha * 65535)
    if cut:
        notes.append(
            Message("The picture has a high dynamic range; what is brighter than white was cut off.")
        )
    if odd:
        notes.append(Message("Values of the picture that are no numbers were made black or white."))
    return frozen(result)


def _straight(band: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colours that are not multiplied by the coverage, and the coverage, 0 to 1."""
    if band.shape[2] == 3:
        return band, np.ones(band.shape[:2], np.float32)
    alpha = np.clip(band[..., 3], 0, 1)
    covered = np.maximum(alpha, np.float32(1e-6))[..., None]
    return np.where(alpha[..., None] > 0, band[..., :3] / covered, band[..., :3]), alpha


def _curved(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light of 0 to 1 by the curve of IEC 61966-2-1."""
    return np.where(light <= _SRGB_KNEE, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _radiance(path: Path, head: bytes) -> Opened:
    import imagecodecs

    size = _RADIANCE_SIZE.search(head)
    if size is None:
        raise NotImplementedError("turned pictures or those without a size are not supported")
    height, width = int(size[1]), int(size[2])
    check_file_size(path.name, width, height)
    light: Any = imagecodecs.rgbe_decode(path.read_bytes())
    if light.shape != (height, width, 3):
        raise ValueError("its size differs from what it says")
    notes: list[Message] = []
    return raster.as_opened(path, encoded(light, notes), Image.new("RGB", (1, 1)), notes)


@dataclass(frozen=True)
class _Window:
    """A rectangle of pixels as OpenEXR has it: both corners belong to it."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, box: Any) -> _Window:
        (left, top), (right, bottom) = box
        return cls(int(left), int(top), int(right), int(bottom))

    @property
    def size(self) -> tuple[int, int]:
        return self.right - self.left + 1, self.bottom - self.top + 1


def _exr(path: Path) -> Opened:
    """The first part of a file: its colours, or its brightness, or those of its first layer.

    The library's older interface ends the process on some damaged files, so this is the newer one. It reads
    all parts and channels at once.
    """
    library: Any = import_module("OpenEXR")  # has no types
    notes: list[Message] = []
    with path.open("rb") as file, redirect_stdout(StringIO()):  # it prints what is wrong with pixels
        parts = library.File(file, header_only=True).parts
        header = cast("dict[str, Any]", parts[0].header)
        data, shown = _windows(path, parts)
        names = _chosen({one.name: one for one in header["channels"]}, notes)
        if len(parts) > 1:
            notes.append(Message("The file holds more than one picture; the first was opened."))
        file.seek(0)
        channels = library.File(file, separate_channels=True).channels(0)
        light = _stacked([channels[name].pixels for name in names], data)
    samples = _placed(encoded(light, notes), data, shown)
    profile = _profile(header.get("chromaticities"), notes)
    source = SourceMetadata(photo=True)
    return raster.as_document(path, samples, source, "", notes, icc_profile=profile)


def _windows(path: Path, parts: Any) -> tuple[_Window, _Window]:
    """Where the first part's data lie, and what of them is to be seen; refuses more than fits.

    Raises:
        EditorError: beyond the limits.
        NotImplementedError: a part holds more than one value for each pixel.
    """
    numbers = 0
    for part in parts:
        if "deep" in str(part.header["type"]):
            raise NotImplementedError("deep pictures are not supported")
        data, shown = _Window.of(part.header["dataWindow"]), _Window.of(part.header["displayWindow"])
        for window in (data, shown):
            check_file_size(path.name, *window.size)
        numbers += data.size[0] * data.size[1] * len(part.header["channels"])
    if numbers > _MOST_NUMBERS:
        raise EditorError(
            "“{name}” holds {count} million numbers; Attune opens up to {most} million.",
            "Leave out channels with another program first.",
            name=path.name,
            count=numbers // MEGA,
            most=_MOST_NUMBERS // MEGA,
        )
    header = parts[0].header
    return _Window.of(header["dataWindow"]), _Window.of(header["displayWindow"])


def _chosen(channels: dict[str, Any], notes: list[Message]) -> list[str]:
    """The names of three colours, and of the coverage if there is one.

    Raises:
        NotImplementedError: no colours, or some at another resolution than the picture.
    """
    layers = sorted({name.rpartition(".")[0] for name in channels}, key=lambda layer: (layer != "", layer))
    for layer in layers:
        start = f"{layer}." if layer else ""
        colours = [start + name for name in "RGB"]
        if not set(colours) <= set(channels):
            colours = [f"{start}Y"] * 3
        if set(colours) <= set(channels):
            break
    else:
        if len(channels) != 1:
            raise NotImplementedError(f"channels {', '.join(sorted(channels))[:80]} are not supported")
        colours, start = [*channels] * 3, ""
    if f"{start}RY" in channels or any(
        (channels[name].xSampling, channels[name].ySampling) != (1, 1) for name in colours
    ):
        raise NotImplementedError("colours of less resolution than the brightness are not supported")
    found = [*colours, start + _ALPHA] if start + _ALPHA in channels else colours
    left = sorted(set(channels) - set(found))
    if left:
        notes.append(Message("Further channels of the file were left out: {names}.", names=listed(left[:20])))
    return found


def _stacked(planes: list[NDArray[Any]], data: _Window) -> NDArray[np.float32]:
    width, height = data.size
    if any(plane.shape != (height, width) for plane in planes):
        raise ValueError("its channels have different sizes")
    result = np.empty((height, width, len(planes)), np.float32)
    for place, plane in enumerate(planes):
        result[..., place] = plane
    return result


def _placed(samples: Samples, data: _Window, shown: _Window) -> Samples:
    """What is to be seen; where the file has no data it is transparent."""
    if data == shown:
        return samples
    width, height = shown.size
    left, top = max(data.left, shown.left), max(data.top, shown.top)
    right, bottom = min(data.right, shown.right) + 1, min(data.bottom, shown.bottom) + 1
    result = np.zeros((height, width, 4), np.uint16)
    if left < right and top < bottom:
        part = samples[top - data.top : bottom - data.top, left - data.left : right - data.left]
        result[top - shown.top : bottom - shown.top, left - shown.left : right - shown.left] = part
    return frozen(result)


def _profile(chromaticities: Any, notes: list[Message]) -> bytes:
    """The colour space of the primaries, with the curve that `encoded` used; b"" is sRGB."""
    if chromaticities is None:
        return b""
    values = [float(value) for value in chromaticities]
    corners = tuple(zip(values[::2], values[1::2]))
    return of_chromaticities(corners[:3], corners[3], notes)
