"""New trees for what a hand does in a list of layers: several moved at once, one shown alone."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from editor.layers.layer import Group, Node
from editor.layers.state import DocumentState
from inference.errors import EditorError


def moved(state: DocumentState, ids: Collection[str], parent: str, index: int) -> DocumentState:
    """The nodes `ids` side by side in a group ("" is the top level), in the order in which they lie.

    `index` counts the siblings that stay below. What lies in a moved group stays in it.

    Raises:
        EditorError: the group is one of them, or lies in one.
    """
    around = {parent, *(group.id for group in state.parents(parent))} if parent else set[str]()
    if around & set(ids):
        raise EditorError("A group cannot be put into itself.")
    outermost = _chosen(state.layers, ids)
    return state.without(node.id for node in outermost).inserted(outermost, parent=parent, index=index)


def shown_alone(state: DocumentState, node_id: str) -> DocumentState:
    """Everything hidden but a node, what it holds and the groups around it; once more shows all again."""
    state.node(node_id)
    path = {node_id, *(group.id for group in state.parents(node_id))}
    alone = all(node.visible == (node.id in path) for node in _beside(state.layers, path))
    return replace(state, layers=_with_visible(state.layers, path, all_of_them=alone))


def _chosen(nodes: Sequence[Node], ids: Collection[str]) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        if node.id in ids:
            found.append(node)
        elif isinstance(node, Group):
            found += _chosen(node.children, ids)
    return found


def _beside(nodes: Sequence[Node], path: Collection[str]) -> list[Node]:
    """The nodes on the path and their siblings."""
    found = list(nodes)
    for node in nodes:
        if node.id in path and isinstance(node, Group) and any(one.id in path for one in node.children):
            found += _beside(node.children, path)
    return found


def _with_visible(nodes: Sequence[Node], path: Collection[str], *, all_of_them: bool) -> tuple[Node, ...]:
    changed: list[Node] = []
    for node in nodes:
        new = node.changed(visible=True if all_of_them else node.id in path)
        if node.id in path and isinstance(new, Group) and any(one.id in path for one in new.children):
            new = new.changed(children=_with_visible(new.children, path, all_of_them=all_of_them))
        changed.append(new)
    return tuple(changed)
