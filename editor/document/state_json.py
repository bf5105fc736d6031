"""A document's state as plain JSON values, beside pixels that are kept elsewhere; and back.

Whoever keeps the pixels says how: a `PixelKeeper` gives a JSON value for a raster or a map, a `PixelSource`
finds them again by that value. Keys of newer versions are left out; what cannot be restored but is no part of
the picture (a recipe, a blend mode that is not known here, a resolution or a guide without a number) is
dropped. So whatever is read can be written again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from editor.adjustments import ADJUSTMENTS, kind_of
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask, Node, new_layer_id
from editor.layers.limits import LARGEST_OFFSET_PX, LARGEST_SIDE_PX, MOST_LAYERS, check_depth
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, Guide, JpegEncoding, SourceMetadata
from editor.layers.text import TextContent
from editor.pixels.raster import Raster
from inference.content import content_hash, contents_in
from inference.errors import EditorError
from inference.messages import Message
from inference.reasons import reason_of
from inference.values import fields, flag, items, mended_text, number, refused, shown, typed, whole

if TYPE_CHECKING:
    from inference.content import Blob, Contents

MOST_GUIDES = 1000
MOST_MAPS = 100_000  # a refinement keeps one for each subject and step
MOST_TEXTS = 1000
LONGEST_NAME = 10_000
LONGEST_TEXT = 2**20  # of a file, such as how it was made
DPI_RANGE = (0.1, 1e6)


class PixelKeeper(Protocol):
    """Puts pixels somewhere; the returned JSON values find them again."""

    def keep_raster(self, raster: Raster) -> Any: ...

    def keep_map(self, values: NDArray[np.float32]) -> Any: ...

    def keep_content(self, name: str, blob: Blob) -> Any:
        """Keep what a recipe's request names, once for each name (its hash)."""
        ...


class PixelSource(Protocol):
    """Finds pixels by what the keeper returned; all raise `EditorError`."""

    def raster(self, reference: Any) -> Raster: ...

    def map(self, reference: Any) -> NDArray[np.float32]: ...

    def content(self, name: str, reference: Any) -> Blob: ...


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
    given = fields(values, Message("The document"))
    chosen = items(given.get("chosen", []), "chosen", MOST_LAYERS)
    return DocumentState(
        width=whole(given.get("width"), "width", 1, LARGEST_SIDE_PX),
        height=whole(given.get("height"), "height", 1, LARGEST_SIDE_PX),
        layers=_nodes(_list(given, "layers"), source, notes, 0),
        active=mended_text(given.get("active", ""), "active", LONGEST_NAME),
        chosen=frozenset(mended_text(item, "chosen", LONGEST_NAME) for item in chosen),
        selection=mask_from_json(given.get("selection"), source),
        guides=guides_from_json(_list(given, "guides")),
        dpi=dpi_from_json(given.get("dpi")),
        icc_profile=_bytes_of(given.get("icc_profile", "")),
    )


def dpi_from_json(value: object) -> tuple[float, float] | None:
    """Pixels per inch across and down; None where a file gives none that a picture can have."""
    try:
        across, down = (number(item, "dpi", *DPI_RANGE) for item in items(value, "dpi", 2))
    except (EditorError, ValueError):
        return None
    return across, down


def guides_from_json(values: list[Any]) -> tuple[Guide, ...]:
    """The guides of a list of objects or of pairs (vertical, position), without those that lack a number."""
    found = [_guide(item) for item in values[:MOST_GUIDES]]
    return tuple(guide for guide in found if guide is not None)


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
    given = fields(values, Message("A layer"))
    check_depth(depth)
    kind = given.get("kind")
    common = _common(given, source, notes)
    if kind == "layer":
        return Layer(**common, **_layer_fields(given, source, common["name"], notes))
    if kind == "group":
        children = _nodes(_list(given, "children"), source, notes, depth + 1)
        return Group(**common, children=children, isolated=flag(given.get("isolated", True), "isolated"))
    if kind == "adjustment":
        return Adjustment(**common, settings=_settings(given))
    raise EditorError(
        "The file has a layer of the unknown kind “{kind}”.", "Open it with a newer Attune.", kind=kind
    )


