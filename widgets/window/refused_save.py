"""Asks what to do about a file that saving would overwrite although somebody else wrote it."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget

from editor.controllers.refused_save import RefusedSave
from editor.document.known_file import Obstacle
from inference.parameters import N_
from widgets.look.plain_text import PlainMessageBox

_TEXTS = {
    Obstacle.CHANGED: N_(
        "RefusedSave", "Another program has changed “{name}” since it was opened or saved here."
    ),
    Obstacle.READ_ONLY: N_("RefusedSave", "“{name}” is read-only."),
    Obstacle.OPEN_ELSEWHERE: N_("RefusedSave", "“{name}” is open here as another document."),
}


def ask_about(
    refused: RefusedSave,
    parent: QWidget,
    *,
    overwrite: Callable[[], None],
    save_as: Callable[[], None],
    reload: Callable[[], None],
) -> QMessageBox:
    """Show the question beside the work; at most one of the three is called. Closing it leaves all as it is.

    Reloading is offered for the document's own file only.
    """
    translate = QCoreApplication.translate
    box = PlainMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(translate("RefusedSave", "Save"))
    box.setText(translate("RefusedSave", _TEXTS[refused.obstacle]).format(name=refused.path.name))
    box.setInformativeText(translate("RefusedSave", "Nothing was written yet."))
    roles = QMessageBox.ButtonRole
    chosen: dict[QAbstractButton | None, Callable[[], None]] = {}
    chosen[box.addButton(translate("RefusedSave", "Save as…"), roles.AcceptRole)] = save_as
    if refused.obstacle is Obstacle.CHANGED:
        chosen[box.addButton(translate("RefusedSave", "Reload"), roles.DestructiveRole)] = reload
    chosen[box.addButton(translate("RefusedSave", "Overwrite"), roles.DestructiveRole)] = overwrite
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    cancel.setIcon(QIcon())
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)

    def ended() -> None:
        act = chosen.get(box.clickedButton())
        if act is not None:
            act()

    box.finished.connect(lambda _: ended())
    box.open()
    return box
