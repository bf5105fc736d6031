"""What lies below a layer that was made from it: where such a layer goes, and whether it still fits.

A method's layer is made from what shows below the place it gets, so that nothing above is drawn into it, and
lies above all that, so that nothing below covers it. The picture is kept in its recipe by its content's hash:
whether the layer is of an older state is looked up, not remembered, and so follows undo, saving and opening.
"""

from __future__ import annotations

import numpy as np

from editor.generating.contents import visible
from editor.layers.layer import Group, Layer
from editor.layers.state import DocumentState, Nodes
from editor.pixels.raster import Area, to_eight_bits
from editor.rendering.compositing import composite
from inference.content import content_hash
from inference.request import Pixels

_STRIP_PX = 512  # rows that are looked at together: most changes are seen in the first ones


def place_above(state: DocumentState) -> int:
    """Where among the nodes of the top level the result of a method goes: above what holds the active node.

    What is clipped to that stays clipped to it, below the result.
    """
    inside = {state.active, *(group.id for group in state.parents(state.active))}
    node = next((node for node in state.layers if node.id in inside), None)
    return len(state.layers) if node is None else place_after(state, node.id)


def place_after(state: DocumentState, node_id: str) -> int:
    """The place right above a node of the top level and what is clipped to it; the top without that node."""
    index = next((place for place, node in enumerate(state.layers) if node.id == node_id), None)
    if index is None:
        return len(state.layers)
    return next(
        (place for place in range(index + 1, len(state.layers)) if not state.layers[place].clipped),
        len(state.layers),
    )


def has_alpha_of(nodes: Nodes, area: Area, picture: Pixels) -> bool:
    """Whether a transparent picture has the alpha of the layer that one above it would be clipped to.

    Clipped to it, a layer changes colours and leaves the transparency as it is.
    """
    base = next((node for node in reversed(nodes) if not node.clipped), None)
    if picture.shape[2] == 3 or not isinstance(base, Layer) or not base.area.contains(area):
        return False
    if not base.visible or base.opacity < 1 or (base.mask is not None and base.mask.enabled):
        return False
    own = to_eight_bits(base.raster.read(area.moved(-base.x, -base.y)))
    return np.array_equal(own[..., 3], picture[..., 3])


def nodes_below(state: DocumentState, node_id: str) -> Nodes:
    """The tree as it is painted before a node's turn comes: without it and all that lies above it."""
    return _before(state.layers, node_id) or ()


def _before(nodes: Nodes, node_id: str) -> Nodes | None:
    """None if the node is not among them."""
    for index, node in enumerate(nodes):
        if node.id == node_id:
            return nodes[:index]
        inside = _before(node.children, node_id) if isinstance(node, Group) else None
        if isinstance(node, Group) and inside is not None:
            return (*nodes[:index], node.changed(children=inside))
    return None


def picture_at(nodes: Nodes, area: Area, profile: bytes, bounds: Area) -> Pixels:
    """What nodes show in an area, as a request takes it."""
    return visible(composite(nodes, area, bounds), profile)


def is_outdated(state: DocumentState, layer: Layer) -> bool:
    """Whether something else shows below a layer than what it was made from.

    Where nothing shows at all, there is nothing to make it from and it is taken as it is. Any thread.
    """
    recipe = layer.recipe
    if recipe is None or not recipe.from_below:
        return False
    nodes, known = nodes_below(state, layer.id), recipe.contents.get(recipe.picture)
    if not isinstance(known, np.ndarray) or known.shape[:2] != layer.shape:
        found = picture_at(nodes, layer.area, state.icc_profile, state.area)
        return _shows(found) and content_hash(found) != recipe.picture
    differs, shows = False, False
    for top in range(0, layer.height, _STRIP_PX):
        strip = Area(layer.x, layer.y + top, layer.width, min(_STRIP_PX, layer.height - top))
        found = picture_at(nodes, strip, state.icc_profile, state.area)
        part = known[top : top + strip.height]
        shows = shows or _shows(found)
        differs = differs or not _alike(found, part)
        if shows and differs:
            return True
    return False


def _shows(pixels: Pixels) -> bool:
    return pixels.shape[2] == 3 or bool(pixels[..., 3].any())


def _alike(found: Pixels, known: Pixels) -> bool:
    """Strips lack a fourth channel where they alone are opaque."""
    if found.shape[2] != known.shape[2]:
        wider, slim = (found, known) if found.shape[2] > known.shape[2] else (known, found)
        return bool((wider[..., 3] == 255).all()) and np.array_equal(wider[..., :3], slim)
    return np.array_equal(found, known)


def made_from_below(state: DocumentState) -> dict[str, tuple[object, ...]]:
    """The layers that were made from what is below them; each with what decides whether it still fits.

    As long as that is equal, the answer is the same.
    """
    found: dict[str, tuple[object, ...]] = {}
    for layer in state.rasters():
        recipe = layer.recipe
        if recipe is not None and recipe.from_below:
            own = (layer.area, recipe.picture, recipe.lacks_picture, state.icc_profile, state.area)
            found[layer.id] = (*own, *_told_apart(nodes_below(state, layer.id)))
    return found


def _told_apart(nodes: Nodes) -> list[object]:
    """Nodes by identity; groups, which are cut anew for each look, by what they hold and how they blend."""
    found: list[object] = []
    for node in nodes:
        if isinstance(node, Group):
            found += [node.id, node.visible, node.opacity, node.blend_mode, node.isolated, node.clipped]
            found += [node.mask, *_told_apart(node.children)]
        else:
            found.append(node)
    return found
