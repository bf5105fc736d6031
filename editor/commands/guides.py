"""Guides as steps of the history, and what a point snaps to."""

from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from editor.commands import ReplaceState
from editor.document.document import Document
from editor.layers.state import DocumentState, Guide
from inference.errors import EditorError

translate = QCoreApplication.translate

LIMIT = 1000


def add_guide(document: Document, guide: Guide) -> ReplaceState:
    """Raises:
    EditorError: there are too many guides.
    """
    state = document.state
    if len(state.guides) >= LIMIT:
        raise EditorError("A document has at most {most} guides.", "Remove some first.", most=LIMIT)
    after = replace(state, guides=(*state.guides, guide))
    return ReplaceState(document, after, translate("Commands", "Add guide"))


def move_guide(document: Document, index: int, position: float) -> ReplaceState:
    guides = list(document.state.guides)
    guides[index] = replace(guides[index], position=position)
    after = replace(document.state, guides=tuple(guides))
    return ReplaceState(document, after, translate("Commands", "Move guide"))


def remove_guide(document: Document, index: int) -> ReplaceState:
    guides = document.state.guides
    after = replace(document.state, guides=guides[:index] + guides[index + 1 :])
    return ReplaceState(document, after, translate("Commands", "Remove guide"))


def clear_guides(document: Document) -> ReplaceState:
    after = replace(document.state, guides=())
    return ReplaceState(document, after, translate("Commands", "Remove all guides"))


def snapped(state: DocumentState, x: float, y: float, reach: float) -> tuple[float, float]:
    """The point (pixels of the document) drawn to the nearest line within `reach`, each way by itself.

    Lines are the guides, the picture's edges and its middle.
    """
    across = [0.0, state.width / 2, float(state.width)]
    down = [0.0, state.height / 2, float(state.height)]
    for guide in state.guides:
        (across if guide.vertical else down).append(guide.position)
    return _nearest(x, across, reach), _nearest(y, down, reach)


def _nearest(value: float, lines: list[float], reach: float) -> float:
    line = min(lines, key=lambda one: abs(one - value))
    return line if abs(line - value) <= reach else value
