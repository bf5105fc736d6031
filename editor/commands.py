"""The steps of the history.

A command holds the state before and the state after: redo and undo swap references.

Everything that can fail happens while the command is made, before it is pushed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QUndoCommand

from editor.document import Document
from editor.layer import BlendMode, Layer, Mask, Node
from editor.raster import Raster
from editor.recipes import Recipe, Subject
from editor.state import DocumentState
from inference.errors import EditorError
from inference.parameters import N_
from inference.request import Pixels

translate = QCoreApplication.translate


class Command(QUndoCommand):
    """One step from `before` to `after`. Commands of one `merge_key` in a row become one step."""

    def __init__(
        self, document: Document, text: str, after: DocumentState, *, before: DocumentState | None = None,
        merge_key: str = "",
    ) -> None:  # fmt: skip
        super().__init__(text)
        self.document = document
        self.before = before or document.state
        self.after = after
        self.merge_key = merge_key

    def redo(self) -> None:
        self.document.swap_state(self.after)

    def undo(self) -> None:
        self.document.swap_state(self.before)

    def id(self) -> int:
        # any positive number, the same for all: mergeWith compares the keys, Qt only skips -1
        return 1 if self.merge_key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, Command) or other.merge_key != self.merge_key:
            return False
        self.after = other.after
        self.setText(other.text())
        return True


def push(document: Document, command: Command) -> None:
    """Do `command` as the newest step of the history; the oldest steps beyond the memory limit go."""
    document.undo_stack.push(command)
    trim_history(document)


class ReplaceState(Command):
    """Any change that is worked out as a whole new state beforehand: crop, transform, merge."""

    def __init__(self, document: Document, after: DocumentState, text: str, merge_key: str = "") -> None:
        super().__init__(document, text, after, merge_key=merge_key)


class ReplaceNode(Command):
    """Put `node` in place of the node of the same id: a stroke, a mask, other settings of an adjustment.

    Raises:
        EditorError: the document has no such node, or it is locked.
    """

    def __init__(self, document: Document, node: Node, text: str, merge_key: str = "") -> None:
        _refuse_locked(document.state.node(node.id))
        super().__init__(document, text, document.state.with_node(node), merge_key=merge_key)


class SetSelection(Command):
    """Select an area; None is everything."""

    def __init__(self, document: Document, selection: Mask | None, text: str, merge_key: str = "") -> None:
        after = replace(document.state, selection=selection)
        super().__init__(document, text, after, merge_key=merge_key)


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
        _refuse_locked(node)
        after = state.without([layer_id])
        if not after.layers:
            raise EditorError(
                "A document needs at least one layer.", "Add another layer before deleting this one."
            )
        text = translate("Commands", "Delete layer “{name}”").format(name=node.name)
        active = state.active if after.find(state.active) else _beside(state, layer_id)
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


_PROPERTY_TEXTS = {
    "name": N_("Commands", "Rename layer to “{value}”"),
    "visible": N_("Commands", "Show or hide layer “{name}”"),
    "opacity": N_("Commands", "Opacity of “{name}” to {value}"),
    "blend_mode": N_("Commands", "Blend “{name}” as {value}"),
    "locked": N_("Commands", "Lock or unlock layer “{name}”"),
    "x": N_("Commands", "Move “{name}”"),
    "y": N_("Commands", "Move “{name}”"),
}


class SetLayerProperty(Command):
    """Set one field of a layer: name, visible, opacity, blend_mode, locked, x or y.

    `merge_key` joins the steps of one gesture (one drag of the opacity slider); take a new one for each.
    """

    def __init__(self, document: Document, layer_id: str, name: str, value: Any, merge_key: str = "") -> None:
        if name not in _PROPERTY_TEXTS:
            raise EditorError(
                f"A layer has no property “{name}”.", f"Known are: {', '.join(_PROPERTY_TEXTS)}."
            )
        state = document.state
        layer = state.node(layer_id)
        if name in ("x", "y"):
            _refuse_locked(layer)
        after = state.with_node(layer.changed(**{name: value}))  # first: it refuses what is out of range
        text = translate("Commands", _PROPERTY_TEXTS[name]).format(name=layer.name, value=_shown(name, value))
        super().__init__(document, text, after, merge_key=merge_key)


class ReplaceLayerResult(Command):
    """Give a layer new pixels and the recipe that made them; `text` is such as “Set age of “man” to +0.64”.

    `pixels` of another size than the layer's resize a document that consists of this layer alone.
    """

    def __init__(
        self, document: Document, layer_id: str, pixels: Pixels, recipe: Recipe | None, text: str,
        maps: Any = None,
    ) -> None:  # fmt: skip
        state = document.state
        layer = state.layer(layer_id)
        _refuse_locked(layer)
        changed = layer.changed(pixels=pixels, recipe=recipe, maps=layer.maps if maps is None else maps)
        after = state.with_layer(changed)
        if len(state.layers) == 1:
            after = replace(after, width=changed.width, height=changed.height)
        super().__init__(document, text, after)


class SetRecipe(Command):
    """Change a layer's recipe without its pixels: sliders added or removed at zero."""

    def __init__(self, document: Document, layer_id: str, recipe: Recipe, text: str) -> None:
        state = document.state
        super().__init__(document, text, state.with_layer(state.layer(layer_id).changed(recipe=recipe)))


