"""The View menu."""

from editor.actions.table import Action
from inference.parameters import N_

VIEW: tuple[Action, ...] = (
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
        id="view.fit_width", text=N_("Actions", "Fit &width"), menu="view", command="canvas.fit_width",
        shortcut="Ctrl+2", enabled_when="document",
    ),
    Action(
        id="view.fit_selection", text=N_("Actions", "Fit &selection"), menu="view",
        command="canvas.fit_selection", shortcut="Ctrl+3", enabled_when="selection",
    ),
    Action(
        id="view.rotate_left", text=N_("Actions", "Rotate view &left"), menu="view",
        command="canvas.rotate_left", shortcut="Ctrl+Shift+Left", enabled_when="document", group=1,
        icon="rotate-left",
    ),
    Action(
        id="view.rotate_right", text=N_("Actions", "Rotate view &right"), menu="view",
        command="canvas.rotate_right", shortcut="Ctrl+Shift+Right", enabled_when="document", group=1,
        icon="rotate-right",
    ),
    Action(
        id="view.rotate_reset", text=N_("Actions", "&Upright view"), menu="view",
        command="canvas.rotate_reset", shortcut="Ctrl+Shift+Up", enabled_when="document", group=1,
    ),
    Action(
        id="view.compare", text=N_("Actions", "&Before and after"), menu="view",
        command="canvas.set_compare", shortcut="Shift+B", enabled_when="document", group=2, icon="compare",
        checkable=True,
    ),
    Action(
        id="view.rulers", text=N_("Actions", "Rul&ers"), menu="view", command="view.set_rulers",
        shortcut="Ctrl+Shift+R", group=3, checkable=True, icon="ruler",
    ),
    Action(
        id="view.guides", text=N_("Actions", "&Guides"), menu="view", command="view.set_guides",
        shortcut="Ctrl+;", group=3, checkable=True,
    ),
    Action(
        id="view.snapping", text=N_("Actions", "S&nap to guides and edges"), menu="view",
        command="view.set_snapping", shortcut="Ctrl+Shift+;", group=3, checkable=True,
    ),
    Action(
        id="view.pixel_grid", text=N_("Actions", "&Pixel grid above 800 %"), menu="view",
        command="view.set_pixel_grid", group=3, checkable=True,
    ),
    Action(
        id="view.selection_edges", text=N_("Actions", "Selection e&dges"), menu="view",
        command="view.set_selection_edges", group=3, checkable=True,
    ),
    Action(
        id="view.clear_guides", text=N_("Actions", "Re&move all guides"), menu="view",
        command="canvas.clear_guides", enabled_when="document", group=3,
    ),
)  # fmt: skip
