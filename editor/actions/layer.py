"""The Layer menu."""

from editor.actions.table import Action
from inference.parameters import N_

LAYER: tuple[Action, ...] = (
    Action(
        id="layer.duplicate", text=N_("Actions", "&Duplicate layer"), menu="layer",
        command="layers.duplicate", shortcut="Ctrl+J", enabled_when="layer", icon="duplicate",
    ),
    Action(
        id="layer.delete", text=N_("Actions", "De&lete layer"), menu="layer",
        command="layers.delete", shortcut="Del", enabled_when="layers", icon="delete",
    ),
    Action(
        id="layer.toggle", text=N_("Actions", "&Show or hide layer"), menu="layer",
        command="layers.toggle", shortcut="Ctrl+H", enabled_when="layer", icon="eye",
    ),
    Action(
        id="layer.raise", text=N_("Actions", "Move &up"), menu="layer", command="layers.move_up",
        shortcut="Ctrl+]", enabled_when="layers", group=1, icon="arrow-up",
    ),
    Action(
        id="layer.lower", text=N_("Actions", "Move do&wn"), menu="layer",
        command="layers.move_down", shortcut="Ctrl+[", enabled_when="layers", group=1,
        icon="arrow-down",
    ),
    Action(
        id="layer.edit", text=N_("Actions", "&Edit recipe"), menu="layer",
        command="sessions.edit_recipe", shortcut="Ctrl+Return", enabled_when="recipe", group=2,
        icon="sliders",
    ),
)  # fmt: skip
