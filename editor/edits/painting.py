"""Filling, clearing and lifting what is selected of a layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication

from editor.edits.nodes import refuse_locked
from editor.edits.pixels import as_depth, bounds, by_bands, coverage, cropped, spread, with_alpha
from editor.edits.tree import added
from editor.layers.layer import Layer, Mask, Node
from editor.layers.limits import check_size
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster, Samples
from inference.errors import EditorError

translate = QCoreApplication.translate

Colour = tuple[int, int, int, int]


def filled(state: DocumentState, node_id: str, colour: Colour, *, mask: bool = False) -> DocumentState:
    """A colour (straight RGBA 0..255) over what is selected of a layer, or its lightness on its mask."""
    refuse_locked(state, [node_id])
    area = _selected_area(state)
    if mask:
        return state.with_node(_filled_mask(state, state.node(node_id), colour, area))
    layer = state.layer(node_id)
    layer = layer if layer.alpha_locked else spread(layer, area)
    paint = as_depth(colour, layer.raster.dtype)

    def band(part: Area) -> Samples:
        samples = layer.raster.read(part).copy()
        share = coverage(state.selection, part.moved(layer.x, layer.y)) * np.float32(colour[3] / 255)
        _paint(samples, paint, share, keep_alpha=layer.alpha_locked)
        return samples

    raster = by_bands(layer.raster, band)
    # what is painted is no longer what the recipe makes
    return state.with_node(layer.changed(raster=raster, text=None, recipe=None, maps={}))


def cleared(state: DocumentState, node_id: str, *, mask: bool = False) -> DocumentState:
    """What is selected of a layer becomes transparent; of a mask, black.

    Raises:
        EditorError: the layer's transparency is locked, or it has no pixels.
    """
    refuse_locked(state, [node_id])
    if mask:
        return state.with_node(
            _filled_mask(state, state.node(node_id), (0, 0, 0, 255), _selected_area(state))
        )
    layer = clearable(state, node_id)
    shown = state.selection or _everything(state)
    raster = with_alpha(layer, shown, remove=True)
    return state.with_node(layer.changed(raster=raster, text=None, recipe=None, maps={}))


def clearable(state: DocumentState, node_id: str) -> Layer:
    """The layer, if `cleared` would accept it.

    Raises:
        EditorError: it would not.
    """
    refuse_locked(state, [node_id])
    layer = state.layer(node_id)
    _refuse_alpha_locked(layer)
    return layer


def lifted(state: DocumentState, node_id: str) -> Layer:
    """What is selected of a layer, as a layer of its own that is no larger; without a selection all of it.

    Raises:
        EditorError: nothing of it is selected.
    """
    layer = state.layer(node_id)
    if state.selection is None:
        return layer.copy(translate("Commands", "{name} copy").format(name=layer.name))
    area = bounds(state.selection, layer.area)
    if area.is_empty:
        raise EditorError("Nothing of “{name}” is selected.", "Select a part of it.", name=layer.name)
    part = Layer(
        name=translate("Commands", "{name} part").format(name=layer.name),
        raster=cropped(layer.raster, area.moved(-layer.x, -layer.y)),
        x=area.x,
        y=area.y,
        blend_mode=layer.blend_mode,
        opacity=layer.opacity,
    )
    return part.changed(raster=with_alpha(part, state.selection))


def layer_by_copy(state: DocumentState, node_id: str) -> DocumentState:
    """What is selected of a layer, copied to a new one above it."""
    return added(state, lifted(state, node_id), node_id)


def layer_by_cut(state: DocumentState, node_id: str) -> DocumentState:
    """What is selected of a layer, moved to a new one above it."""
    if state.selection is None:
        raise EditorError("Nothing is selected.", "Select what shall be cut out.")
    part = lifted(state, node_id)
    return added(cleared(state, node_id), part, node_id)


def deselected(state: DocumentState) -> DocumentState:
    return replace(state, selection=None)


def _paint(
    samples: NDArray[np.uint8] | NDArray[np.uint16],
    paint: NDArray[np.float32],
    share: NDArray[np.float32],
    *,
    keep_alpha: bool,
) -> None:
    """Colour over straight samples [H, W, 4] by `share` [H, W], in place."""
    top = np.float32(np.iinfo(samples.dtype).max)
    alpha = samples[..., 3] / top
    over = alpha if keep_alpha else share + alpha * (1 - share)
    weight = share if keep_alpha else np.divide(share, over, out=np.zeros_like(share), where=over > 0)
    weight = weight[..., None]
    samples[..., :3] = samples[..., :3] * (1 - weight) + paint[:3] * weight + np.float32(0.5)
    samples[..., 3] = over * top + np.float32(0.5)


def _filled_mask(state: DocumentState, node: Node, colour: Colour, area: Area) -> Node:
    mask = node.mask
    if mask is None:
        raise EditorError("“{name}” has no mask.", "Add one first.", name=node.name)
    red, green, blue, alpha = colour
    level = round(0.299 * red + 0.587 * green + 0.114 * blue)
    united = mask.area.united(area)
    check_size(united.width, united.height)
    plain = Raster.filled(united.width, united.height, mask.outside, channels=1)
    whole = plain.written(mask.x - united.x, mask.y - united.y, mask.read(mask.area))

    def band(part: Area) -> Samples:
        share = coverage(state.selection, part.moved(united.x, united.y)) * np.float32(alpha / 255)
        values = whole.read(part)[..., 0]
        mixed = values * (1 - share) + level * share + np.float32(0.5)
        return mixed.astype(np.uint8)[..., None]

    return node.changed(mask=mask.changed(raster=by_bands(whole, band), x=united.x, y=united.y))


def _selected_area(state: DocumentState) -> Area:
    """Where the selection lies in the document.

    Raises:
        EditorError: something is selected, but nothing inside the picture.
    """
    if state.selection is None:
        return state.area
    area = bounds(state.selection, state.area)
    if area.is_empty:
        raise EditorError("The selection lies outside the picture.", "Select something inside it.")
    return area


def _everything(state: DocumentState) -> Mask:
    return Mask(raster=Raster.filled(1, 1, 255, channels=1), outside=255)


def _refuse_alpha_locked(layer: Layer) -> None:
    if layer.alpha_locked:
        raise EditorError("The transparency of “{name}” is locked.", "Unlock it first.", name=layer.name)
