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
        id="edit.cut", text=N_("Actions", "Cu&t"), menu="edit", command="clipboard.cut", shortcut="Ctrl+X",
        enabled_when="pixels", group=1,
    ),
    Action(
        id="edit.copy", text=N_("Actions", "&Copy"), menu="edit", command="clipboard.copy",
        shortcut="Ctrl+C", enabled_when="layer", group=1, icon="copy",
    ),
    Action(
        id="edit.copy_merged", text=N_("Actions", "Copy &merged"), menu="edit",
        command="clipboard.copy_merged", shortcut="Ctrl+Shift+C", enabled_when="document", group=1,
        tip=N_("Actions", "All that shows where something is selected."),
    ),
    Action(
        id="edit.paste", text=N_("Actions", "&Paste"), menu="edit", command="clipboard.paste",
        shortcut="Ctrl+V", group=1,
    ),
    Action(
        id="edit.paste_new", text=N_("Actions", "Paste as &new picture"), menu="edit",
        command="clipboard.paste_as_document", shortcut="Ctrl+Alt+V", group=1,
    ),
    Action(
        id="edit.clear", text=N_("Actions", "C&lear or delete layer"), menu="edit",
        command="layers.clear_or_delete", shortcut="Del", enabled_when="layer", group=1,
    ),
    Action(
        id="edit.fill_foreground", text=N_("Actions", "Fill with the &foreground colour"), menu="edit",
        command="layers.fill", argument="foreground", shortcut="Alt+Backspace", enabled_when="layer",
        group=2,
    ),
    Action(
        id="edit.fill_background", text=N_("Actions", "Fill with the &background colour"), menu="edit",
        command="layers.fill", argument="background", shortcut="Ctrl+Backspace", enabled_when="layer",
        group=2,
    ),
    Action(
        id="edit.settings", text=N_("Actions", "&Settings…"), menu="edit", command="window.show_settings",
        shortcut="Ctrl+,", group=3, icon="settings",
    ),
)  # fmt: skip
