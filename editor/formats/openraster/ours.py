"""`attune/document.json`: the nodes as they are, and what OpenRaster has no place for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from editor.document.state_json import (
    LONGEST_NAME,
    dpi_from_json,
    guides_from_json,
    source_from_json,
    source_to_json,
    state_from_json,
    state_to_json,
)
from editor.formats.decoding import said_broken
from editor.formats.openraster.archive import Archive, Writer, same_checksums
from editor.formats.openraster.keeping import Keeper, Source
from editor.formats.openraster.nodes import node_from_json, selection_from_json
from editor.formats.picture import Picture
from editor.layers.layer import Layer, new_layer_id
from editor.layers.limits import LARGEST_SIDE_PX, MOST_LAYERS
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.messages import Message
from inference.process.version import version
from inference.values import fields, items, json_object, mended_text, whole

NAME = "attune/document.json"
VERSION = 3


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the file says to us: the whole state if it still holds, else what can be kept of it."""

    source: SourceMetadata = field(default_factory=SourceMetadata)
    state: DocumentState | None = None
    icc_profile: bytes = b""
    dpi: tuple[float, float] | None = None
    layers: tuple[Mapping[str, Any], ...] = ()  # of version 1: id and recipe by position


def tree_of(state: DocumentState, writer: Writer) -> dict[str, Any]:
    """The state's JSON; pictures that `stack.xml` did not need, maps and inputs are written by the way."""
    keeper = Keeper(writer)
    values = state_to_json(state, keeper)
    keeper.finish()
    return values


def document(picture: Picture, tree: dict[str, Any], stack: bytes, checksums: Mapping[str, int]) -> bytes:
    source, state = picture.source, picture.state
    pictures = {name: value for name, value in checksums.items() if name.startswith("data/")}
    values: dict[str, Any] = {
        "version": VERSION,
        "software": f"Attune {version()}",
        "stack": hashlib.sha256(stack).hexdigest(),
        "pictures": pictures,
        "tree": tree,
        "source": {
            **source_to_json(source),
            "icc_profile": base64.b64encode(state.icc_profile).decode(),
            "dpi": state.dpi,
        },
    }
    return json.dumps(values, ensure_ascii=False, indent=1).encode()


def read(archive: Archive, stack: bytes, notes: list[Message]) -> Known:
    """What we wrote; without it nothing is known."""
    if not archive.has(NAME):
        return Known()
    try:
        with said_broken(NAME):
            values = json_object(archive.text(NAME), Message("description"))
            known = _common(fields(values["source"], "source"))
    except EditorError as error:
        notes.append(
            Message(
                "What Attune added to the file, such as recipes, cannot be read: {reason}",
                reason=error.sentence,
            )
        )
        return Known()
    if values.get("version") == 1:
        return replace(known, layers=tuple(items(values.get("layers", []), "layers", MOST_LAYERS)))
    try:
        with said_broken(NAME):
            unchanged = values["stack"] == hashlib.sha256(stack).hexdigest()
            if unchanged and same_checksums(fields(values["pictures"], "pictures"), archive.checksums()):
                read_tree = _state_of_version_2 if values.get("version") == 2 else _state
                tree = fields(values["tree"], "tree")
                return replace(known, state=read_tree(tree, known, archive, notes))
        notes.append(
            Message(
                "Another program changed the file: its layers were opened as they are there, without "
                "the masks, adjustments, texts and recipes that only Attune knows."
            )
        )
    except EditorError as error:
        notes.append(
            Message(
                "Masks, adjustments, texts and recipes of the file cannot be read; layers that look "
                "the same were opened instead: {reason}",
                reason=error.sentence,
            )
        )
    return known


def amended(state: DocumentState, known: Known) -> DocumentState:
    """A state read from `stack.xml` with what we know beside it."""
    layers = list(state.layers)
    if known.layers and len(known.layers) == len(layers):
        layers = [
            _restored(layer, kept) if isinstance(layer, Layer) else layer
            for layer, kept in zip(layers, known.layers, strict=True)
        ]
        before = [layer.id for layer in state.layers]
        active = layers[before.index(state.active)].id if state.active in before else layers[-1].id
        state = replace(state, layers=tuple(layers), active=active)
    return replace(state, icc_profile=known.icc_profile or state.icc_profile, dpi=known.dpi or state.dpi)


def _restored(layer: Layer, kept: Mapping[str, Any]) -> Layer:
    try:
        with said_broken(NAME):
            recipe = Recipe.from_json(kept["recipe"]) if kept.get("recipe") is not None else None
            name = mended_text(kept.get("id", ""), "id", LONGEST_NAME)
            return layer.changed(id=name or new_layer_id(), recipe=recipe)
    except EditorError:
        return layer


def _state(tree: Mapping[str, Any], known: Known, archive: Archive, notes: list[Message]) -> DocumentState:
    state = replace(state_from_json(tree, Source(archive), notes), icc_profile=known.icc_profile)
    return _with_active(state, tree)


def _with_active(state: DocumentState, tree: Mapping[str, Any]) -> DocumentState:
    ids = [node.id for node in state.nodes()]
    if len(set(ids)) != len(ids) or not ids:
        raise ValueError("layers without a name of their own")
    return replace(state, active=tree["active"] if tree["active"] in ids else state.layers[-1].id)


def _state_of_version_2(
    tree: Mapping[str, Any], known: Known, archive: Archive, notes: list[Message]
) -> DocumentState:
    nodes = tuple(
        node
        for item in items(tree["nodes"], "nodes", MOST_LAYERS)
        if (node := node_from_json(item, archive, notes)) is not None
    )
    state = DocumentState(
        width=whole(tree["width"], "width", 1, LARGEST_SIDE_PX),
        height=whole(tree["height"], "height", 1, LARGEST_SIDE_PX),
        layers=nodes,
        selection=selection_from_json(tree.get("selection"), archive),
        guides=guides_from_json(items(tree["guides"], "guides", MOST_LAYERS)),
        icc_profile=known.icc_profile,
        dpi=known.dpi,
    )
    return _with_active(state, tree)


def _common(values: Mapping[str, Any]) -> Known:
    return Known(
        source=source_from_json(values),
        icc_profile=base64.b64decode(values.get("icc_profile", "")),
        dpi=dpi_from_json(values.get("dpi")),
    )
