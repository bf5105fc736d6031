"""What the flat formats share: a file as a document of one layer, and pixels for formats without alpha."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from PIL import Image

from editor.formats import Opened
from editor.formats.carried import dpi_of, source_of
from editor.formats.colour_space import Declared, declared_profile
from editor.formats.decoding import decoded, opened, orientation_of, reopener, upright
from editor.formats.metadata import provenance as metadata
from editor.formats.picture import Picture
from editor.layers.layer import Layer
from editor.layers.limits import LARGEST_CARRIED_BYTES
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.arithmetic import read_only, to_rgb, to_rgba
from editor.pixels.raster import Raster, Samples, frozen
from inference.messages import Message
from inference.parameters import N_
from inference.request import Pixels

_BAND_ROWS = 64
Decode: TypeAlias = Callable[[Image.Image], Samples]


def read(
    path: Path,
    formats: tuple[str, ...],
    notes: list[Message] | None = None,
    data: BytesIO | None = None,
    declared: Declared = declared_profile,
    decode: Decode | None = None,
) -> Opened:
    """The picture of a file as a document of one layer; the EXIF orientation is applied.

    `data` is read in place of the file's own bytes, `notes` are those that are known already, `declared`
    finds the colour profile; `decode`, if given, makes the samples of the image, not turned yet.

    Raises:
        EditorError: no picture, a truncated one, or one beyond the limits.
    """
    notes = [] if notes is None else notes
    with opened(data or path, formats, path.name) as image:
        if getattr(image, "is_animated", False) and image.format != "MPO":
            notes.append(Message("The file holds more than one picture; the first was opened."))
        if decode is None:
            samples = decoded(image, reopener(data or path, formats), notes)
        else:
            samples = frozen(upright(decode(image), orientation_of(image)))
        return as_opened(path, samples, image, notes, declared)


def as_opened(
    path: Path,
    samples: Samples,
    image: Image.Image,
    notes: list[Message],
    declared: Declared = declared_profile,
) -> Opened:
    """A document of one layer of samples and of what an image of Pillow carries beside its pixels."""
    source, payload = source_of(image, path)
    source = _bounded(source, notes)
    profile, dpi = declared(image, notes), dpi_of(image, source)
    return as_document(path, samples, source, payload, notes, icc_profile=profile, dpi=dpi)


def as_document(
    path: Path, samples: Samples, source: SourceMetadata, payload: str, notes: list[Message], **fields: Any
) -> Opened:
    """A document of one layer; `payload` is our own chunk, `fields` are of the state."""
    recipe, note = metadata.restored_recipe(payload)
    if note:
        notes.append(note)
    if recipe is None and not payload:
        source = replace(source, photo=True)
    name = N_("Application", "Generated") if recipe is not None else path.stem
    layer = Layer(name=name, raster=Raster.of(samples), made=recipe)
    state = replace(DocumentState.of_layer(layer), **fields)
    return Opened(state=state, source=source, notes=tuple(notes))


def _bounded(source: SourceMetadata, notes: list[Message]) -> SourceMetadata:
    """Without what is so long that a project could not carry it."""
    kept = {key: value for key, value in source.text.items() if len(value) <= LARGEST_CARRIED_BYTES // 4}
    exif = source.exif if len(source.exif) <= LARGEST_CARRIED_BYTES else b""
    xmp = source.xmp if len(source.xmp) <= LARGEST_CARRIED_BYTES else b""
    if sum(map(len, kept.values())) > LARGEST_CARRIED_BYTES // 4:
        kept = {}
    if (len(kept), len(exif), len(xmp)) == (len(source.text), len(source.exif), len(source.xmp)):
        return source
    notes.append(Message("Texts of the file that are longer than a project can carry were left out."))
    return replace(source, text=kept, exif=exif, xmp=xmp)


def flattened(picture: Picture) -> Pixels:
    """RGB pixels for a format without transparency: over white."""
    pixels = picture.pixels
    if picture.is_opaque:
        return to_rgb(pixels)
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed = pixels[..., :3] * alpha + 255 * (255 - alpha) + 127
    return read_only((mixed // 255).astype(np.uint8))


def image_of(picture: Picture) -> Image.Image:
    """A Pillow image with 8 bits; RGB if nothing is transparent."""
    return Image.fromarray(_without_alpha(picture.pixels) if picture.is_opaque else picture.pixels)


def image_without_alpha(picture: Picture, *, grey: bool) -> Image.Image:
    """A Pillow image with 8 bits, over white: of mode "RGBX", or "L" if `grey` allows and all is grey.

    An opaque picture's own memory is used, not copied: copies cost as much as the encoder.
    """
    pixels = picture.pixels if picture.is_opaque else to_rgba(flattened(picture))
    height, width = pixels.shape[:2]
    if grey and _is_grey(pixels):
        return Image.fromarray(cv2.extractChannel(pixels, 0))
    return Image.frombuffer("RGBX", (width, height), np.ascontiguousarray(pixels), "raw", "RGBX", 0, 1)


def _without_alpha(pixels: Pixels) -> Pixels:
    return read_only(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8))


def _is_grey(pixels: Pixels) -> bool:
    """Whether red, green and blue are the same everywhere; looks no further than the first colour."""
    for top in range(0, pixels.shape[0], _BAND_ROWS):
        band = pixels[top : top + _BAND_ROWS]
        if (band[..., 0] != band[..., 1]).any() or (band[..., 0] != band[..., 2]).any():
            return False
    return True
