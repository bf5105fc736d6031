"""Where the pixels, maps and inputs of `attune/document.json` are in the archive."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from PIL import Image

from editor.formats.openraster.archive import Archive, Writer
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import Message
from inference.values import fields, text, whole

if TYPE_CHECKING:
    from inference.content import Blob

FOLDER = "attune"
INPUTS = f"{FOLDER}/inputs"
MAPS = f"{FOLDER}/maps.safetensors"


class Keeper:
    """Puts what a state holds into an archive; `finish` writes what is kept together."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._maps: dict[int, tuple[str, NDArray[np.float32]]] = {}  # by identity, which lives as long

    def keep_raster(self, raster: Raster) -> dict[str, Any]:
        """The PNG that `stack.xml` has of it already, or one of ours."""
        name = self._writer.name_of(raster) or self._writer.raster(raster, FOLDER)
        return {"src": name, "channels": raster.channels}

    def keep_map(self, values: NDArray[np.float32]) -> str:
        return self._maps.setdefault(id(values), (f"{len(self._maps)}", values))[0]

    def keep_content(self, name: str, blob: Blob) -> str:
        """Its name in the archive, where each content is once."""
        place = f"{INPUTS}/{name}{'' if isinstance(blob, bytes) else '.png'}"
        self._writer.once(place, lambda: blob if isinstance(blob, bytes) else _png(blob))
        return place

    def finish(self) -> None:
        if self._maps:
            kept = {name: np.ascontiguousarray(values) for name, values in self._maps.values()}
            self._writer.once(MAPS, lambda: safetensors.numpy.save(kept))


class Source:
    """Finds it again."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._maps: dict[str, NDArray[np.float32]] | None = None

    def raster(self, reference: Any) -> Raster:
        given = fields(reference, Message("A picture of the project"))
        return self._archive.raster(
            text(given.get("src"), "src"), channels=whole(given.get("channels"), "channels", 1, 4)
        )

    def map(self, reference: Any) -> NDArray[np.float32]:
        if self._maps is None:
            self._maps = _maps(self._archive.text(MAPS))
        found = self._maps.get(text(reference, "map"))
        if found is None:
            raise EditorError("The project lacks a map of attention.")
        return found

    def content(self, name: str, reference: Any) -> Blob:
        place = text(reference, "input")
        if place not in (f"{INPUTS}/{name}", f"{INPUTS}/{name}.png"):
            raise EditorError("The project keeps an input elsewhere than its name says.")
        if not place.endswith(".png"):
            return self._archive.text(place)
        pixels = self._archive.plain_picture(place)
        pixels.setflags(write=False)
        return pixels


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Grey [H, W], RGB or RGBA [H, W, C] as PNG, small rather than quick: it is written once."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _maps(data: bytes) -> dict[str, NDArray[np.float32]]:
    try:
        found = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError) as error:
        raise EditorError("The project's maps of attention are damaged.") from error
    for values in found.values():
        if values.dtype != np.float32 or values.ndim != 2 or not values.size:
            raise EditorError("The project's maps of attention are damaged.")
        if not np.isfinite(values).all():  # nothing is seen there
            np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        values.setflags(write=False)
    return found
