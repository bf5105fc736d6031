"""Masks of layers, groups and adjustments."""

from __future__ import annotations

from typing import cast

import numpy as np

from editor.edits.nodes import refuse_locked
from editor.edits.pixels import by_bands, with_alpha
from editor.layers.layer import Layer, Mask, Node
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster, Samples, to_eight_bits
from inference.errors import EditorError
from inference.messages import listed

MASKS = ("white", "black", "selection", "outside", "alpha")


def mask_added(state: DocumentState, node_id: str, kind: str) -> DocumentState:
    """A new mask: all "white", all "black", from the "selection", what is "outside" it, or from the "alpha".

    From the alpha the layer itself becomes opaque: it looks the same, and its edge can be painted.

    Raises:
        EditorError: there is a mask already, nothing is selected, or the node has no pixels.
    """
    node = _node(state, node_id)
    if node.mask is not None:
        raise EditorError("“{name}” has a mask already.", "Delete or apply it first.", name=node.name)
    if kind == "alpha":
        return state.with_node(_from_alpha(state.layer(node_id)))
    return state.with_node(node.changed(mask=_new_mask(state, kind)))


def mask_deleted(state: DocumentState, node_id: str) -> DocumentState:
    node, _ = _masked(state, node_id)
    return state.with_node(node.changed(mask=None))


def mask_applied(state: DocumentState, node_id: str) -> DocumentState:
    """What the mask hides becomes transparent for good.

    Raises:
        EditorError: the node has no pixels of its own, or its transparency is locked.
    """
    node, mask = _masked(state, node_id)
    layer = state.layer(node_id)
    if layer.alpha_locked:
        raise EditorError("The transparency of “{name}” is locked.", "Unlock it first.", name=node.name)
    if not mask.enabled:
        return state.with_node(layer.changed(mask=None))
    raster = with_alpha(layer, mask)
    return state.with_node(layer.changed(raster=raster, mask=None, text=None))


def mask_changed(state: DocumentState, node_id: str, *, enabled: bool | None = None,
                 linked: bool | None = None) -> DocumentState:  # fmt: skip
    """A mask that is shown or not, or moves with its layer or not."""
    node, mask = _masked(state, node_id)
    fields = {key: value for key, value in (("enabled", enabled), ("linked", linked)) if value is not None}
    return state.with_node(node.changed(mask=mask.changed(**fields)))


def mask_inverted(state: DocumentState, node_id: str) -> DocumentState:
    node, mask = _masked(state, node_id)
    return state.with_node(node.changed(mask=inverted(mask)))


def inverted(mask: Mask) -> Mask:
    """What it showed is hidden, what it hid shows, outside its raster as well."""
    raster = mask.raster
    top = raster.dtype.type(raster.top)

    def band(area: Area) -> Samples:
        return cast("Samples", top - raster.read(area))

    return mask.changed(raster=by_bands(raster, band), outside=255 - mask.outside)


def alpha_as_mask(layer: Layer) -> Mask:
    """A layer's opacity, 0 outside it: what “select the layer's pixels” selects."""
    alpha = to_eight_bits(layer.raster.array()[..., 3:])
    return Mask(raster=Raster.of(np.ascontiguousarray(alpha)), x=layer.x, y=layer.y)


def _new_mask(state: DocumentState, kind: str) -> Mask:
    if kind in ("selection", "outside"):
        if state.selection is None:
            raise EditorError("Nothing is selected.", "Select what the mask shall show.")
        return state.selection if kind == "selection" else inverted(state.selection)
    if kind not in MASKS:
        raise EditorError(
            "There is no mask “{kind}”.", "Choose one of: {masks}.", kind=kind, masks=listed(MASKS)
        )
    value = 255 if kind == "white" else 0
    return Mask(raster=Raster.filled(state.width, state.height, value, channels=1), outside=value)


def _from_alpha(layer: Layer) -> Layer:
    raster = layer.raster

    def band(area: Area) -> Samples:
        samples = raster.read(area).copy()
        samples[..., 3] = raster.top
        return samples

    return layer.changed(raster=by_bands(raster, band), mask=alpha_as_mask(layer), text=None)


def _node(state: DocumentState, node_id: str) -> Node:
    refuse_locked(state, [node_id], contents=False)
    return state.node(node_id)


def _masked(state: DocumentState, node_id: str) -> tuple[Node, Mask]:
    node = _node(state, node_id)
    if node.mask is None:
        raise EditorError("“{name}” has no mask.", "Add one first.", name=node.name)
    return node, node.mask
