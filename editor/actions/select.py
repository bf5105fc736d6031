"""The Select menu."""

from editor.actions.table import Action
from inference.parameters import N_

SELECT: tuple[Action, ...] = (
    Action(
        id="select.all", text=N_("Actions", "&All"), menu="select", command="selection.all",
        shortcut="Ctrl+A", enabled_when="document",
    ),
    Action(
        id="select.none", text=N_("Actions", "&Deselect"), menu="select", command="selection.clear",
        shortcut="Ctrl+D; Ctrl+Shift+A", enabled_when="selection",
    ),
    Action(
        id="select.again", text=N_("Actions", "Select a&gain"), menu="select", command="selection.again",
        shortcut="Ctrl+Shift+D", enabled_when="document",
    ),
    Action(
        id="select.invert", text=N_("Actions", "&Invert selection"), menu="select",
        command="selection.invert", shortcut="Ctrl+Shift+I", enabled_when="selection",
    ),
    Action(
        id="select.layer_pixels", text=N_("Actions", "The layer's &pixels"), menu="select",
        command="selection.from_layer", enabled_when="pixels", group=1,
    ),
    Action(
        id="select.mask", text=N_("Actions", "What the &mask shows"), menu="select",
        command="selection.from_mask", enabled_when="mask", group=1,
    ),
    Action(
        id="select.bright", text=N_("Actions", "Brigh&t parts"), menu="select",
        command="selection.from_luminosity", enabled_when="document", group=1,
    ),
    Action(
        id="select.subjects", text=N_("Actions", "S&ubjects of the picture"), menu="select",
        command="selection.subjects", enabled_when="recipe", group=1,
    ),
    Action(
        id="select.grow", text=N_("Actions", "&Grow…"), menu="select", command="window.show_form",
        argument="grow", enabled_when="selection", group=2, submenu=N_("Actions", "&Change"),
    ),
    Action(
        id="select.shrink", text=N_("Actions", "&Shrink…"), menu="select", command="window.show_form",
        argument="shrink", enabled_when="selection", group=2, submenu=N_("Actions", "&Change"),
    ),
    Action(
        id="select.feather", text=N_("Actions", "&Feather…"), menu="select", command="window.show_form",
        argument="feather", enabled_when="selection", group=2, submenu=N_("Actions", "&Change"),
        shortcut="Shift+F6",
    ),
    Action(
        id="select.border", text=N_("Actions", "&Border…"), menu="select", command="window.show_form",
        argument="border", enabled_when="selection", group=2, submenu=N_("Actions", "&Change"),
    ),
    Action(
        id="select.smooth", text=N_("Actions", "S&mooth…"), menu="select", command="window.show_form",
        argument="smooth", enabled_when="selection", group=2, submenu=N_("Actions", "&Change"),
    ),
    Action(
        id="select.to_mask", text=N_("Actions", "Keep as mas&k"), menu="select",
        command="selection.to_mask", enabled_when="selection", group=2,
    ),
    Action(
        id="select.all_layers", text=N_("Actions", "Al&l layers"), menu="select",
        command="layers.choose_all", shortcut="Ctrl+Alt+A", enabled_when="layers", group=3,
    ),
    Action(
        id="select.next_layer", text=N_("Actions", "Layer abo&ve"), menu="select",
        command="layers.choose_above", shortcut="Alt+]", enabled_when="layers", group=3,
    ),
    Action(
        id="select.previous_layer", text=N_("Actions", "Layer belo&w"), menu="select",
        command="layers.choose_below", shortcut="Alt+[", enabled_when="layers", group=3,
    ),
)  # fmt: skip
