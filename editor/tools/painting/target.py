"""What is painted on: a layer's pixels or a node's mask, as large as the document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from editor.document.document import Document
from editor.layers.layer import Layer, Mask, Node
from editor.layers.state import DocumentState
from editor.pixels.raster import TILE_PX, Area, Raster
from editor.tools.painting.growth import grown_area, regridded
from inference.errors import EditorError


@dataclass(frozen=True)
class Target:
    """A raster to paint on and where it belongs.

    Args:
        node: the node as it was before.
        raster: its pixels or its mask, grown so that it covers the document.
        area: where that raster lies.
        selection: what painting is limited to.
    """

    node: Node
    raster: Raster
    area: Area
    on_mask: bool
    selection: Mask | None

    @property
    def keeps_alpha(self) -> bool:
        return self.node.alpha_locked and not self.on_mask

    @property
    def own_area(self) -> Area:
        """Where the pixels lay before."""
        if self.on_mask:
            assert self.node.mask is not None, "painting goes to a mask"
            return self.node.mask.area
        assert isinstance(self.node, Layer), "painting goes to a layer"
        return self.node.area

    def node_with(self, raster: Raster, area: Area | None = None) -> Node:
        """The node with another raster of the grown size, or one that lies over `area`."""
        place = area or self.area
        if not self.on_mask:
            # what is painted is no longer what the recipe makes
            return self.node.changed(raster=raster, x=place.x, y=place.y, recipe=None, maps={})
        assert self.node.mask is not None, "painting goes to a mask"
        return self.node.changed(mask=self.node.mask.changed(raster=raster, x=place.x, y=place.y))

    def trimmed(self, raster: Raster, touched: Area) -> Node:
        """The node with a painted raster, as large as it was and what was `touched` of the document."""
        inside = touched.intersected(self.area)
        needed = self.own_area.united(inside)
        left = self.area.x + (needed.x - self.area.x) // TILE_PX * TILE_PX
        top = self.area.y + (needed.y - self.area.y) // TILE_PX * TILE_PX
        area = Area(left, top, needed.right - left, needed.bottom - top)
        return self.node_with(regridded(raster, self.area, area), area)

    def limit(self, area: Area) -> NDArray[np.float32] | None:
        """How much of each pixel [h, w] of a document's area is selected, 0..1; None is everything."""
        if self.selection is None:
            return None
        return self.selection.read(area) * np.float32(1 / 255)

    def still_there(self, document: Document) -> None:
        """Raises:
        EditorError: the node is not any more what it was when work on it began.
        """
        if document.state.find(self.node.id) is not self.node:
            raise EditorError("The layer changed in the meantime, so nothing was painted.", "Try it again.")


def target_of(document: Document) -> Target:
    """What painting goes to now: the active layer, or the active node's mask.

    Raises:
        EditorError: there is no such thing, or it is locked or hidden.
    """
    state, node = document.state, document.active_node
    if node is None:
        raise EditorError("No layer is chosen.", "Choose a layer in the Layers panel.")
    for part in (node, *state.parents(node.id)):
        _refuse(part)
    if document.edit_mask:
        return _mask_target(state, node)
    if not isinstance(node, Layer):
        raise EditorError(
            "“{name}” has no pixels of its own.", "Choose a layer with pixels, or a mask.", name=node.name
        )
    if node.text is not None:
        raise EditorError(
            "“{name}” is a text.", "Turn it into pixels first, in the Layer menu.", name=node.name
        )
    area = grown_area(node.area, state.area)
    return Target(node, regridded(node.raster, node.area, area), area, False, state.selection)


def _mask_target(state: DocumentState, node: Node) -> Target:
    mask = node.mask
    assert mask is not None, "a mask is edited"
    area = grown_area(mask.area, state.area)
    fill = mask.outside * (1 if mask.raster.dtype == np.uint8 else 257)
    return Target(node, regridded(mask.raster, mask.area, area, fill), area, True, state.selection)


def _refuse(node: Node) -> None:
    if node.locked:
        raise EditorError("Layer “{name}” is locked.", "Unlock it in the Layers panel first.", name=node.name)
    if not node.visible:
        raise EditorError("Layer “{name}” is hidden.", "Show it in the Layers panel first.", name=node.name)
