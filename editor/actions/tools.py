"""The Tools menu."""

from editor.actions.table import Action
from inference.parameters import N_

TOOLS: tuple[Action, ...] = (
    Action(
        id="tool.subject", text=N_("Actions", "Point at &subjects"), menu="tools",
        command="window.use_subject_tool", shortcut="S", icon="tool-subject", checkable=True,
    ),
    Action(
        id="tool.hand", text=N_("Actions", "&Move the view"), menu="tools", command="window.use_hand_tool",
        shortcut="H", icon="tool-hand", checkable=True,
    ),
    Action(
        id="tool.zoom", text=N_("Actions", "&Zoom with the pointer"), menu="tools",
        command="window.use_zoom_tool", shortcut="Z", icon="tool-zoom", checkable=True,
    ),
)  # fmt: skip
