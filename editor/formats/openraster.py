"""OpenRaster: layers and blend modes as Krita, GIMP and MyPaint read them; ours under `attune/`.

The archive holds `mimetype` (first, stored), `stack.xml`, `data/*.png`, `mergedimage.png`,
`Thumbnails/thumbnail.png`, and `attune/document.json` with recipes, subjects and what the source carried.
"""

from __future__ import annotations

import base64
import json
import posixpath
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from editor import metadata
from editor.atomic import atomic_write
from editor.formats import ExportOptions, Opened, Picture
from editor.formats.decoding import read_picture
from editor.formats.limits import LARGEST_PIXELS
from editor.layer import BlendMode, Layer, new_layer_id, raster_of
from editor.pixels import transparent
from editor.raster import Samples
from editor.recipes import Recipe
from editor.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.request import Pixels

MIME_TYPE = "image/openraster"
VERSION = "0.0.5"
OURS = "attune/document.json"
THUMBNAIL_PX = 256
LARGEST_ENTRY_BYTES = 4 * LARGEST_PIXELS
LARGEST_TEXT_BYTES = 64 * 2**20
LARGEST_SIDE_PX = 100_000


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[str, ...]:
    """Write layers, composite and recipes.

    Raises:
        EditorError: the file cannot be written.
    """
    del options
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", MIME_TYPE)
        encoded: dict[tuple[object, ...], bytes] = {}  # the composite of one layer is that layer
        sources = _write_layers(archive, picture.state, encoded)
        archive.writestr("stack.xml", _stack(picture.state, sources), zipfile.ZIP_DEFLATED)
        archive.writestr("mergedimage.png", encoded.get(_place(picture.pixels)) or _png(picture.pixels))
        archive.writestr("Thumbnails/thumbnail.png", _thumbnail(picture.pixels))
        archive.writestr(OURS, _document(picture), zipfile.ZIP_DEFLATED)
    return ()


def read(path: Path) -> Opened:
    """Read layers and, if Attune wrote the file, recipes.

    Raises:
        EditorError: no OpenRaster, damaged, or with parts of absurd size.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return _read(archive, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise EditorError(
            f"“{path.name}” is a damaged OpenRaster file: {error}.", "Get the file again."
        ) from error
    except OSError as error:
        raise EditorError(f"“{path.name}” cannot be read: {error.strerror or error}.") from error


def _write_layers(
    archive: zipfile.ZipFile, state: DocumentState, encoded: dict[tuple[object, ...], bytes]
) -> dict[str, str]:
    """Each layer's PNG in the archive, also kept in `encoded`; layers over the same pixels share one."""
    names: dict[tuple[object, ...], str] = {}
    sources: dict[str, str] = {}
    for layer in state.rasters():
        key = _place(layer.pixels)
        if key not in names:
            names[key] = f"data/layer{len(names):03}.png"
            encoded[key] = _png(layer.pixels)
            archive.writestr(names[key], encoded[key])
        sources[layer.id] = names[key]
    return sources


def _place(pixels: Pixels) -> tuple[object, ...]:
    """Equal for arrays that show the same pixels in memory."""
    return (pixels.__array_interface__["data"][0], pixels.shape, pixels.strides)


def _stack(state: DocumentState, sources: dict[str, str]) -> bytes:
    image = ElementTree.Element("image", {"version": VERSION, "w": str(state.width), "h": str(state.height)})
    stack = ElementTree.SubElement(image, "stack")
    for layer in reversed(tuple(state.rasters())):  # OpenRaster lists the topmost first
        attributes = {
            "name": layer.name,
            "src": sources[layer.id],
            "x": str(layer.x),
            "y": str(layer.y),
            "opacity": f"{layer.opacity:.6g}",
            "visibility": "visible" if layer.visible else "hidden",
            "composite-op": layer.blend_mode.value,
        }
        if layer.locked:
            attributes["edit-locked"] = "true"
        if layer.id == state.active:
            attributes["selected"] = "true"
        ElementTree.SubElement(stack, "layer", attributes)
    return ElementTree.tostring(image, encoding="utf-8", xml_declaration=True)


