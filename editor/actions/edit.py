"""The Edit menu."""

from editor.actions.table import Action
from inference.parameters import N_

EDIT: tuple[Action, ...] = (
    Action(
        id="edit.undo", text=N_("Actions", "&Undo"), menu="edit", command="application.undo",
        shortcut="Ctrl+Z", enabled_when="can_undo", icon="undo",
    ),
    Action(
        id="edit.redo", text=N_("Actions", "&Redo"), menu="edit", command="application.redo",
        shortcut="Ctrl+Shift+Z; Ctrl+Y", enabled_when="can_redo", icon="redo",
    ),
    Action(
        id="edit.copy", text=N_("Actions", "&Copy picture"), menu="edit", command="window.copy_picture",
        shortcut="Ctrl+C", enabled_when="document", group=1, icon="copy",
    ),
    Action(
        id="edit.settings", text=N_("Actions", "&Settings…"), menu="edit", command="window.show_settings",
        shortcut="Ctrl+,", group=2, icon="settings",
    ),
)  # fmt: skip
