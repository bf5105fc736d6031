"""The File menu."""

from editor.actions.table import Action
from inference.parameters import N_

FILE: tuple[Action, ...] = (
    Action(
        id="file.new", text=N_("Actions", "&New from prompt…"), menu="file",
        command="window.show_new_picture", shortcut="Ctrl+N", icon="sparkle",
    ),
    Action(
        id="file.new_canvas", text=N_("Actions", "New can&vas…"), menu="file",
        command="window.show_new_canvas", shortcut="Ctrl+Alt+N", icon="document",
    ),
    Action(
        id="file.open", text=N_("Actions", "&Open…"), menu="file", command="window.show_open",
        shortcut="Ctrl+O", icon="open",
    ),
    Action(
        id="file.open_as_layer", text=N_("Actions", "Open as &layer…"), menu="file",
        command="window.show_open_as_layer", shortcut="Ctrl+Alt+O", enabled_when="document", icon="layer",
    ),
    Action(
        id="file.sample", text=N_("Actions", "Open sample &picture"), menu="file",
        command="application.open_start_picture", icon="image",
    ),
    Action(
        id="file.save", text=N_("Actions", "&Save project"), menu="file", command="window.save",
        shortcut="Ctrl+S", enabled_when="document", group=1, icon="save",
    ),
    Action(
        id="file.save_as", text=N_("Actions", "Save project &as…"), menu="file",
        command="window.show_save_as", shortcut="Ctrl+Shift+S", enabled_when="document", group=1,
    ),
    Action(
        id="file.export", text=N_("Actions", "&Export…"), menu="file", command="window.show_export",
        shortcut="Ctrl+E", enabled_when="document", group=2, icon="export",
    ),
    Action(
        id="file.export_again", text=N_("Actions", "Export a&gain"), menu="file",
        command="window.export_again", shortcut="Ctrl+Alt+E", enabled_when="exported", group=2,
    ),
    Action(
        id="file.batch", text=N_("Actions", "&Batch…"), menu="file", command="window.show_batch",
        group=3, icon="variations",
        tip=N_("Actions", "Edit a whole folder in the same way"),
    ),
    Action(
        id="file.save_recipe", text=N_("Actions", "Save what was done as a &recipe…"), menu="file",
        command="window.show_save_recipe", enabled_when="can_undo", group=3,
    ),
    Action(
        id="file.apply_recipe", text=N_("Actions", "Appl&y recipe…"), menu="file",
        command="window.show_apply_recipe", enabled_when="document", group=3,
    ),
    Action(
        id="file.close", text=N_("Actions", "&Close"), menu="file", command="window.close_document",
        shortcut="Ctrl+W", enabled_when="document", group=4, icon="close",
    ),
    Action(
        id="file.quit", text=N_("Actions", "&Quit"), menu="file", command="window.close",
        shortcut="Ctrl+Q", group=4,
    ),
)  # fmt: skip
