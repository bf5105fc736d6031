"""Pictures, masks and files that requests name, read from where the user keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from editor.colour.conversion import to_srgb
from editor.formats.files import open_file
from editor.layers.state import DocumentState
from editor.pixels.raster import Area
from editor.rendering.compositing import composite
from inference.concepts.files import concept_file, read_concept
from inference.content import ConceptFile, Content, Mask, Picture
from inference.errors import EditorError
from inference.files import read_at_most
from inference.reasons import reason_of
from inference.request import Pixels
from inference.sizes import resized

LARGEST_FILE_BYTES = 64 * 2**20
LONGEST_PHOTO_PX = 3072  # a third of it is as much as the largest models see


def read_content(kind: type[Content], path: Path) -> Pixels | bytes:
    """What a parameter of this type takes from a file: sRGB pixels, a mask's grey values, or bytes.

    Raises:
        EditorError: there is no such file, or it is none of that kind.
    """
    if issubclass(kind, Picture):
        return picture_of(path)
    if issubclass(kind, Mask):
        return mask_of(picture_of(path))
    if issubclass(kind, ConceptFile):
        return concept_file(read_concept(path))  # one form for all, with the word that the file's name gives
    try:
        return read_at_most(path, LARGEST_FILE_BYTES)
    except OSError as error:
        raise EditorError(
            "“{name}” cannot be read: {reason}.", name=path.name, reason=reason_of(error)
        ) from error


def picture_of(path: Path) -> Pixels:
    """A file's visible picture as sRGB: RGB [H, W, 3] where nothing is transparent, else RGBA."""
    return picture_in(open_file(path).state)


def picture_in(state: DocumentState) -> Pixels:
    """A document's visible picture, likewise."""
    return visible(composite(state.layers, Area(0, 0, state.width, state.height)), state.icc_profile)


def photo_of(path: Path) -> Pixels:
    """A file's visible picture as something is learnt from it: no longer than `LONGEST_PHOTO_PX`.

    Raises:
        EditorError: it cannot be read, or is no picture.
    """
    return as_photo(picture_of(path))


def as_photo(pixels: Pixels) -> Pixels:
    """The same, no longer than `LONGEST_PHOTO_PX`: a job's photos are on the disk with each of its states."""
    height, width = pixels.shape[:2]
    scale = LONGEST_PHOTO_PX / max(height, width)
    return (
        pixels if scale >= 1 else resized(pixels, max(1, round(width * scale)), max(1, round(height * scale)))
    )


def visible(pixels: Pixels, profile: bytes) -> Pixels:
    """RGBA pixels in the colours of `profile` as a request takes them."""
    srgb = to_srgb(pixels, profile)
    found = np.ascontiguousarray(srgb[..., :3]) if srgb[..., 3].min() == 255 else srgb
    found.setflags(write=False)
    return found


def mask_of(pixels: Pixels) -> Pixels:
    """Grey values [H, W] of a picture, what is transparent in it being black."""
    grey = pixels[..., :3].astype(np.float32).mean(-1)
    if pixels.shape[2] == 4:
        grey *= pixels[..., 3].astype(np.float32) / 255
    found: Any = np.rint(grey).astype(np.uint8)
    found.setflags(write=False)
    return found