def _nodes(values: list[Any], source: PixelSource, notes: list[Message], depth: int) -> tuple[Node, ...]:
    """The nodes, without adjustments of kinds that only newer versions know."""
    found: list[Node] = []
    for item in values:
        given = fields(item, "A layer")
        if given.get("kind") == "adjustment" and given.get("adjustment") not in ADJUSTMENTS:
            name = name_from_json(given.get("name", ""))
            notes.append(
                Message("The adjustment “{name}” is of a kind that Attune lacks; it was left out.", name=name)
            )
            continue
        found.append(node_from_json(item, source, notes, depth))
    return tuple(found)


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
    given = fields(values, Message("A mask"))
    return Mask(
        raster=source.raster(given.get("raster")),
        x=offset_from_json(given.get("x", 0)),
        y=offset_from_json(given.get("y", 0)),
        outside=whole(given.get("outside", 0), "outside", 0, 255),
        enabled=flag(given.get("enabled", True), "enabled"),
        linked=flag(given.get("linked", True), "linked"),
    )


def source_to_json(source: SourceMetadata) -> dict[str, Any]:
    """JSON values of what the opened file carried beside its pixels."""
    return {
        "exif": _text_of(source.exif),
        "xmp": _text_of(source.xmp),
        "photoshop": _text_of(source.photoshop),
        "others": list(source.others),
        "text": dict(source.text),
        "photo": source.photo,
        "jpeg": _encoding_to_json(source.jpeg),
    }


def source_from_json(values: object) -> SourceMetadata:
    """Raises:
    EditorError: values of another kind.
    """
    given = fields(values, Message("The description of the source"))
    texts = fields(given.get("text", {}), "text")
    items(list(texts), "text", MOST_TEXTS)
    return SourceMetadata(
        exif=_bytes_of(given.get("exif", "")),
        xmp=_bytes_of(given.get("xmp", "")),
        photoshop=_bytes_of(given.get("photoshop", "")),
        text={
            mended_text(key, "text", LONGEST_NAME): mended_text(value, "text", LONGEST_TEXT)
            for key, value in texts.items()
        },
        others=tuple(
            mended_text(name, "others", LONGEST_NAME) for name in _list(given, "others", MOST_TEXTS)
        ),
        photo=flag(given.get("photo", False), "photo"),
        jpeg=_encoding_from_json(given.get("jpeg")),
    )


def _encoding_to_json(encoding: JpegEncoding | None) -> dict[str, Any] | None:
    if encoding is None:
        return None
    return {"tables": [list(table) for table in encoding.tables], "subsampling": encoding.subsampling}


def _encoding_from_json(values: object) -> JpegEncoding | None:
    """No part of the picture: dropped if it cannot be used."""
    try:
        found = typed(JpegEncoding | None, values, "jpeg")
    except EditorError:
        return None
    return found if found is not None and found.is_usable else None


def offset_from_json(value: object) -> int:
    """Where something lies in its document, in pixels."""
    return whole(value, "offset", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX)


_KINDS: dict[type[Node], str] = {Layer: "layer", Group: "group", Adjustment: "adjustment"}


def _of_layer(layer: Layer, keeper: PixelKeeper) -> dict[str, Any]:
    contents: Contents = layer.recipe.contents if layer.recipe is not None else {}
    return {
        "raster": keeper.keep_raster(layer.raster),
        "x": layer.x,
        "y": layer.y,
        "recipe": layer.recipe.to_json() if layer.recipe is not None else None,
        "inputs": {name: keeper.keep_content(name, blob) for name, blob in contents.items()},
        "maps": {name: keeper.keep_map(values) for name, values in layer.maps.items()},
        "text": layer.text.to_json() if layer.text is not None else None,
    }


def name_from_json(value: object) -> str:
    """A node's name, cut where it is absurdly long."""
    return mended_text(value, "name", LONGEST_TEXT)[:LONGEST_NAME]


