"""Which nodes an edit works on, and whether it may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from editor.layers.layer import Group, Layer, Mask, Node
from editor.layers.state import DocumentState, Nodes
from editor.layers.subject_masks import reshaped_with_mask
from inference.errors import EditorError


def selected(state: DocumentState) -> tuple[str, ...]:
    """Ids of the active and the chosen nodes from bottom to top, without those inside another of them."""
    wanted = state.chosen | {state.active}
    return outermost(state, [node.id for node in state.nodes() if node.id in wanted])


def outermost(state: DocumentState, ids: Sequence[str]) -> tuple[str, ...]:
    """Those of `ids` that are in the document and not inside another of them, from bottom to top."""
    wanted = frozenset(ids)
    return tuple(
        node.id
        for node in state.nodes()
        if node.id in wanted and not any(group.id in wanted for group in state.parents(node.id))
    )


def refuse_locked(state: DocumentState, ids: Sequence[str], *, contents: bool = True) -> None:
    """Refuse nodes that are locked or lie in a locked group, and (`contents`) groups that hold a locked one.

    Raises:
        EditorError: naming the first such node.
    """
    for node_id in ids:
        node = state.node(node_id)
        around: list[Node] = [node, *state.parents(node_id)]
        held = list(_held(node)) if contents else []
        for one in (*around, *held):
            if one.locked:
                raise EditorError(
                    "Layer “{name}” is locked.", "Unlock it in the Layers panel first.", name=one.name
                )


def refuse_fixed(state: DocumentState, ids: Sequence[str]) -> None:
    """Refuse what may not be moved: locked nodes and those whose position is locked, at any depth."""
    refuse_locked(state, ids)
    for node_id in ids:
        node = state.node(node_id)
        for one in (node, *state.parents(node_id), *_held(node)):
            if one.position_locked:
                raise EditorError(
                    "The position of “{name}” is locked.",
                    "Unlock it in the Layers panel first.",
                    name=one.name,
                )


def mapped(nodes: Nodes, on_layer: Callable[[Layer], Layer], on_mask: Callable[[Mask], Mask]) -> Nodes:
    """The tree with every layer and every mask replaced."""
    return tuple(mapped_node(node, on_layer, on_mask) for node in nodes)


def mapped_node(node: Node, on_layer: Callable[[Layer], Layer], on_mask: Callable[[Mask], Mask]) -> Node:
    """One node and what it holds with every layer and mask replaced."""
    if isinstance(node, Layer):
        made = on_layer(node)
        return made if made.mask is None else reshaped_with_mask(node, made.changed(mask=on_mask(made.mask)))
    if isinstance(node, Group):
        node = node.changed(children=mapped(node.children, on_layer, on_mask))
    return node if node.mask is None else node.changed(mask=on_mask(node.mask))


def put_in_place(state: DocumentState, ids: Sequence[str], node: Node) -> DocumentState:
    """The state with `node` where the topmost of `ids` was, and all of them gone; it becomes active."""
    top = ids[-1]
    parent = state.parent(top)
    below = [one.id for one in state.siblings(top)[: state.index(top)] if one.id not in ids]
    rest = state.without(ids)
    placed = rest.inserted([node], parent=parent.id if parent is not None else "", index=len(below))
    return replace(placed, active=node.id, chosen=frozenset())


def _held(node: Node) -> Nodes:
    if not isinstance(node, Group):
        return ()
    return tuple(one for child in node.children for one in (child, *_held(child)))
