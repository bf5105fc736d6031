"""Every command of the window as data: menus, shortcuts, the toolbar and the tests read this table.

`command` is "<receiver>.<method>": receivers are "application" (`Application`), "window" (`MainWindow`) and
"canvas" (the current canvas); the method takes no arguments. A checkable action's method takes its new state.
`enabled_when` names a condition that `Application.holds` answers.
"""

from dataclasses import dataclass

from inference.parameters import N_

SEPARATOR = "-"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One command of the window.

    Args:
        id: stable key in settings and tests, such as "file.open".
        text: what the menu shows, translation context "Actions"; an ellipsis where something is still asked.
        menu: the menu it stands in; `group` starts anew where a separator is drawn.
        shortcut: portable text for QKeySequence, several separated by "; ", "" for none.
        icon: name of an SVG in resources/icons, or "".
    """

    id: str
    text: str
    menu: str
    command: str
    shortcut: str = ""
    enabled_when: str = "always"
    group: int = 0
    icon: str = ""
    checkable: bool = False
    tip: str = ""


MENUS: tuple[tuple[str, str], ...] = (
    ("file", N_("Actions", "&File")),
    ("edit", N_("Actions", "&Edit")),
    ("image", N_("Actions", "&Image")),
    ("layer", N_("Actions", "&Layer")),
    ("select", N_("Actions", "&Select")),
    ("filter", N_("Actions", "F&ilter")),
    ("generate", N_("Actions", "&Generate")),
    ("view", N_("Actions", "&View")),
    ("window", N_("Actions", "&Window")),
    ("help", N_("Actions", "&Help")),
)

ACTIONS: tuple[Action, ...] = (
    Action(
        id="file.new", text=N_("Actions", "&New from prompt…"), menu="file",
        command="window.show_new_picture", shortcut="Ctrl+N", icon="sparkle",
    ),
    Action(
        id="file.open", text=N_("Actions", "&Open…"), menu="file", command="window.show_open",
        shortcut="Ctrl+O", icon="open",
    ),
    Action(
        id="file.sample", text=N_("Actions", "Open sample &picture"), menu="file",
        command="application.open_sample", icon="image",
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
        id="file.close", text=N_("Actions", "&Close"), menu="file", command="window.close_document",
        shortcut="Ctrl+W", enabled_when="document", group=3, icon="close",
    ),
    Action(
        id="file.quit", text=N_("Actions", "&Quit"), menu="file", command="window.close",
        shortcut="Ctrl+Q", group=3,
    ),
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
    Action(
        id="image.information", text=N_("Actions", "How this picture was &made"), menu="image",
        command="window.show_information", shortcut="Ctrl+I", enabled_when="document", icon="info",
    ),
    Action(
        id="layer.duplicate", text=N_("Actions", "&Duplicate layer"), menu="layer",
        command="application.duplicate_layer", shortcut="Ctrl+J", enabled_when="layer", icon="duplicate",
    ),
    Action(
        id="layer.delete", text=N_("Actions", "De&lete layer"), menu="layer",
        command="application.delete_layer", shortcut="Del", enabled_when="layers", icon="delete",
    ),
    Action(
        id="layer.toggle", text=N_("Actions", "&Show or hide layer"), menu="layer",
        command="application.toggle_layer", shortcut="Ctrl+H", enabled_when="layer", icon="eye",
    ),
    Action(
        id="layer.raise", text=N_("Actions", "Move &up"), menu="layer", command="application.raise_layer",
        shortcut="Ctrl+]", enabled_when="layers", group=1, icon="arrow-up",
    ),
    Action(
        id="layer.lower", text=N_("Actions", "Move do&wn"), menu="layer",
        command="application.lower_layer", shortcut="Ctrl+[", enabled_when="layers", group=1,
        icon="arrow-down",
    ),
    Action(
        id="layer.edit", text=N_("Actions", "&Edit recipe"), menu="layer",
        command="application.edit_recipe", shortcut="Ctrl+Return", enabled_when="recipe", group=2,
        icon="sliders",
    ),
    Action(
        id="select.next_layer", text=N_("Actions", "Layer &above"), menu="select",
        command="application.select_layer_above", shortcut="Alt+]", enabled_when="layers",
    ),
    Action(
        id="select.previous_layer", text=N_("Actions", "Layer &below"), menu="select",
        command="application.select_layer_below", shortcut="Alt+[", enabled_when="layers",
    ),
    Action(
        id="generate.variations", text=N_("Actions", "&Variations"), menu="generate",
        command="application.make_variations", shortcut="Ctrl+Shift+V", enabled_when="recipe",
        icon="variations",
    ),
    Action(
        id="generate.reset", text=N_("Actions", "&Reset sliders"), menu="generate",
        command="application.reset_sliders", shortcut="Ctrl+R", enabled_when="recipe", icon="reset",
    ),
    Action(
        id="generate.cancel", text=N_("Actions", "&Stop all jobs"), menu="generate",
        command="application.cancel_jobs", shortcut="Ctrl+.", enabled_when="jobs", group=1, icon="stop",
    ),
    Action(
        id="generate.models", text=N_("Actions", "&Models…"), menu="generate",
        command="window.show_models", shortcut="Ctrl+M", group=2, icon="model",
    ),
    Action(
        id="view.zoom_in", text=N_("Actions", "Zoom &in"), menu="view", command="canvas.zoom_in",
        shortcut="Ctrl++; Ctrl+=", enabled_when="document", icon="zoom-in",
    ),
    Action(
        id="view.zoom_out", text=N_("Actions", "Zoom &out"), menu="view", command="canvas.zoom_out",
        shortcut="Ctrl+-", enabled_when="document", icon="zoom-out",
    ),
    Action(
        id="view.fit", text=N_("Actions", "&Fit in window"), menu="view", command="canvas.fit",
        shortcut="Ctrl+0", enabled_when="document", icon="fit",
    ),
    Action(
        id="view.actual", text=N_("Actions", "&Actual size"), menu="view", command="canvas.actual_size",
        shortcut="Ctrl+1", enabled_when="document",
    ),
    Action(
        id="view.compare", text=N_("Actions", "&Before and after"), menu="view",
        command="canvas.set_compare", shortcut="B", enabled_when="document", group=1, icon="compare",
        checkable=True,
    ),
    Action(
        id="tool.subject", text=N_("Actions", "Point at &subjects"), menu="view",
        command="window.use_subject_tool", shortcut="S", group=2, icon="tool-subject", checkable=True,
    ),
    Action(
        id="tool.hand", text=N_("Actions", "&Move the view"), menu="view", command="window.use_hand_tool",
        shortcut="H", group=2, icon="tool-hand", checkable=True,
    ),
    Action(
        id="tool.zoom", text=N_("Actions", "&Zoom with the pointer"), menu="view",
        command="window.use_zoom_tool", shortcut="Z", group=2, icon="tool-zoom", checkable=True,
    ),
    Action(
        id="window.fullscreen", text=N_("Actions", "&Full screen"), menu="window",
        command="window.set_fullscreen", shortcut="F11", checkable=True,
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


def action(action_id: str) -> Action:
    """The action of that id; a KeyError is a defect of ours."""
    return _BY_ID[action_id]


def in_menu(menu: str) -> tuple[Action, ...]:
    """The actions of one menu in their order; a changed `group` asks for a separator."""
    return tuple(item for item in ACTIONS if item.menu == menu)


_BY_ID = {item.id: item for item in ACTIONS}