def _common(given: Mapping[str, Any], source: PixelSource, notes: list[Message]) -> dict[str, Any]:
    """The fields that every node has."""
    name = name_from_json(given.get("name", ""))
    flags = ("visible", "locked", "alpha_locked", "position_locked", "clipped")
    return {
        "name": name,
        "id": mended_text(given.get("id", ""), "id", LONGEST_NAME) or new_layer_id(),
        "opacity": number(given.get("opacity", 1.0), "opacity", 0, 1),
        "blend_mode": _blend_mode(given.get("blend_mode"), name, notes),
        "mask": mask_from_json(given.get("mask"), source),
        **{key: flag(given.get(key, key == "visible"), key) for key in flags},
    }


def _layer_fields(
    given: Mapping[str, Any], source: PixelSource, name: str, notes: list[Message]
) -> dict[str, Any]:
    maps = fields(given.get("maps", {}), "maps")
    items(list(maps), "maps", MOST_MAPS)
    return {
        "raster": source.raster(given.get("raster")),
        "x": offset_from_json(given.get("x", 0)),
        "y": offset_from_json(given.get("y", 0)),
        "made": _recipe(given, source, name, notes),
        "maps": {mended_text(key, "maps", LONGEST_NAME): source.map(item) for key, item in maps.items()},
        "text": text_from_json(given.get("text"), name, notes),
    }


def _recipe(given: Mapping[str, Any], source: PixelSource, name: str, notes: list[Message]) -> Recipe | None:
    values = given.get("recipe")
    if values is None:
        return None
    try:
        recipe = Recipe.from_json(values)
        return replace(recipe, contents=_contents(recipe, given, source))
    except EditorError as error:
        notes.append(
            Message(
                "The sliders of layer “{name}” cannot be restored: {reason}", name=name, reason=error.sentence
            )
        )
        return None


def _contents(recipe: Recipe, given: Mapping[str, Any], source: PixelSource) -> dict[str, Blob]:
    """What the recipe's request names, as far as the file keeps it, and is what its name says."""
    kept = fields(given.get("inputs", {}), "inputs")
    wanted = {content.hash for content in contents_in(recipe.request.parameters)}
    found = {name: source.content(name, kept[name]) for name in sorted(wanted & set(kept))}
    for name, blob in found.items():
        if content_hash(blob) != name:
            raise EditorError("An input of the recipe is damaged.")
    return found


def text_from_json(values: object, name: str, notes: list[Message]) -> TextContent | None:
    """What a text layer called `name` says; None, with a note, where that cannot be read."""
    try:
        return TextContent.from_json(fields(values, "text")) if values is not None else None
    except EditorError as error:
        notes.append(
            Message("The text of layer “{name}” is pixels only: {reason}", name=name, reason=error.sentence)
        )
        return None


def _blend_mode(value: object, name: str, notes: list[Message]) -> BlendMode:
    try:
        return typed(BlendMode, value, "blend_mode")
    except EditorError:
        notes.append(
            Message(
                "Layer “{name}” uses the blend mode “{value}”, which is shown as normal.",
                name=name,
                value=shown(value),
            )
        )
        return BlendMode.NORMAL


def _settings(given: Mapping[str, Any]) -> Any:
    kind = ADJUSTMENTS.get(mended_text(given.get("adjustment"), "adjustment"))
    if kind is None:
        raise EditorError(
            "The file has an unknown adjustment “{name}”.",
            "Open it with a newer Attune.",
            name=shown(given.get("adjustment")),
        )
    return kind.settings.from_json(given.get("settings", {}))


def _guide(values: object) -> Guide | None:
    try:
        if isinstance(values, list):
            vertical, position = items(cast("list[Any]", values), "guide", 2)
        else:
            given = fields(values, "guide")
            vertical, position = given.get("vertical", False), given.get("position")
        return Guide(
            vertical=flag(vertical, "vertical"),
            position=number(position, "position", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX),
        )
    except (EditorError, ValueError):
        return None


def _list(given: Mapping[str, Any], name: str, most: int = MOST_LAYERS) -> list[Any]:
    return items(given.get(name, []), name, most)


def _text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes_of(text: object) -> bytes:
    if not isinstance(text, str):
        raise refused(Message("A part of the file"), text, Message("expected base64"))
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EditorError("A part of the file is no base64: {reason}.", reason=reason_of(error)) from error
