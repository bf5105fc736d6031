"""A layer as it looks with the pictures of a slider: a node that stands in for it until the hand lets go.

A crossfade is two layers over each other, so that the compositor mixes what is on the screen, at the size of
the screen, and nobody a whole photo.
"""

from __future__ import annotations

from typing import Any

from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Group, Layer, Node
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.layers.subject_masks import with_mask
from editor.pixels.raster import Area
from editor.sliders.keyframes import Shown


def preview_node(state: DocumentState, layer: Layer, shown: Shown, recipe: Recipe, maps: Any) -> Node:
    """`layer` with what is shown in its place; where something is selected, only there."""
    masked = with_mask(layer, layer.changed(raster=shown.first, maps={**layer.maps, **maps}, recipe=recipe))
    limit = state.selection
    if limit is None or (layer.mask is not None and layer.mask.raster is limit.raster):
        if shown.second is None:
            return layer.changed(raster=shown.first, mask=masked.mask)
        return _in_place_of(layer, _mix(layer, shown)).changed(mask=masked.mask)
    inside = Group(name="", id=f"{layer.id}/inside", children=_mix(layer, shown), mask=limit, clipped=True)
    return _in_place_of(layer, (_plain(layer, "own"), inside))


def changed_area(layer: Layer, old: Node | None, node: Node) -> Area:
    """Where two previews of a layer, or one and the layer itself, can differ, in the document."""
    rasters = [one.raster for one in (*_layers(old or layer), *_layers(node))]
    area = Area(0, 0, 0, 0)
    for raster in rasters[1:]:
        same_form = (raster.area, raster.dtype) == (rasters[0].area, rasters[0].dtype)
        area = area.united(rasters[0].difference(raster) if same_form else raster.area)
    masks = [one.mask.raster if one.mask is not None else None for one in (old or layer, node)]
    if masks[0] is not masks[1]:
        area = area.united(layer.area.moved(-layer.x, -layer.y))
    return area.moved(layer.x, layer.y)


def _layers(node: Node) -> list[Layer]:
    if isinstance(node, Group):
        return [layer for child in node.children for layer in _layers(child)]
    return [node] if isinstance(node, Layer) else []


def _mix(layer: Layer, shown: Shown) -> tuple[Node, ...]:
    first = _plain(layer, "first").changed(raster=shown.first)
    if shown.second is None:
        return (first,)
    # clipped: of two half transparent pixels over each other none would be half transparent
    second = _plain(layer, "second").changed(raster=shown.second, opacity=shown.share, clipped=True)
    return first, second


def _plain(layer: Layer, name: str) -> Layer:
    return Layer(name=name, id=f"{layer.id}/{name}", raster=layer.raster, x=layer.x, y=layer.y)


def _in_place_of(layer: Layer, children: tuple[Node, ...]) -> Group:
    return Group(
        name=layer.name,
        id=layer.id,
        children=children,
        visible=layer.visible,
        opacity=layer.opacity,
        blend_mode=BlendMode(layer.blend_mode),
        clipped=layer.clipped,
        mask=layer.mask,
    )
