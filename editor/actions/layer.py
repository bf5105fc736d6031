"""The Layer menu."""

from editor.actions.table import Action
from inference.parameters import N_

LAYER: tuple[Action, ...] = (
    Action(
        id="layer.new", text=N_("Actions", "&New layer"), menu="layer", command="layers.add",
        shortcut="Ctrl+Shift+N", enabled_when="document", icon="",
    ),
    Action(
        id="layer.new_group", text=N_("Actions", "New &group"), menu="layer", command="layers.add_group",
        enabled_when="document",
    ),
    Action(
        id="layer.duplicate", text=N_("Actions", "&Duplicate layer"), menu="layer",
        command="layers.duplicate", enabled_when="layer", icon="duplicate",
    ),
    Action(
        id="layer.by_copy", text=N_("Actions", "Layer by &copy"), menu="layer",
        command="layers.copy_or_duplicate", shortcut="Ctrl+J", enabled_when="layer",
        tip=N_("Actions", "What is selected becomes a new layer; without a selection, a duplicate."),
    ),
    Action(
        id="layer.by_cut", text=N_("Actions", "La&yer by cut"), menu="layer",
        command="layers.cut_to_layer", shortcut="Ctrl+Shift+J", enabled_when="selection",
    ),
    Action(
        id="layer.delete", text=N_("Actions", "De&lete layer"), menu="layer", command="layers.delete",
        enabled_when="layers", icon="delete",
    ),
    Action(
        id="layer.make_again", text=N_("Actions", "Make again from the picture belo&w"), menu="layer",
        command="older_states.make_again", enabled_when="from_below",
        tip=N_("Actions", "The layer as it is made from what shows below it now."),
    ),
    Action(
        id="layer.toggle", text=N_("Actions", "&Show or hide layer"), menu="layer",
        command="layers.toggle", shortcut="Ctrl+H", enabled_when="layer", group=1, icon="eye",
    ),
    Action(
        id="layer.clip", text=N_("Actions", "Clip to the layer &below"), menu="layer",
        command="layers.toggle_clipped", shortcut="Ctrl+Alt+G", enabled_when="layer", group=1,
    ),
    Action(
        id="layer.lock", text=N_("Actions", "Lock &or unlock"), menu="layer",
        command="layers.toggle_locked", argument="locked", shortcut="Ctrl+/", enabled_when="layer",
        group=1,
    ),
    Action(
        id="layer.mask_white", text=N_("Actions", "Show &everything"), menu="layer", command="masks.add",
        argument="white", enabled_when="unmasked", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_black", text=N_("Actions", "&Hide everything"), menu="layer", command="masks.add",
        argument="black", enabled_when="unmasked", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_selection", text=N_("Actions", "Show the &selection"), menu="layer",
        command="masks.add", argument="selection", enabled_when="unmasked", group=2,
        submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_outside", text=N_("Actions", "Hide the se&lection"), menu="layer",
        command="masks.add", argument="outside", enabled_when="unmasked", group=2,
        submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_alpha", text=N_("Actions", "From the &transparency"), menu="layer",
        command="masks.add", argument="alpha", enabled_when="pixels", group=2,
        submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_edit", text=N_("Actions", "&Paint on the mask"), menu="layer", command="masks.edit",
        enabled_when="mask", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_toggle", text=N_("Actions", "&Disable or enable"), menu="layer",
        command="masks.toggle", enabled_when="mask", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_invert", text=N_("Actions", "&Invert mask"), menu="layer", command="masks.invert",
        enabled_when="mask", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_link", text=N_("Actions", "Lin&k or unlink"), menu="layer",
        command="masks.toggle_linked", enabled_when="mask", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_apply", text=N_("Actions", "&Apply"), menu="layer", command="masks.apply",
        enabled_when="mask", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.mask_delete", text=N_("Actions", "Delete &mask"), menu="layer", command="masks.delete",
        enabled_when="mask", group=2, submenu=N_("Actions", "Mas&k"),
    ),
    Action(
        id="layer.group", text=N_("Actions", "Gro&up"), menu="layer", command="layers.group",
        shortcut="Ctrl+G", enabled_when="layer", group=3,
    ),
    Action(
        id="layer.ungroup", text=N_("Actions", "Ung&roup"), menu="layer", command="layers.ungroup",
        shortcut="Ctrl+Shift+G", enabled_when="group", group=3,
    ),
    Action(
        id="layer.pass_through", text=N_("Actions", "&Pass through"), menu="layer",
        command="layers.toggle_pass_through", enabled_when="group", group=3,
    ),
    Action(
        id="layer.raise", text=N_("Actions", "Move &up"), menu="layer", command="layers.move_up",
        shortcut="Ctrl+]", enabled_when="layer", group=3, icon="arrow-up",
        submenu=N_("Actions", "&Arrange"),
    ),
    Action(
        id="layer.lower", text=N_("Actions", "Move do&wn"), menu="layer", command="layers.move_down",
        shortcut="Ctrl+[", enabled_when="layer", group=3, icon="arrow-down",
        submenu=N_("Actions", "&Arrange"),
    ),
    Action(
        id="layer.to_top", text=N_("Actions", "To the &top"), menu="layer", command="layers.move_to_top",
        shortcut="Ctrl+Shift+]", enabled_when="layer", group=3, submenu=N_("Actions", "&Arrange"),
    ),
    Action(
        id="layer.to_bottom", text=N_("Actions", "To the &bottom"), menu="layer",
        command="layers.move_to_bottom", shortcut="Ctrl+Shift+[", enabled_when="layer", group=3,
        submenu=N_("Actions", "&Arrange"),
    ),
    Action(
        id="layer.flip_across", text=N_("Actions", "Flip layer left to &right"), menu="layer",
        command="layers.flip", argument="across", enabled_when="layer", group=4,
        submenu=N_("Actions", "&Transform"),
    ),
    Action(
        id="layer.flip_down", text=N_("Actions", "Flip layer top to &bottom"), menu="layer",
        command="layers.flip", argument="down", enabled_when="layer", group=4,
        submenu=N_("Actions", "&Transform"),
    ),
    Action(
        id="layer.turn_right", text=N_("Actions", "Rotate layer 90° &clockwise"), menu="layer",
        command="layers.turn", argument="1", enabled_when="layer", group=4,
        submenu=N_("Actions", "&Transform"),
    ),
    Action(
        id="layer.turn_left", text=N_("Actions", "Rotate layer 90° counter-clock&wise"), menu="layer",
        command="layers.turn", argument="3", enabled_when="layer", group=4,
        submenu=N_("Actions", "&Transform"),
    ),
    Action(
        id="layer.turn_half", text=N_("Actions", "Rotate layer 1&80°"), menu="layer",
        command="layers.turn", argument="2", enabled_when="layer", group=4,
        submenu=N_("Actions", "&Transform"),
    ),
    Action(
        id="layer.rasterise", text=N_("Actions", "Turn te&xt into pixels"), menu="layer",
        command="layers.rasterise", enabled_when="text", group=4,
    ),
    Action(
        id="layer.merge_down", text=N_("Actions", "&Merge down"), menu="layer",
        command="layers.merge_down", shortcut="Ctrl+Shift+M", enabled_when="layer", group=5,
        tip=N_("Actions", "Several chosen layers become one; a group becomes one layer."),
    ),
    Action(
        id="layer.merge_visible", text=N_("Actions", "Merge &visible layers"), menu="layer",
        command="layers.merge_visible", shortcut="Ctrl+Alt+Shift+M", enabled_when="document", group=5,
    ),
    Action(
        id="layer.stamp", text=N_("Actions", "V&isible as a new layer"), menu="layer",
        command="layers.stamp_visible", shortcut="Ctrl+Alt+Shift+E", enabled_when="document", group=5,
    ),
    Action(
        id="layer.flatten", text=N_("Actions", "&Flatten picture"), menu="layer", command="layers.flatten",
        enabled_when="document", group=5,
    ),
    Action(
        id="layer.edit", text=N_("Actions", "&Edit recipe"), menu="layer",
        command="sessions.edit_recipe", shortcut="Ctrl+Return", enabled_when="recipe", group=6,
        icon="sliders",
    ),
)  # fmt: skip
