"""The Select menu."""

from editor.actions.table import Action
from inference.parameters import N_

SELECT: tuple[Action, ...] = (
    Action(
        id="select.next_layer", text=N_("Actions", "Layer &above"), menu="select",
        command="layers.choose_above", shortcut="Alt+]", enabled_when="layers",
    ),
    Action(
        id="select.previous_layer", text=N_("Actions", "Layer &below"), menu="select",
        command="layers.choose_below", shortcut="Alt+[", enabled_when="layers",
    ),
)  # fmt: skip