def _document(picture: Picture) -> bytes:
    """What OpenRaster has no place for; layers by their position from the bottom."""
    source = picture.source
    layers = [
        {"id": layer.id, "recipe": layer.recipe.to_json() if layer.recipe is not None else None}
        for layer in picture.state.rasters()
    ]
    values: dict[str, Any] = {
        "version": 1,
        "software": f"Attune {metadata.version()}",
        "layers": layers,
        "source": {
            "exif": base64.b64encode(source.exif).decode(),
            "icc_profile": base64.b64encode(picture.state.icc_profile).decode(),
            "xmp": base64.b64encode(source.xmp).decode(),
            "dpi": picture.state.dpi,
            "text": dict(source.text),
            "photo": source.photo,
        },
    }
    return json.dumps(values, ensure_ascii=False, indent=1).encode()


def _png(pixels: Pixels) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)  # a project is saved often
    return buffer.getvalue()


def _thumbnail(pixels: Pixels) -> bytes:
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _read(archive: zipfile.ZipFile, file: BinaryIO) -> Opened:
    del file
    notes: list[str] = []
    image = _parsed(_entry(archive, "stack.xml", LARGEST_TEXT_BYTES))
    width, height = _number(image, "w", 1, LARGEST_SIDE_PX), _number(image, "h", 1, LARGEST_SIDE_PX)
    if width * height > LARGEST_PIXELS:
        raise EditorError(f"The picture has {width} × {height} pixels; that is too large.")
    stack = image.find("stack")
    if stack is None:
        raise EditorError("The file has no layers (stack.xml lacks a stack).")
    read_layers = _Layers(archive, notes)
    layers = read_layers.of(stack)
    if not layers:
        layers = [Layer.of_pixels(name="Background", pixels=transparent(width, height))]
    ours, source, colour = _ours(archive, notes)
    if len(ours) == len(layers):
        layers = [_restored(layer, kept, notes) for layer, kept in zip(layers, ours, strict=True)]
    active = layers[read_layers.selected].id if 0 <= read_layers.selected < len(layers) else layers[-1].id
    state = DocumentState(width=width, height=height, layers=tuple(layers), active=active, **colour)
    return Opened(state=state, source=source, is_project=True, notes=tuple(dict.fromkeys(notes)))


@dataclass
class _Group:
    """What a group gives to its layers, because groups are opened flat."""

    x: int = 0
    y: int = 0
    opacity: float = 1.0
    visible: bool = True


class _Layers:
    """Reads the layers of a stack from bottom to top; groups are dissolved, and said."""

    def __init__(self, archive: zipfile.ZipFile, notes: list[str]) -> None:
        self.selected = -1
        self._archive = archive
        self._notes = notes
        self._pixels: dict[str, Samples] = {}
        self._total = 0

    def of(self, stack: ElementTree.Element) -> list[Layer]:
        return self._inside(stack, _Group(), 0)

    def _inside(self, stack: ElementTree.Element, group: _Group, depth: int) -> list[Layer]:
        if depth > 100:
            raise EditorError("The file has groups more than 100 deep.")
        found: list[Layer] = []
        for element in reversed(list(stack)):
            if element.tag == "layer":
                if element.get("selected") == "true":
                    self.selected = self._total
                found.append(self._layer(element, group))
                self._total += 1
            elif element.tag == "stack":
                found += self._inside(element, self._group(element, group), depth + 1)
            else:
                self._notes.append(f"A part of kind “{element.tag}” was left out.")
        return found

    def _group(self, element: ElementTree.Element, outer: _Group) -> _Group:
        self._notes.append("Groups were dissolved: their layers are single layers now.")
        return _Group(
            x=outer.x + _number(element, "x", -LARGEST_SIDE_PX, LARGEST_SIDE_PX, 0),
            y=outer.y + _number(element, "y", -LARGEST_SIDE_PX, LARGEST_SIDE_PX, 0),
            opacity=outer.opacity * _opacity(element),
            visible=outer.visible and element.get("visibility", "visible") == "visible",
        )

    def _layer(self, element: ElementTree.Element, group: _Group) -> Layer:
        name = element.get("name") or "Layer"
        return Layer(
            name=name,
            raster=raster_of(self._picture(element.get("src", ""))),
            x=group.x + _number(element, "x", -LARGEST_SIDE_PX, LARGEST_SIDE_PX, 0),
            y=group.y + _number(element, "y", -LARGEST_SIDE_PX, LARGEST_SIDE_PX, 0),
            visible=group.visible and element.get("visibility", "visible") == "visible",
            opacity=group.opacity * _opacity(element),
            blend_mode=self._blend_mode(element, name),
            locked=element.get("edit-locked") == "true",
        )

    def _picture(self, name: str) -> Samples:
        name = posixpath.normpath(name)
        if name not in self._pixels:
            data = BytesIO(_entry(self._archive, name, LARGEST_ENTRY_BYTES))
            self._pixels[name] = read_picture(data, ("PNG",), self._notes, name)
        return self._pixels[name]

    def _blend_mode(self, element: ElementTree.Element, name: str) -> BlendMode:
        given = element.get("composite-op", BlendMode.NORMAL.value)
        try:
            return BlendMode(given)
        except ValueError:
            self._notes.append(f"Layer “{name}” uses the blend mode “{given}”, which is shown as normal.")
            return BlendMode.NORMAL


