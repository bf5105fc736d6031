"""Nodes come, go, are grouped and change places."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QCoreApplication

from editor.edits.nodes import outermost, refuse_locked
from editor.layers.layer import Group, Layer, Node
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from inference.errors import EditorError

translate = QCoreApplication.translate


def added(state: DocumentState, node: Node, above: str = "") -> DocumentState:
    """`node` right above the node `above` (without one: at the top), and active."""
    if state.find(above) is None:
        placed = state.inserted([node])
    else:
        refuse_locked(state, [group.id for group in state.parents(above)], contents=False)
        placed = state.inserted([node], parent=_parent_id(state, above), index=state.index(above) + 1)
    return replace(placed, active=node.id, chosen=frozenset())


def new_layer(state: DocumentState) -> Layer:
    """A transparent layer of the document's size and depth with a name that is free."""
    dtype = np.uint16 if state.depth == 16 else np.uint8
    name = free_name(state, translate("Commands", "Layer {number}"))
    return Layer(name=name, raster=Raster.filled(state.width, state.height, dtype=dtype))


def free_name(state: DocumentState, pattern: str) -> str:
    """`pattern` with the smallest number that no node has yet."""
    taken = {node.name for node in state.nodes()}
    number = 1
    while pattern.format(number=number) in taken:
        number += 1
    return pattern.format(number=number)


def grouped(state: DocumentState, ids: Sequence[str]) -> DocumentState:
    """The nodes in a new group at the place of the topmost; without any, an empty group at the top."""
    ids = outermost(state, ids)
    refuse_locked(state, ids, contents=False)
    group = Group(
        name=free_name(state, translate("Commands", "Group {number}")),
        children=tuple(state.node(node_id) for node_id in ids),
    )
    if not ids:
        return added(state, group)
    top = ids[-1]
    parent, index = _parent_id(state, top), _index_without(state, top, ids)
    placed = state.without(ids).inserted([group], parent=parent, index=index)
    return replace(placed, active=group.id, chosen=frozenset())


def ungrouped(state: DocumentState, group_id: str) -> DocumentState:
    """A group's children at its place; its opacity, mask and blend mode go with it.

    Raises:
        EditorError: the node is no group.
    """
    group = state.node(group_id)
    if not isinstance(group, Group):
        raise EditorError("“{name}” is no group.", "Choose a group in the Layers panel.", name=group.name)
    refuse_locked(state, [group_id], contents=False)
    parent, index = _parent_id(state, group_id), state.index(group_id)
    placed = state.without([group_id]).inserted(group.children, parent=parent, index=index)
    active = group.children[-1].id if group.children else _beside(state, group_id)
    return _checked(replace(placed, active=active, chosen=frozenset(c.id for c in group.children[:-1])))


def moved(state: DocumentState, ids: Sequence[str], parent: str, index: int) -> DocumentState:
    """The nodes in their order in a group ("" is the top level), above `index` of those that stay there.

    Raises:
        EditorError: `parent` is no group, or is or lies inside one of them.
    """
    ids = outermost(state, ids)
    refuse_locked(state, [*ids, *([parent] if parent else [])], contents=False)
    around = {parent, *(group.id for group in state.parents(parent))} if parent else set[str]()
    if around & set(ids):
        raise EditorError("A group cannot be put into itself.")
    nodes = [state.node(node_id) for node_id in ids]
    placed = state.without(ids).inserted(nodes, parent=parent, index=max(0, index))
    return replace(placed, chosen=state.chosen)


def removed(state: DocumentState, ids: Sequence[str]) -> DocumentState:
    """The document without the nodes; a neighbour becomes active.

    Raises:
        EditorError: nothing would remain.
    """
    ids = outermost(state, ids)
    refuse_locked(state, ids)
    beside = _beside(state, ids[0], ids) if ids else state.active
    return _checked(_activated(state.without(ids), beside))


def duplicated(state: DocumentState, ids: Sequence[str]) -> DocumentState:
    """A copy right above each node; the copies are chosen."""
    ids, copies = outermost(state, ids), list[Node]()
    refuse_locked(state, [group.id for node_id in ids for group in state.parents(node_id)], contents=False)
    result = state
    for node_id in ids:
        original = state.node(node_id)
        copy = original.copy(translate("Commands", "{name} copy").format(name=original.name))
        result = result.inserted([copy], parent=_parent_id(state, node_id), index=result.index(node_id) + 1)
        copies.append(copy)
    if not copies:
        return state
    return replace(result, active=copies[-1].id, chosen=frozenset(copy.id for copy in copies[:-1]))


