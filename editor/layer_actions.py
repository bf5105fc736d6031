"""What the Layer menu and the Layers panel call: the receiver "layers"."""

from editor import commands
from editor.receiver import Receiver


class LayerActions(Receiver):
    """Acts on the active node of the current document."""

    def duplicate(self) -> None:
        self._on_active(lambda document, node: commands.DuplicateLayer(document, node.id))

    def delete(self) -> None:
        self._on_active(lambda document, node: commands.RemoveLayer(document, node.id))

    def toggle(self) -> None:
        """Show or hide the active node."""
        self._on_active(
            lambda document, node: commands.SetLayerProperty(document, node.id, "visible", not node.visible)
        )

    def move_up(self) -> None:
        self._move(+1)

    def move_down(self) -> None:
        self._move(-1)

    def choose_above(self) -> None:
        self._choose_beside(+1)

    def choose_below(self) -> None:
        self._choose_beside(-1)

    def _move(self, by: int) -> None:
        document = self.document
        node = document.active_node if document is not None else None
        if document is None or node is None:
            return
        index = document.state.index(node.id) + by
        if 0 <= index < len(document.state.siblings(node.id)):
            self._on_document(lambda document: commands.ReorderLayer(document, node.id, index))

    def _choose_beside(self, by: int) -> None:
        document = self.document
        if document is None or document.active_node is None:
            return
        nodes = list(document.state.nodes())
        index = nodes.index(document.active_node) + by
        if 0 <= index < len(nodes):
            document.set_active(nodes[index].id)
