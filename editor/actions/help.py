"""The Help menu."""

from editor.actions.table import Action
from inference.parameters import N_

HELP: tuple[Action, ...] = (
    Action(
        id="help.palette", text=N_("Actions", "&Command palette…"), menu="help",
        command="window.show_palette", shortcut="Ctrl+Shift+P", icon="search",
    ),
    Action(
        id="help.shortcuts", text=N_("Actions", "&Keyboard shortcuts"), menu="help",
        command="window.show_shortcuts", shortcut="F1", icon="keyboard",
    ),
    Action(
        id="help.about", text=N_("Actions", "&About Attune"), menu="help", command="window.show_about",
        icon="info",
    ),
)  # fmt: skip
