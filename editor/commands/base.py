"""What every command is, and the generic ones."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from editor.document.document import Document
from editor.document.history import Step
from editor.edits.nodes import refuse_locked
from editor.layers.layer import Mask, Node
from editor.layers.limits import check_growth
from editor.layers.state import DocumentState

translate = QCoreApplication.translate


class Command:
    """One change of a document from `before` to `after`, worked out when it is made.

    Raises:
        EditorError: the document would grow beyond what can be saved and opened again.
    """

    def __init__(
        self, document: Document, text: str, after: DocumentState, *, before: DocumentState | None = None,
        merge_key: str = "",
    ) -> None:  # fmt: skip
        self.document = document
        self.text = text
        self.before = before or document.state
        self.after = after
        self.merge_key = merge_key
        check_growth(self.before, after)

    @property
    def step(self) -> Step:
        return Step(text=self.text, before=self.before, after=self.after, merge_key=self.merge_key)


def push(document: Document, command: Command) -> None:
    """Do `command` as the newest step of the history; the oldest steps beyond the memory limit go."""
    document.undo_stack.push(command.step)


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
        refuse_locked(document.state, [node.id], contents=False)
        super().__init__(document, text, document.state.with_node(node), merge_key=merge_key)


class SetSelection(Command):
    """Select an area; None is everything."""

    def __init__(self, document: Document, selection: Mask | None, text: str, merge_key: str = "") -> None:
        after = replace(document.state, selection=selection)
        super().__init__(document, text, after, merge_key=merge_key)
