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
        id="view.compare", text=N_("Actions", "&Before and after"), menu="view",
        command="canvas.set_compare", shortcut="B", enabled_when="document", group=1, icon="compare",
        checkable=True,
    ),
)  # fmt: skip
