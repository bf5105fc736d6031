"""What is shown of nodes while they are transformed: small copies of their pixels and masks."""

from __future__ import annotations

from editor.layers.layer import Group, Layer, Mask, Node
from editor.pixels.raster import Area
from editor.tools.transforming.form import Matrix
from editor.tools.transforming.warp import Proxy


class NodePreview:
    """Keeps the small copies from one position of a handle to the next. For one thread at a time."""

    def __init__(self) -> None:
        self._pixels: dict[str, Proxy] = {}
        self._masks: dict[str, Proxy] = {}

    def of(self, node: Node, matrix: Matrix, within: Area) -> Node:
        """A node with all it holds and its linked masks under a transform; exact only in its form.

        Raises:
            EditorError: it would become too large.
        """
        if node.mask is not None and node.mask.linked:
            node = node.changed(mask=self._mask(node.id, node.mask, matrix, within))
        if isinstance(node, Group):
            return node.changed(children=tuple(self.of(child, matrix, within) for child in node.children))
        if not isinstance(node, Layer) or not node.visible:
            return node
        if node.id not in self._pixels:
            self._pixels[node.id] = Proxy(node.raster, node.area)
        raster, area = self._pixels[node.id].warped(matrix, within)
        return node.changed(raster=raster, x=area.x, y=area.y)

    def _mask(self, node_id: str, mask: Mask, matrix: Matrix, within: Area) -> Mask:
        if node_id not in self._masks:
            outside = mask.outside * (1 if mask.raster.top == 255 else 257)
            self._masks[node_id] = Proxy(mask.raster, mask.area, outside)
        raster, area = self._masks[node_id].warped(matrix, within)
        return mask.changed(raster=raster, x=area.x, y=area.y)