def _ours(
    archive: zipfile.ZipFile, notes: list[str]
) -> tuple[list[dict[str, Any]], SourceMetadata, dict[str, Any]]:
    if OURS not in archive.namelist():
        return [], SourceMetadata(), {}
    try:
        values = json.loads(_entry(archive, OURS, LARGEST_TEXT_BYTES))
        layers = [dict(item) for item in values["layers"]]
        source = values.get("source", {})
        return layers, _source(source), _colour(source)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        notes.append(f"The recipes of the layers cannot be read: {error}.")
        return [], SourceMetadata(), {}


def _colour(values: dict[str, Any]) -> dict[str, Any]:
    """The document's colour space and resolution."""
    dpi = values.get("dpi")
    return {
        "icc_profile": base64.b64decode(values.get("icc_profile", "")),
        "dpi": (float(dpi[0]), float(dpi[1])) if dpi else None,
    }


def _source(values: dict[str, Any]) -> SourceMetadata:
    return SourceMetadata(
        exif=base64.b64decode(values.get("exif", "")),
        xmp=base64.b64decode(values.get("xmp", "")),
        text={str(key): str(value) for key, value in values.get("text", {}).items()},
        photo=bool(values.get("photo", False)),
    )


def _restored(layer: Layer, kept: dict[str, Any], notes: list[str]) -> Layer:
    recipe = None
    if kept.get("recipe") is not None:
        try:
            recipe = Recipe.from_json(kept["recipe"])
        except EditorError as error:
            notes.append(f"The sliders of layer “{layer.name}” cannot be restored: {error.message}")
    return layer.changed(id=str(kept.get("id") or new_layer_id()), recipe=recipe)


def _entry(archive: zipfile.ZipFile, name: str, largest_bytes: int) -> bytes:
    """One file of the archive; nothing is ever extracted to a path."""
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise EditorError(f"The file lacks “{name}”.", "It is incomplete; get it again.") from error
    if info.file_size > largest_bytes:
        raise EditorError(f"“{name}” in the file is too large ({info.file_size // 2**20} MiB).")
    return archive.read(info)


def _parsed(text: bytes) -> ElementTree.Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(text)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise EditorError(f"The layers cannot be read (stack.xml): {error}.") from error


def _number(element: ElementTree.Element, name: str, low: int, high: int, default: int | None = None) -> int:
    text = element.get(name)
    if text is None and default is not None:
        return default
    try:
        value = round(float(text or ""))
    except (ValueError, OverflowError) as error:
        raise EditorError(f"“{name}” of a {element.tag} is {text!r}: a number is needed.") from error
    if not low <= value <= high:
        raise EditorError(f"“{name}” of a {element.tag} is {value}: allowed is {low} to {high}.")
    return value


def _opacity(element: ElementTree.Element) -> float:
    try:
        value = float(element.get("opacity", "1"))
    except ValueError:
        return 1.0
    return float(np.clip(value, 0, 1)) if value == value else 1.0