def stepped(state: DocumentState, ids: Sequence[str], by: int) -> DocumentState:
    """The nodes one place up (+1) or down (-1); one at the end of its group steps out of it."""
    ids = outermost(state, ids)
    refuse_locked(state, ids, contents=False)
    result = state
    for node_id in reversed(ids) if by > 0 else ids:
        result = _stepped_one(result, node_id, by, ids)
    return result if result is state else replace(result, chosen=state.chosen)


def with_field(state: DocumentState, ids: Sequence[str], field: str, value: object) -> DocumentState:
    """The nodes with one field set: visible, clipped, a lock."""
    for node_id in ids:
        if field not in ("visible", "locked", "alpha_locked", "position_locked"):
            refuse_locked(state, [node_id], contents=False)
        state = state.with_node(state.node(node_id).changed(**{field: value}))
    return state


def shown_alone(state: DocumentState, node_id: str) -> DocumentState:
    """Everything hidden but a node, what it holds and the groups around it; once more shows all again."""
    state.node(node_id)
    path = {node_id, *(group.id for group in state.parents(node_id))}
    alone = all(node.visible == (node.id in path) for node in _along(state.layers, path))
    return replace(state, layers=_with_visible(state.layers, path, all_of_them=alone))


def _stepped_one(state: DocumentState, node_id: str, by: int, together: Sequence[str]) -> DocumentState:
    siblings, index = state.siblings(node_id), state.index(node_id) + by
    node, parent = state.node(node_id), state.parent(node_id)
    if 0 <= index < len(siblings):
        if siblings[index].id in together:
            return state
        return state.without([node_id]).inserted([node], parent=_parent_id(state, node_id), index=index)
    if parent is None:
        return state
    place = state.index(parent.id) + (1 if by > 0 else 0)
    rest = state.without([node_id])
    return rest.inserted([node], parent=_parent_id(state, parent.id), index=place)


def _parent_id(state: DocumentState, node_id: str) -> str:
    parent = state.parent(node_id)
    return parent.id if parent is not None else ""


def _index_without(state: DocumentState, node_id: str, gone: Sequence[str]) -> int:
    """The index at which a node stands once `gone` are gone."""
    before = state.siblings(node_id)[: state.index(node_id)]
    return sum(node.id not in gone for node in before)


def _beside(state: DocumentState, node_id: str, gone: Sequence[str] = ()) -> str:
    """Who becomes active when a node goes: the sibling below that stays, else above, else the group."""
    siblings, index = state.siblings(node_id), state.index(node_id)
    left = {node_id, *gone}
    order = (*reversed(siblings[:index]), *siblings[index:])
    stays = next((node.id for node in order if node.id not in left), "")
    return stays or _parent_id(state, node_id)


def _activated(state: DocumentState, wanted: str) -> DocumentState:
    """The state with an active node that is there."""
    if state.find(state.active) is not None:
        return state
    active = wanted if state.find(wanted) is not None else next((n.id for n in state.nodes()), "")
    return replace(state, active=active)


def _checked(state: DocumentState) -> DocumentState:
    if not state.layers:
        raise EditorError(
            "A document needs at least one layer.", "Add another layer before deleting this one."
        )
    return _activated(state, "")


def _along(nodes: Sequence[Node], path: Collection[str]) -> list[Node]:
    """The nodes on the path and their siblings."""
    found = list(nodes)
    for node in nodes:
        if node.id in path and isinstance(node, Group) and any(one.id in path for one in node.children):
            found += _along(node.children, path)
    return found


def _with_visible(nodes: Sequence[Node], path: Collection[str], *, all_of_them: bool) -> tuple[Node, ...]:
    changed: list[Node] = []
    for node in nodes:
        new = node.changed(visible=True if all_of_them else node.id in path)
        if node.id in path and isinstance(new, Group) and any(one.id in path for one in new.children):
            new = new.changed(children=_with_visible(new.children, path, all_of_them=all_of_them))
        changed.append(new)
    return tuple(changed)
