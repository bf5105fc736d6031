"""A document's state as plain JSON values, beside pixels that are kept elsewhere; and back.

Whoever keeps the pixels says how: a `PixelKeeper` gives a JSON value for a raster or a map, a `PixelSource`
finds them again by that value. Keys of newer versions are left out; what cannot be restored but is no part of
the picture (a recipe, a blend mode that is not known here) is dropped with a note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from editor.adjustments import ADJUSTMENTS, kind_of
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask, Node, new_layer_id
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, Guide, SourceMetadata
from editor.layers.text import TextContent
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import Message
from inference.reasons import reason_of

DEEPEST_GROUP = 100
LARGEST_SIDE_PX = 1_000_000
LARGEST_OFFSET_PX = 10_000_000


class PixelKeeper(Protocol):
    """Puts pixels somewhere; the returned JSON values find them again."""

    def keep_raster(self, raster: Raster) -> Any: ...

    def keep_map(self, values: NDArray[np.float32]) -> Any: ...


class PixelSource(Protocol):
    """Finds pixels by what the keeper returned; both raise `EditorError`."""

    def raster(self, reference: Any) -> Raster: ...

    def map(self, reference: Any) -> NDArray[np.float32]: ...


def state_to_json(state: DocumentState, keeper: PixelKeeper) -> dict[str, Any]:
    """JSON values of a whole state."""
    return {
        "width": state.width,
        "height": state.height,
        "layers": [node_to_json(node, keeper) for node in state.layers],
        "active": state.active,
        "chosen": sorted(state.chosen),
        "selection": mask_to_json(state.selection, keeper),
        "guides": [{"vertical": guide.vertical, "position": guide.position} for guide in state.guides],
        "dpi": list(state.dpi) if state.dpi is not None else None,
        "icc_profile": _text_of(state.icc_profile),
    }


def state_from_json(values: object, source: PixelSource, notes: list[Message]) -> DocumentState:
    """The state again; `notes` gets a sentence for each thing that was dropped.

    Raises:
        EditorError: values of another kind, or pixels that are not there.
    """
    given = _object(values, Message("document"))
    dpi = given.get("dpi")
    try:
        return DocumentState(
            width=_whole(given, "width", 1, LARGEST_SIDE_PX),
            height=_whole(given, "height", 1, LARGEST_SIDE_PX),
            layers=tuple(node_from_json(item, source, notes) for item in _list(given, "layers")),
            active=str(given.get("active", "")),
            chosen=frozenset(str(item) for item in _list(given, "chosen")),
            selection=mask_from_json(given.get("selection"), source),
            guides=tuple(_guide(item) for item in _list(given, "guides")),
            dpi=(float(dpi[0]), float(dpi[1])) if dpi else None,
            icc_profile=_bytes_of(given.get("icc_profile", "")),
        )
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise EditorError("The document cannot be read: {reason}.", reason=reason_of(error)) from error


def node_to_json(node: Node, keeper: PixelKeeper) -> dict[str, Any]:
    """JSON values of a node and everything in it; `kind` says which class it is."""
    values: dict[str, Any] = {
        "kind": _KINDS[type(node)],
        "name": node.name,
        "id": node.id,
        "visible": node.visible,
        "opacity": node.opacity,
        "blend_mode": node.blend_mode.value,
        "locked": node.locked,
        "alpha_locked": node.alpha_locked,
        "position_locked": node.position_locked,
        "clipped": node.clipped,
        "mask": mask_to_json(node.mask, keeper),
    }
    if isinstance(node, Layer):
        return values | _of_layer(node, keeper)
    if isinstance(node, Group):
        children = [node_to_json(child, keeper) for child in node.children]
        return values | {"isolated": node.isolated, "children": children}
    assert isinstance(node, Adjustment), "the table of kinds has no others"
    return values | {"adjustment": kind_of(node.settings).name, "settings": node.settings.to_json()}


def node_from_json(values: object, source: PixelSource, notes: list[Message], depth: int = 0) -> Node:
    """The node again.

    Raises:
        EditorError: an unknown kind, values of another kind, pixels that are not there.
    """
    given = _object(values, Message("layer"))
    if depth > DEEPEST_GROUP:
        raise EditorError("The file has groups more than {most} deep.", most=DEEPEST_GROUP)
    kind = given.get("kind")
    common = _common(given, source, notes)
    if kind == "layer":
        return Layer(**common, **_layer_fields(given, source, common["name"], notes))
    if kind == "group":
        children = tuple(node_from_json(item, source, notes, depth + 1) for item in _list(given, "children"))
        return Group(**common, children=children, isolated=bool(given.get("isolated", True)))
    if kind == "adjustment":
        return Adjustment(**common, settings=_settings(given))
    raise EditorError(
        "The file has a layer of the unknown kind “{kind}”.", "Open it with a newer Attune.", kind=kind
    )


def mask_to_json(mask: Mask | None, keeper: PixelKeeper) -> dict[str, Any] | None:
    if mask is None:
        return None
    return {
        "raster": keeper.keep_raster(mask.raster),
        "x": mask.x,
        "y": mask.y,
        "outside": mask.outside,
        "enabled": mask.enabled,
        "linked": mask.linked,
    }


def mask_from_json(values: object, source: PixelSource) -> Mask | None:
    """Raises:
    EditorError: values of another kind, or pixels that are not there.
    """
    if values is None:
        return None
    given = _object(values, Message("mask"))
    return Mask(
        raster=source.raster(given.get("raster")),
        x=_whole(given, "x", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX),
        y=_whole(given, "y", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX),
        outside=_whole(given, "outside", 0, 255),
        enabled=bool(given.get("enabled", True)),
        linked=bool(given.get("linked", True)),
    )


def source_to_json(source: SourceMetadata) -> dict[str, Any]:
    """JSON values of what the opened file carried beside its pixels."""
    return {
        "exif": _text_of(source.exif),
        "xmp": _text_of(source.xmp),
        "text": dict(source.text),
        "photo": source.photo,
    }


def source_from_json(values: object) -> SourceMetadata:
    """Raises:
    EditorError: values of another kind.
    """
    given = _object(values, Message("description of the source"))
    return SourceMetadata(
        exif=_bytes_of(given.get("exif", "")),
        xmp=_bytes_of(given.get("xmp", "")),
        text={str(key): str(value) for key, value in _object(given.get("text", {}), Message("text")).items()},
        photo=bool(given.get("photo", False)),
    )


_KINDS: dict[type[Node], str] = {Layer: "layer", Group: "group", Adjustment: "adjustment"}


def _of_layer(layer: Layer, keeper: PixelKeeper) -> dict[str, Any]:
    return {
        "raster": keeper.keep_raster(layer.raster),
        "x": layer.x,
        "y": layer.y,
        "recipe": layer.recipe.to_json() if layer.recipe is not None else None,
        "maps": {name: keeper.keep_map(values) for name, values in layer.maps.items()},
        "text": layer.text.to_json() if layer.text is not None else None,
    }


def _common(given: Mapping[str, Any], source: PixelSource, notes: list[Message]) -> dict[str, Any]:
    """The fields that every node has."""
    name = str(given.get("name", ""))
    flags = ("visible", "locked", "alpha_locked", "position_locked", "clipped")
    opacity = given.get("opacity", 1.0)
    if not isinstance(opacity, int | float):
        raise EditorError(
            "The opacity of layer “{name}” is {opacity}: a number is needed.",
            name=name,
            opacity=repr(opacity),
        )
    return {
        "name": name,
        "id": str(given.get("id") or new_layer_id()),
        "opacity": float(opacity),
        "blend_mode": _blend_mode(given.get("blend_mode"), name, notes),
        "mask": mask_from_json(given.get("mask"), source),
        **{flag: bool(given.get(flag, flag == "visible")) for flag in flags},
    }


def _layer_fields(
    given: Mapping[str, Any], source: PixelSource, name: str, notes: list[Message]
) -> dict[str, Any]:
    maps = _object(given.get("maps", {}), Message("list of maps"))
    return {
        "raster": source.raster(given.get("raster")),
        "x": _whole(given, "x", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX),
        "y": _whole(given, "y", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX),
        "made": _recipe(given.get("recipe"), name, notes),
        "maps": {key: source.map(reference) for key, reference in maps.items()},
        "text": _text_content(given.get("text"), name, notes),
    }


def _recipe(values: object, name: str, notes: list[Message]) -> Recipe | None:
    try:
        return Recipe.from_json(values) if values is not None else None
    except EditorError as error:
        notes.append(
            Message(
                "The sliders of layer “{name}” cannot be restored: {reason}", name=name, reason=error.sentence
            )
        )
        return None


def _text_content(values: object, name: str, notes: list[Message]) -> TextContent | None:
    try:
        return TextContent.from_json(dict(_object(values, Message("text")))) if values is not None else None
    except EditorError as error:
        notes.append(
            Message("The text of layer “{name}” is pixels only: {reason}", name=name, reason=error.sentence)
        )
        return None


def _blend_mode(value: object, name: str, notes: list[Message]) -> BlendMode:
    try:
        return BlendMode(value)
    except ValueError:
        notes.append(
            Message(
                "Layer “{name}” uses the blend mode “{value}”, which is shown as normal.",
                name=name,
                value=value,
            )
        )
        return BlendMode.NORMAL


def _settings(given: Mapping[str, Any]) -> Any:
    kind = ADJUSTMENTS.get(str(given.get("adjustment")))
    if kind is None:
        raise EditorError(
            "The file has an unknown adjustment “{kind}”.",
            "Open it with a newer Attune.",
            kind=given.get("adjustment"),
        )
    return kind.settings.from_json(_object(given.get("settings", {}), Message("adjustment")))


def _guide(values: object) -> Guide:
    given = _object(values, Message("guide"))
    return Guide(vertical=bool(given.get("vertical")), position=float(given.get("position", 0.0)))


def _object(values: object, what: Message) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise EditorError(
            "The file's {what} cannot be read: it is no object but {values}.",
            what=what,
            values=repr(str(values)[:40]),
        )
    return cast("Mapping[str, Any]", values)


def _list(given: Mapping[str, Any], name: str) -> list[Any]:
    values = given.get(name, [])
    if not isinstance(values, list):
        raise EditorError("“{name}” is no list but {values}.", name=name, values=repr(str(values)[:40]))
    return cast("list[Any]", values)


def _whole(given: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = given.get(name, 0)
    if type(value) is not int or not low <= value <= high:
        raise EditorError(
            "“{name}” is {value}: allowed is a whole number {low} to {high}.",
            name=name,
            value=repr(str(value)[:40]),
            low=low,
            high=high,
        )
    return value


def _text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes_of(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise EditorError("A part of the file is no base64: {reason}.", reason=reason_of(error)) from error
