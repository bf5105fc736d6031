"""Commands that change the tree: nodes come, go and change places."""

from __future__ import annotations

from dataclasses import replace

from editor.commands.base import Command, translate
from editor.document.document import Document
from editor.edits import tree
from editor.layers.layer import Node


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
        text = translate("Commands", "Delete layer “{name}”").format(name=state.node(layer_id).name)
        super().__init__(document, text, tree.removed(state, [layer_id]))


class DuplicateLayer(Command):
    """Put a copy right above a node and select it."""

    def __init__(self, document: Document, layer_id: str) -> None:
        state = document.state
        text = translate("Commands", "Duplicate layer “{name}”").format(name=state.node(layer_id).name)
        super().__init__(document, text, tree.duplicated(state, [layer_id]))
        self.layer_id = self.after.active


class ReorderLayer(Command):
    """Move a node to `index` (0 = bottom) among its siblings, or into another group ("" is the top level).

    Raises:
        EditorError: `parent` is no group, or lies inside the node itself, or something is locked.
    """

    def __init__(self, document: Document, layer_id: str, index: int, parent: str | None = None) -> None:
        state = document.state
        node, around = state.node(layer_id), state.parent(layer_id)
        own = around.id if around is not None else ""
        text = translate("Commands", "Move layer “{name}”").format(name=node.name)
        after = tree.moved(state, [layer_id], own if parent is None else parent, index)
        super().__init__(document, text, after)
