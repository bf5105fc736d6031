"""What the wipe compares with: the picture before tuning, any step of the history, any layer."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from editor.document.comparison import Against
from editor.document.document import Document
from inference.parameters import N_
from widgets.look.plain_text import unmarked

_STEPS_SHOWN = 30

translate = QCoreApplication.translate


def compare_menu(
    document: Document, present: Against, choose: Callable[[Against], None], parent: QWidget
) -> QMenu:
    """The menu at the wipe's handle; `present` is marked."""
    menu = QMenu(parent)
    group = QActionGroup(menu)

    def add(target: QMenu, text: str, against: Against) -> None:
        entry = target.addAction(unmarked(text))
        entry.setCheckable(True)
        entry.setChecked(against == present)
        entry.triggered.connect(lambda: choose(against))
        group.addAction(entry)

    add(menu, translate("CompareMenu", "Before tuning"), Against())
    steps = document.undo_stack.steps
    if steps:
        history = menu.addMenu(translate("CompareMenu", "State of the history"))
        add(history, translate("CompareMenu", "As it began"), Against(state=steps[0].before))
        for step in steps[-_STEPS_SHOWN:]:
            add(history, step.text, Against(state=step.after))
    layers = menu.addMenu(translate("CompareMenu", "Layer"))
    for node in reversed(tuple(document.state.nodes())):
        text = _HIDDEN if node.visible else _SHOWN
        add(layers, translate("CompareMenu", text).format(name=node.name), Against(layer=node.id))
    return menu


def words_for(document: Document, against: Against) -> tuple[str, str]:
    """What stands on the two sides of the wipe."""
    before, after = translate("Canvas", "before"), translate("Canvas", "after")
    if against.state is not None:
        steps = document.undo_stack.steps
        found = next((step.text for step in steps if step.after is against.state), "")
        return found or before, after
    node = document.state.find(against.layer) if against.layer else None
    if node is None:
        return before, after
    text = _HIDDEN if node.visible else _SHOWN
    return translate("CompareMenu", text).format(name=node.name), after


_HIDDEN = N_("CompareMenu", "Without “{name}”")
_SHOWN = N_("CompareMenu", "With “{name}”")
