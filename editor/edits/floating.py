"""Edits of nodes that take only what is selected with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from editor.edits import painting
from editor.edits.nodes import refuse_fixed
from editor.edits.tree import added
from editor.layers.layer import BlendMode, Layer
from editor.layers.limits import check_size
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from editor.rendering.compositing import composite_samples
from inference.errors import EditorError

Turn: TypeAlias = Callable[[DocumentState, Sequence[str]], DocumentState]


def limited(state: DocumentState, ids: Sequence[str], turn: Turn) -> DocumentState:
    """`turn` of the nodes; with a selection, of what is selected of the only one, and of the selection.

    Raises:
        EditorError: something is selected, and the nodes are not one layer with pixels.
    """
    if state.selection is None:
        return turn(state, ids)
    if len(ids) != 1:
        raise EditorError(
            "What is selected can be turned in one layer only.", "Choose one layer, or deselect first."
        )
    refuse_fixed(state, ids)
    part = painting.lifted(state, ids[0]).changed(
        opacity=1.0, blend_mode=BlendMode.NORMAL, clipped=False, mask=state.selection
    )
    rest = painting.cleared(state, ids[0])
    turned = turn(added(rest, part, ids[0]), [part.id])
    return _joined(turned, ids[0], part.id, state)


def _joined(state: DocumentState, node_id: str, part_id: str, before: DocumentState) -> DocumentState:
    """The part back in its layer; the selection is where the part's mask went."""
    layer, part = state.layer(node_id), state.layer(part_id)
    area = layer.area.united(part.area)
    check_size(area.width, area.height)
    depth = layer.raster.dtype.itemsize * 8
    raster = Raster.of(composite_samples([_plain(layer), part.changed(mask=None)], area, depth))
    whole = layer.changed(raster=raster, x=area.x, y=area.y)
    joined = state.without([part_id]).with_node(whole)
    return replace(joined, active=before.active, chosen=before.chosen, selection=part.mask)


def _plain(layer: Layer) -> Layer:
    return layer.changed(opacity=1.0, blend_mode=BlendMode.NORMAL, clipped=False, mask=None, visible=True)
