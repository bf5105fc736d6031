"""The steps of the history.

A command holds the state before and the state after: redo and undo swap references.

Everything that can fail happens while the command is made, before it is pushed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QUndoCommand

from editor.document import Document
from editor.layer import BlendMode, Layer
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


class AddLayer(Command):
    """Put `layer` above the active one (or at `index`) and select it."""

    def __init__(self, document: Document, layer: Layer, *, index: int | None = None, text: str = "") -> None:
        state = document.state
        if index is None:
            index = state.index(state.active) + 1 if document.active_layer is not None else len(state.layers)
        layers = (*state.layers[:index], layer, *state.layers[index:])
        after = replace(state, layers=layers, active=layer.id)
        super().__init__(document, text or translate("Commands", "Add layer"), after)


class RemoveLayer(Command):
    """Take a layer out; the one below becomes active.

    Raises:
        EditorError: it is the only layer, or it is locked.
    """

    def __init__(self, document: Document, layer_id: str) -> None:
        state = document.state
        index = state.index(layer_id)
        _refuse_locked(state.layers[index])
        if len(state.layers) == 1:
            raise EditorError(
                "A document needs at least one layer.", "Add another layer before deleting this one."
            )
        layers = state.layers[:index] + state.layers[index + 1 :]
        active = layers[max(index - 1, 0)].id if state.active == layer_id else state.active
        text = translate("Commands", "Delete layer “{name}”").format(name=state.layers[index].name)
        super().__init__(document, text, replace(state, layers=layers, active=active))


class DuplicateLayer(Command):
    """Put a copy right above a layer and select it."""

    def __init__(self, document: Document, layer_id: str) -> None:
        state = document.state
        index = state.index(layer_id)
        original = state.layers[index]
        copy = original.copy(translate("Commands", "{name} copy").format(name=original.name))
        layers = (*state.layers[: index + 1], copy, *state.layers[index + 1 :])
        text = translate("Commands", "Duplicate layer “{name}”").format(name=original.name)
        super().__init__(document, text, replace(state, layers=layers, active=copy.id))
        self.layer_id = copy.id


class ReorderLayer(Command):
    """Move a layer to `index` (0 = bottom)."""

    def __init__(self, document: Document, layer_id: str, index: int) -> None:
        state = document.state
        rest = list(state.layers)
        layer = rest.pop(state.index(layer_id))
        rest.insert(max(0, min(index, len(rest))), layer)
        text = translate("Commands", "Move layer “{name}”").format(name=layer.name)
        super().__init__(document, text, replace(state, layers=tuple(rest)))


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
        layer = state.layer(layer_id)
        if name in ("x", "y"):
            _refuse_locked(layer)
        after = state.with_layer(layer.changed(**{name: value}))  # first: it refuses what is out of range
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
    shown = {id(layer.pixels) for layer in state.layers}
    held: dict[int, int] = {}
    for command in commands:
        held |= _arrays(command)
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


def _arrays(command: Command) -> dict[int, int]:
    layers = (*command.before.layers, *command.after.layers)
    return {id(layer.pixels): layer.pixels.nbytes for layer in layers}


def _refuse_locked(layer: Layer) -> None:
    if layer.locked:
        raise EditorError(f"Layer “{layer.name}” is locked.", "Unlock it in the Layers panel first.")


def _shown(name: str, value: Any) -> str:
    if name == "opacity":
        return f"{round(value * 100)} %"
    if isinstance(value, BlendMode):
        return translate("BlendMode", value.label)
    return str(value)
