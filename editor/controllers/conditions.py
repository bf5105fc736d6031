"""When an action can be called: the conditions that the table of actions names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from editor.controllers.files import FileWork
from editor.controllers.sessions import Sessions
from editor.controllers.shell import Shell
from editor.document.document import Document
from editor.layers.layer import Group, Mask
from editor.layers.text import TextContent


class Situation(NamedTuple):
    """What conditions look at."""

    shell: Shell
    sessions: Sessions
    files: FileWork

    def holds(self, condition: str) -> bool:
        """Whether a condition holds now; a KeyError is a defect of ours."""
        return _CONDITIONS[condition](self)


def condition_names() -> tuple[str, ...]:
    return tuple(_CONDITIONS)


def _of_document(test: Callable[[Document], bool]) -> Callable[[Situation], bool]:
    """A condition on the current document that fails without one."""
    return lambda now: now.shell.current is not None and test(now.shell.current)


def _can_undo(now: Situation) -> bool:
    session = now.sessions.current
    if session is not None and session.busy:
        return True  # the change that is still being computed can be taken back
    return now.shell.current is not None and now.shell.current.undo_stack.canUndo()


def _mask(document: Document) -> Mask | None:
    return document.active_node.mask if document.active_node is not None else None


def _text(document: Document) -> TextContent | None:
    return document.active_layer.text if document.active_layer is not None else None


def _has_seed(document: Document) -> bool:
    layer = document.recipe_layer
    return layer is not None and layer.recipe is not None and layer.recipe.has_seed


def _is_from_below(document: Document) -> bool:
    layer = document.active_layer
    return layer is not None and layer.recipe is not None and layer.recipe.from_below


_CONDITIONS: dict[str, Callable[[Situation], bool]] = {
    "always": lambda now: True,
    "document": _of_document(lambda document: True),
    "layer": _of_document(lambda document: document.active_node is not None),
    "layers": _of_document(lambda document: len(document.layers) > 1),
    "several": _of_document(lambda document: bool(document.state.chosen)),
    "group": _of_document(lambda document: isinstance(document.active_node, Group)),
    "pixels": _of_document(lambda document: document.active_layer is not None),
    "text": _of_document(lambda document: _text(document) is not None),
    "mask": _of_document(lambda document: _mask(document) is not None),
    "unmasked": _of_document(lambda document: document.active_node is not None and _mask(document) is None),
    "recipe": _of_document(lambda document: document.recipe_layer is not None),
    "seed": _of_document(_has_seed),
    "from_below": _of_document(_is_from_below),
    "selection": _of_document(lambda document: document.state.selection is not None),
    "can_undo": _can_undo,
    "can_redo": _of_document(lambda document: document.undo_stack.canRedo()),
    "exported": _of_document(lambda document: document.last_export is not None),
    "jobs": lambda now: bool(now.shell.service.jobs()) or now.files.reading,
}
