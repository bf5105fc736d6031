"""Which nodes a tool acts on."""

from __future__ import annotations

import math

from editor.layers.layer import Group, Layer, Node
from editor.layers.state import DocumentState, Nodes
from editor.pixels.raster import Area
from inference.errors import EditorError


def chosen_nodes(state: DocumentState) -> tuple[Node, ...]:
    """The active node and the others chosen with it, from bottom to top; none inside a chosen group."""
    wanted = {state.active, *state.chosen}
    return tuple(
        node
        for node in state.nodes()
        if node.id in wanted and not any(parent.id in wanted for parent in state.parents(node.id))
    )


def movable_nodes(state: DocumentState) -> tuple[Node, ...]:
    """The chosen nodes.

    Raises:
        EditorError: none is chosen, or one of them, a group around it or a child is locked in its place.
    """
    nodes = chosen_nodes(state)
    if not nodes:
        raise EditorError("No layer is chosen.", "Choose a layer in the Layers panel.")
    for node in nodes:
        for part in (*state.parents(node.id), *_with_children(node)):
            if part.locked or part.position_locked:
                raise EditorError(
                    "Layer “{name}” is locked.", "Unlock it in the Layers panel first.", name=part.name
                )
    return nodes


def node_at(state: DocumentState, x: float, y: float) -> Layer | None:
    """The topmost visible layer with something to see at a point."""
    return _layer_at(state.layers, Area(math.floor(x), math.floor(y), 1, 1))


def area_of(nodes: tuple[Node, ...]) -> Area:
    """The area that some nodes cover together; empty if they have none."""
    united = Area(0, 0, 0, 0)
    for node in nodes:
        if node.area is not None:
            united = united.united(node.area)
    return united


def _layer_at(nodes: Nodes, pixel: Area) -> Layer | None:
    for node in reversed(nodes):
        if not node.visible or node.opacity == 0 or _masked_out(node, pixel):
            continue
        if isinstance(node, Group):
            found = _layer_at(node.children, pixel)
            if found is not None:
                return found
        elif isinstance(node, Layer) and _shows(node, pixel):
            return node
    return None


def _shows(layer: Layer, pixel: Area) -> bool:
    if not layer.area.contains(pixel):
        return False
    return int(layer.raster.read(pixel.moved(-layer.x, -layer.y))[0, 0, 3]) > 0


def _masked_out(node: Node, pixel: Area) -> bool:
    return node.mask is not None and node.mask.enabled and int(node.mask.read(pixel)[0, 0]) == 0


def _with_children(node: Node) -> tuple[Node, ...]:
    if not isinstance(node, Group):
        return (node,)
    return (node, *(part for child in node.children for part in _with_children(child)))
