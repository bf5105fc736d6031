"""The Image menu: what concerns the whole document."""

from editor.actions.table import Action
from inference.parameters import N_

IMAGE: tuple[Action, ...] = (
    Action(
        id="image.information", text=N_("Actions", "How this picture was &made"), menu="image",
        command="window.show_information", shortcut="Ctrl+I", enabled_when="document", icon="info",
    ),
)  # fmt: skip
