"""Commands that change the tree: nodes come, go and change places."""

from __future__ import annotations

from dataclasses import replace

from editor.commands.base import Command, refuse_locked, translate
from editor.document import Document
from editor.layer import Node
from editor.state import DocumentState
from inference.errors import EditorError


class AddLayer(Command):
    """Put a node above the active one (or at `index` of its group) and select it."""

    def __init__(self, document: Document, layer: Node, *, index: int | None = None, text: str = "") -> None:
        state = document.state
        parent = state.parent(state.active) if document.active_node is not None else None
        if index is None and document.active_node is not None:
            index = state.index(state.active) + 1
        added = state.inserted([layer], parent=parent.id if parent is not None else "", index=index)
        after = replace(added, active=layer.id, chosen=frozenset())
        super().__init__(document, text or translate("Commands", "Add layer"), after)


class RemoveLayer(Command):
    """Take a node out; its neighbour below becomes active.

    Raises:
        EditorError: it is the only one, or it is locked.
    """

    def __init__(self, document: Document, layer_id: str) -> None:
        state = document.state
        node = state.node(layer_id)
        refuse_locked(node)
        after = state.without([layer_id])
        if not after.layers:
            raise EditorError(
                "A document needs at least one layer.", "Add another layer before deleting this one."
            )
        text = translate("Commands", "Delete layer “{name}”").format(name=node.name)
        active = state.active if after.find(state.active) else beside(state, layer_id)
        super().__init__(document, text, replace(after, active=active))


class DuplicateLayer(Command):
    """Put a copy right above a node and select it."""

    def __init__(self, document: Document, layer_id: str) -> None:
        state = document.state
        original, parent = state.node(layer_id), state.parent(layer_id)
        copy = original.copy(translate("Commands", "{name} copy").format(name=original.name))
        added = state.inserted(
            [copy], parent=parent.id if parent is not None else "", index=state.index(layer_id) + 1
        )
        text = translate("Commands", "Duplicate layer “{name}”").format(name=original.name)
        super().__init__(document, text, replace(added, active=copy.id, chosen=frozenset()))
        self.layer_id = copy.id


class ReorderLayer(Command):
    """Move a node to `index` (0 = bottom) among its siblings, or into another group ("" is the top level).

    Raises:
        EditorError: `parent` is no group, or lies inside the node itself.
    """

    def __init__(self, document: Document, layer_id: str, index: int, parent: str | None = None) -> None:
        state = document.state
        node, old = state.node(layer_id), state.parent(layer_id)
        target = (old.id if old is not None else "") if parent is None else parent
        if target == layer_id or layer_id in {
            group.id for group in (state.parents(target) if target else ())
        }:
            raise EditorError("A group cannot be put into itself.")
        after = state.without([layer_id]).inserted([node], parent=target, index=max(0, index))
        text = translate("Commands", "Move layer “{name}”").format(name=node.name)
        super().__init__(document, text, replace(after, chosen=state.chosen))


def beside(state: DocumentState, node_id: str) -> str:
    """The node to select when one goes: the sibling below, else above, else the group around."""
    siblings, index = state.siblings(node_id), state.index(node_id)
    if len(siblings) > 1:
        return siblings[index - 1 if index else 1].id
    parent = state.parent(node_id)
    return parent.id if parent is not None else ""