class SetSubjects(SetRecipe):
    """Choose which words of a layer's prompt are subjects.

    Raises:
        EditorError: the layer has no recipe, or a subject lies outside its prompt.
    """

    def __init__(
        self, document: Document, layer_id: str, subjects: Iterable[Subject], text: str = ""
    ) -> None:
        recipe = document.layer(layer_id).recipe
        if recipe is None:
            raise EditorError("This layer has no prompt, so it has no subjects.", "Choose a generated layer.")
        chosen = tuple(subjects)
        for subject in chosen:
            if not 0 <= subject.start < subject.end <= len(recipe.prompt):
                raise EditorError(f"“{subject.text}” is not in the prompt.")
        text = text or translate("Commands", "Choose subjects")
        super().__init__(document, layer_id, replace(recipe, subjects=chosen), text)


def history_bytes(commands: Sequence[Command], state: DocumentState) -> int:
    """Bytes that these steps hold beyond what `state` shows; arrays that steps share count once."""
    shown = _buffers(state)
    held: dict[int, int] = {}
    for command in commands:
        held |= _buffers(command.before) | _buffers(command.after)
    return sum(size for key, size in held.items() if key not in shown)


def trim_history(document: Document) -> None:
    """Drop the oldest steps until the history fits `document.undo_memory_bytes`; the newest step stays.

    QUndoStack cannot forget single old steps, so the stack is made anew from the rest.
    """
    commands = steps(document)
    limit, state = document.undo_memory_bytes, document.state
    if history_bytes(commands, state) <= limit:
        return
    dropped = 1
    while dropped < len(commands) - 1 and history_bytes(commands[dropped:], state) > limit:
        dropped += 1
    if dropped < len(commands):
        _rebuild(document, commands[dropped:], document.undo_stack.cleanIndex() - dropped)
        document.history_dropped.emit(dropped)


def steps(document: Document) -> list[Command]:
    """The steps of the history from the oldest to the newest, undone ones included."""
    stack = document.undo_stack
    commands = [stack.command(index) for index in range(stack.count())]
    return [command for command in commands if isinstance(command, Command)]


def _rebuild(document: Document, kept: Sequence[Command], clean_index: int) -> None:
    stack = document.undo_stack
    # copies, because clear() deletes the commands; only the last may still merge with a gesture that goes on
    copies = [_Done(command, merges=command is kept[-1]) for command in kept]
    stack.blockSignals(True)
    try:
        stack.clear()
        for copy in copies:
            if stack.index() == clean_index:
                stack.setClean()
            stack.push(copy)
        if clean_index < 0:
            stack.resetClean()
    finally:
        stack.blockSignals(False)
    stack.indexChanged.emit(stack.index())


class _Done(Command):
    """A step that is already done when it comes onto the stack."""

    def __init__(self, command: Command, *, merges: bool) -> None:
        key = command.merge_key if merges else ""
        super().__init__(
            command.document, command.text(), command.after, before=command.before, merge_key=key
        )
        self._done = True

    def redo(self) -> None:
        if self._done:
            self._done = False
            return
        super().redo()


def _buffers(state: DocumentState) -> dict[int, int]:
    """Bytes of every pixel buffer of a state by identity; what is shared counts once."""
    held: dict[int, int] = {}
    for raster in _rasters(state):
        held |= dict(raster.buffers())
    return held


def _rasters(state: DocumentState) -> Iterator[Raster]:
    for node in state.nodes():
        if isinstance(node, Layer):
            yield node.raster
        if node.mask is not None:
            yield node.mask.raster
    if state.selection is not None:
        yield state.selection.raster


def _beside(state: DocumentState, node_id: str) -> str:
    """The node to select when one goes: the sibling below, else above, else the group around."""
    siblings, index = state.siblings(node_id), state.index(node_id)
    if len(siblings) > 1:
        return siblings[index - 1 if index else 1].id
    parent = state.parent(node_id)
    return parent.id if parent is not None else ""


def _refuse_locked(node: Node) -> None:
    if node.locked:
        raise EditorError(f"Layer “{node.name}” is locked.", "Unlock it in the Layers panel first.")


def _shown(name: str, value: Any) -> str:
    if name == "opacity":
        return f"{round(value * 100)} %"
    if isinstance(value, BlendMode):
        return translate("BlendMode", value.label)
    return str(value)
