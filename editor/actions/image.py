"""The Image menu: what concerns the whole document."""

from editor.actions.table import Action
from inference.parameters import N_

IMAGE: tuple[Action, ...] = (
    Action(
        id="image.information", text=N_("Actions", "How this picture was &made"), menu="image",
        command="window.show_information", shortcut="Ctrl+I", enabled_when="document", icon="info",
    ),
    Action(
        id="image.size", text=N_("Actions", "Picture &size…"), menu="image", command="window.show_form",
        argument="image-size", shortcut="Ctrl+Alt+I", enabled_when="document", group=1,
    ),
    Action(
        id="image.canvas_size", text=N_("Actions", "Can&vas size…"), menu="image",
        command="window.show_form", argument="canvas-size", shortcut="Ctrl+Alt+Shift+C",
        enabled_when="document", group=1,
    ),
    Action(
        id="image.crop_selection", text=N_("Actions", "&Crop to the selection"), menu="image",
        command="image.crop_to_selection", enabled_when="selection", group=1,
    ),
    Action(
        id="image.trim", text=N_("Actions", "Tr&im to what shows"), menu="image", command="image.trim",
        enabled_when="document", group=1,
    ),
    Action(
        id="image.reveal", text=N_("Actions", "Show &all of every layer"), menu="image",
        command="image.reveal_all", enabled_when="document", group=1,
    ),
    Action(
        id="image.turn_right", text=N_("Actions", "Rotate 90° &clockwise"), menu="image",
        command="image.rotate", enabled_when="document", argument="1", group=1,
        submenu=N_("Actions", "&Rotate and flip"),
    ),
    Action(
        id="image.turn_left", text=N_("Actions", "Rotate 90° counter-clock&wise"), menu="image",
        command="image.rotate", enabled_when="document", argument="3", group=1,
        submenu=N_("Actions", "&Rotate and flip"),
    ),
    Action(
        id="image.turn_half", text=N_("Actions", "Rotate 1&80°"), menu="image", command="image.rotate",
        enabled_when="document", argument="2", group=1, submenu=N_("Actions", "&Rotate and flip"),
    ),
    Action(
        id="image.rotate", text=N_("Actions", "Rotate by an &angle…"), menu="image",
        command="window.show_form", argument="rotation", enabled_when="document", group=1,
        submenu=N_("Actions", "&Rotate and flip"),
    ),
    Action(
        id="image.flip_across", text=N_("Actions", "Flip left to &right"), menu="image",
        command="image.flip", enabled_when="document", argument="across", group=1,
        submenu=N_("Actions", "&Rotate and flip"),
    ),
    Action(
        id="image.flip_down", text=N_("Actions", "Flip top to &bottom"), menu="image",
        command="image.flip", enabled_when="document", argument="down", group=1,
        submenu=N_("Actions", "&Rotate and flip"),
    ),
    Action(
        id="image.convert_srgb", text=N_("Actions", "Convert to &sRGB"), menu="image",
        command="image.convert_profile", enabled_when="document", argument="srgb", group=2,
        submenu=N_("Actions", "Conver&t to profile"),
    ),
    Action(
        id="image.convert_display_p3", text=N_("Actions", "Convert to &Display P3"), menu="image",
        command="image.convert_profile", enabled_when="document", argument="display-p3", group=2,
        submenu=N_("Actions", "Conver&t to profile"),
    ),
    Action(
        id="image.convert_adobe_rgb", text=N_("Actions", "Convert to &Adobe RGB"), menu="image",
        command="image.convert_profile", enabled_when="document", argument="adobe-rgb", group=2,
        submenu=N_("Actions", "Conver&t to profile"),
    ),
    Action(
        id="image.convert_prophoto", text=N_("Actions", "Convert to &ProPhoto RGB"), menu="image",
        command="image.convert_profile", enabled_when="document", argument="prophoto", group=2,
        submenu=N_("Actions", "Conver&t to profile"),
    ),
    Action(
        id="image.assign_srgb", text=N_("Actions", "Assign &sRGB"), menu="image",
        command="image.assign_profile", enabled_when="document", argument="srgb", group=2,
        submenu=N_("Actions", "Assi&gn profile"),
    ),
    Action(
        id="image.assign_display_p3", text=N_("Actions", "Assign &Display P3"), menu="image",
        command="image.assign_profile", enabled_when="document", argument="display-p3", group=2,
        submenu=N_("Actions", "Assi&gn profile"),
    ),
    Action(
        id="image.assign_adobe_rgb", text=N_("Actions", "Assign &Adobe RGB"), menu="image",
        command="image.assign_profile", enabled_when="document", argument="adobe-rgb", group=2,
        submenu=N_("Actions", "Assi&gn profile"),
    ),
    Action(
        id="image.assign_prophoto", text=N_("Actions", "Assign &ProPhoto RGB"), menu="image",
        command="image.assign_profile", enabled_when="document", argument="prophoto", group=2,
        submenu=N_("Actions", "Assi&gn profile"),
    ),
)  # fmt: skip
