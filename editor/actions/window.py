"""The Window menu; the panels add themselves."""

from editor.actions.table import Action
from inference.parameters import N_

WINDOW: tuple[Action, ...] = (
    Action(
        id="window.fullscreen", text=N_("Actions", "&Full screen"), menu="window",
        command="window.set_fullscreen", shortcut="F11", checkable=True,
    ),
)  # fmt: skip
