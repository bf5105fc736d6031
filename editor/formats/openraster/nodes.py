"""Nodes, masks and the selection of version 2 of `attune/document.json`, which wrote them in its own way."""

from __future__ import annotations

from typing import Any

from editor.adjustments import ADJUSTMENTS
from editor.document.state_json import LONGEST_NAME, name_from_json, offset_from_json, text_from_json
from editor.formats.openraster.archive import Archive
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Adjustment, Group, Layer, Mask, Node
from editor.layers.limits import MOST_LAYERS, check_depth
from editor.layers.recipes import Recipe
from inference.errors import EditorError
from inference.messages import Message
from inference.values import fields, flag, items, mended_text, number, typed, whole

_FLAGS = ("visible", "locked", "alpha_locked", "position_locked", "clipped")
_FOLDER = "attune"


def node_from_json(
    values: dict[str, Any], archive: Archive, notes: list[Message], depth: int = 0
) -> Node | None:
    """The node; None for an adjustment of a newer version, which is noted.

    Raises:
        EditorError, ValueError, KeyError, TypeError: the file says something else than `node_to_json`.
    """
    check_depth(depth)
    values = dict(fields(values, Message("A layer")))
    common: dict[str, Any] = {
        "id": mended_text(values["id"], "id", LONGEST_NAME),
        "name": name_from_json(values["name"]),
        "opacity": number(values["opacity"], "opacity", 0, 1),
        "blend_mode": typed(BlendMode, values["blend_mode"], "blend_mode"),
        "mask": _mask_from_json(values["mask"], archive) if values.get("mask") is not None else None,
        **{name: flag(values.get(name, name == "visible"), name) for name in _FLAGS},
    }
    if values["type"] == "layer":
        return _layer_from_json(values, common, archive, notes)
    if values["type"] == "group":
        children = [
            node_from_json(item, archive, notes, depth + 1)
            for item in items(values["children"], "children", MOST_LAYERS)
        ]
        kept = tuple(child for child in children if child is not None)
        return Group(children=kept, isolated=flag(values["isolated"], "isolated"), **common)
    kind = ADJUSTMENTS.get(values["kind"])
    if kind is None:
        notes.append(
            Message(
                "The adjustment “{name}” is of a kind that Attune lacks; it was left out.",
                name=common["name"],
            )
        )
        return None
    return Adjustment(settings=kind.settings.from_json(values["settings"]), **common)


def selection_from_json(values: dict[str, Any] | None, archive: Archive) -> Mask | None:
    return _mask_from_json(values, archive) if values is not None else None


def _layer_from_json(
    values: dict[str, Any], common: dict[str, Any], archive: Archive, notes: list[Message]
) -> Layer:
    recipe = None
    if values.get("recipe") is not None:
        try:
            recipe = Recipe.from_json(values["recipe"])
        except EditorError as error:
            notes.append(
                Message(
                    "The sliders of layer “{name}” cannot be restored: {reason}",
                    name=common["name"],
                    reason=error.sentence,
                )
            )
    text = text_from_json(values.get("text"), common["name"], notes)
    place = {"x": offset_from_json(values["x"]), "y": offset_from_json(values["y"])}
    return Layer(raster=archive.raster(values["src"]), made=recipe, text=text, **place, **common)


def _mask_from_json(values: dict[str, Any], archive: Archive) -> Mask:
    values = dict(fields(values, Message("A mask")))
    return Mask(
        raster=archive.raster(values["src"], channels=1),
        x=offset_from_json(values["x"]),
        y=offset_from_json(values["y"]),
        outside=whole(values["outside"], "outside", 0, 255),
        enabled=flag(values["enabled"], "enabled"),
        linked=flag(values["linked"], "linked"),
    )
