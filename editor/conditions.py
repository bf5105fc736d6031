"""When an action can be called: the conditions that the table of actions names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from editor.document import Document
from editor.layer import Group, Mask
from editor.text import TextContent

if TYPE_CHECKING:
    from editor.application import Application


def holds(application: Application, condition: str) -> bool:
    """Whether a condition holds now; a KeyError is a defect of ours."""
    return _CONDITIONS[condition](application)


def condition_names() -> tuple[str, ...]:
    return tuple(_CONDITIONS)


def _of_document(test: Callable[[Document], bool]) -> Callable[[Application], bool]:
    """A condition on the current document that fails without one."""
    return lambda application: application.current is not None and test(application.current)


def _can_undo(application: Application) -> bool:
    session = application.session
    if session is not None and session.busy:
        return True  # the change that is still being computed can be taken back
    return application.current is not None and application.current.undo_stack.canUndo()


def _mask(document: Document) -> Mask | None:
    return document.active_node.mask if document.active_node is not None else None


def _text(document: Document) -> TextContent | None:
    return document.active_layer.text if document.active_layer is not None else None


_CONDITIONS: dict[str, Callable[[Application], bool]] = {
    "always": lambda application: True,
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
    "selection": _of_document(lambda document: document.state.selection is not None),
    "can_undo": _can_undo,
    "can_redo": _of_document(lambda document: document.undo_stack.canRedo()),
    "exported": _of_document(lambda document: document.last_export is not None),
    "jobs": lambda application: bool(application.service.jobs()) or application.reading,
}
