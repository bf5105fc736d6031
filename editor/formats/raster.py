"""What the flat formats share: a file as a document of one layer, and pixels for formats without alpha."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from editor.formats import Opened
from editor.formats import provenance as metadata
from editor.formats.carried import dpi_of, profile_of, source_of
from editor.formats.decoding import decoded, opened, reopener
from editor.formats.picture import Picture
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.arithmetic import read_only, to_rgb
from editor.pixels.raster import Raster, Samples
from inference.messages import Message
from inference.parameters import N_
from inference.request import Pixels


def read(path: Path, formats: tuple[str, ...]) -> Opened:
    """The picture of a file as a document of one layer; the EXIF orientation is applied.

    Raises:
        EditorError: no picture, a truncated one, or one beyond the limits.
    """
    notes: list[Message] = []
    with opened(path, formats) as image:
        if getattr(image, "is_animated", False) and image.format != "MPO":
            notes.append(Message("The file holds more than one picture; the first was opened."))
        samples = decoded(image, reopener(path, formats), notes)
        source, payload = source_of(image)
        profile, dpi = profile_of(image, notes), dpi_of(image)
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


def flattened(picture: Picture) -> Pixels:
    """RGB pixels for a format without transparency: over white."""
    pixels = picture.pixels
    if picture.is_opaque:
        return to_rgb(pixels)
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed = pixels[..., :3] * alpha + 255 * (255 - alpha) + 127
    return read_only((mixed // 255).astype(np.uint8))


def image_of(picture: Picture, *, alpha: bool = True) -> Image.Image:
    """A Pillow image with 8 bits; RGB if nothing is transparent or the format knows no alpha."""
    if not alpha:
        return Image.fromarray(flattened(picture))
    return Image.fromarray(to_rgb(picture.pixels) if picture.is_opaque else picture.pixels)
