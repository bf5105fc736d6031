"""What the Layer menu and the Layers panel call: the controller "layers"."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from editor import commands
from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.edits import floating, geometry, merging, painting, tree
from editor.edits.nodes import selected
from editor.layers.layer import Group, Layer
from editor.layers.state import DocumentState
from editor.tools.colours import Colours
from inference.parameters import N_

translate = QCoreApplication.translate


class LayerController(Controller):
    """Acts on the active and the chosen nodes of the current document."""

    def __init__(self, shell: Shell, colours: Colours) -> None:
        super().__init__(shell)
        self._colours = colours

    # nodes come and go

    def add(self) -> None:
        """A new transparent layer above the active node."""
        text = translate("Commands", "New layer")
        self._now(lambda state: tree.added(state, tree.new_layer(state), state.active), text)

    def add_group(self) -> None:
        """An empty group above the active node."""
        name = translate("Commands", "Group {number}")
        text = translate("Commands", "New group")
        self._now(
            lambda state: tree.added(state, Group(name=tree.free_name(state, name)), state.active), text
        )

    def duplicate(self) -> None:
        self._now(
            lambda s: tree.duplicated(s, selected(s)), self._named(N_("Commands", "Duplicate layer “{name}”"))
        )

    def copy_or_duplicate(self) -> None:
        """A new layer from what is selected of the active one; without a selection, a duplicate."""
        document = self.document
        if document is not None and document.state.selection is not None:
            text = translate("Commands", "Layer by copy")
            self._beside(lambda state: painting.layer_by_copy(state, state.active), text)
        else:
            self.duplicate()

    def cut_to_layer(self) -> None:
        """What is selected of the active layer moves to a new one above it."""
        text = translate("Commands", "Layer by cut")
        self._beside(lambda state: painting.layer_by_cut(state, state.active), text)

    def delete(self) -> None:
        self._now(
            lambda s: tree.removed(s, selected(s)), self._named(N_("Commands", "Delete layer “{name}”"))
        )

    # painting what is selected

    def fill(self, which: str) -> None:
        """Fill what is selected of the active layer or its mask with the "foreground" or "background"."""
        document = self.document
        if document is not None:
            colours, mask = self._colours, document.edit_mask
            colour = colours.foreground if which == "foreground" else colours.background
            text = translate("Commands", "Fill")
            self._beside(lambda state: painting.filled(state, state.active, colour, mask=mask), text)

    def clear(self) -> None:
        """Take away what is selected of the active layer; of its mask, if that is painted on."""
        document = self.document
        if document is not None:
            mask, text = document.edit_mask, translate("Commands", "Clear")
            self._beside(lambda state: painting.cleared(state, state.active, mask=mask), text)

    def clear_or_delete(self) -> None:
        """What the Delete key does: with a selection `clear`, without one `delete`."""
        document = self.document
        if document is not None and (document.state.selection is not None or document.edit_mask):
            self.clear()
        else:
            self.delete()

    # groups and places

    def group(self) -> None:
        self._now(lambda s: tree.grouped(s, selected(s)), translate("Commands", "Group layers"))

    def ungroup(self) -> None:
        self._now(lambda s: tree.ungrouped(s, s.active), translate("Commands", "Ungroup"))

    def move_up(self) -> None:
        self._move(+1)

    def move_down(self) -> None:
        self._move(-1)

    def move_to_top(self) -> None:
        self._move_to(lambda state, parent: len(state.layers if parent is None else parent.children))

    def move_to_bottom(self) -> None:
        self._move_to(lambda state, parent: 0)

    def move_into(self, group_id: str, index: int | None = None) -> None:
        """The selected nodes into a group ("" is the top level), at `index` or on top."""
        text = translate("Commands", "Move layers")

        def edit(state: DocumentState) -> DocumentState:
            at = len(list(state.nodes())) if index is None else index
            return tree.moved(state, selected(state), group_id, at)

        self._now(edit, text)

    def choose_above(self) -> None:
        self._choose_beside(+1)

    def choose_below(self) -> None:
        self._choose_beside(-1)

    def choose_all(self) -> None:
        """Select every node of the document in the Layers panel."""
        document = self.document
        if document is not None and document.active_node is not None:
            document.choose(document.state.active, [node.id for node in document.state.nodes()])

    # what a node is like

    def toggle(self) -> None:
        """Show or hide the selected nodes, as the active one is not."""
        self._toggle("visible", self._named(N_("Commands", "Show or hide layer “{name}”")))

    def toggle_clipped(self) -> None:
        """Show it only where the layer below shows, or everywhere."""
        self._toggle("clipped", translate("Commands", "Clip to the layer below"))

    def toggle_locked(self, kind: str = "locked") -> None:
        """Lock or unlock: "locked" (everything), "alpha_locked" or "position_locked"."""
        self._toggle(kind, translate("Commands", "Lock or unlock layers"))

    def toggle_pass_through(self) -> None:
        node = self.active
        if isinstance(node, Group):
            text = translate("Commands", "Let the group pass through, or not")
            self._on_active(
                lambda document, _: commands.ReplaceNode(
                    document, node.changed(isolated=not node.isolated), text
                )
            )

    # merging

    def merge_down(self) -> None:
        """The chosen layers into one; a single one into the one below; a group into itself."""
        document, node = self.document, self.active
        if document is None or node is None:
            return
        if len(selected(document.state)) > 1:
            self._beside(lambda s: merging.merged(s, selected(s)), translate("Commands", "Merge layers"))
        elif isinstance(node, Group):
            self._beside(lambda s: merging.merged_group(s, s.active), translate("Commands", "Merge group"))
        else:
            self._beside(lambda s: merging.merged_down(s, s.active), translate("Commands", "Merge down"))

    def merge_visible(self) -> None:
        self._beside(merging.merged_visible, translate("Commands", "Merge visible layers"))

    def stamp_visible(self) -> None:
        """What shows, as a new layer."""
        text = translate("Commands", "Visible as a new layer")
        self._beside(lambda state: merging.stamped(state, state.active), text)

    def flatten(self) -> None:
        self._beside(merging.flattened, translate("Commands", "Flatten picture"))

    def rasterise(self) -> None:
        """A text becomes mere pixels."""
        node = self.active
        if isinstance(node, Layer) and node.text is not None:
            text = translate("Commands", "Turn text into pixels")
            self._on_active(lambda document, _: commands.ReplaceNode(document, node.changed(text=None), text))

    # turning

    def flip(self, way: str) -> None:
        """Mirror the chosen nodes: "across" (left and right change places) or "down".

        With a selection, what is selected of the active layer.
        """
        text = translate("Commands", "Flip layers")
        flip = partial(geometry.flipped_nodes, across=way == "across")
        self._beside(lambda state: floating.limited(state, selected(state), flip), text)

    def turn(self, quarters: str) -> None:
        """Turn the chosen nodes, or what is selected of one, clockwise by quarters of a turn."""
        text = translate("Commands", "Rotate layers")
        turn = partial(geometry.turned_nodes, quarters=int(quarters))
        self._beside(lambda state: floating.limited(state, selected(state), turn), text)

    # inside

    def _named(self, text: str) -> str:
        """A text with the active node's name."""
        node = self.active
        return "" if node is None else translate("Commands", text).format(name=node.name)

    def _toggle(self, field: str, text: str) -> None:
        node = self.active
        if node is not None:
            wanted = not getattr(node, field)
            self._now(lambda state: tree.with_field(state, selected(state), field, wanted), text)

    def _move(self, by: int) -> None:
        """One place up or down; at the end of a group, out of it."""
        self._now(
            lambda state: tree.stepped(state, selected(state), by),
            self._named(N_("Commands", "Move layer “{name}”")),
        )

    def _move_to(self, where: Callable[[DocumentState, Group | None], int]) -> None:
        def edit(state: DocumentState) -> DocumentState:
            parent = state.parent(state.active)
            after = tree.moved(state, selected(state), parent.id if parent else "", where(state, parent))
            return state if _order(after) == _order(state) else after

        self._now(edit, self._named(N_("Commands", "Move layer “{name}”")))

    def _choose_beside(self, by: int) -> None:
        document, node = self.document, self.active
        if document is None or node is None:
            return
        nodes = list(document.state.nodes())
        index = nodes.index(node) + by
        if 0 <= index < len(nodes):
            document.set_active(nodes[index].id)


def _order(state: DocumentState) -> list[tuple[str, ...]]:
    """Every node with what it stands in, from bottom to top."""
    return [(node.id, *(parent.id for parent in state.parents(node.id))) for node in state.nodes()]
