"""Every command of the window as data: menus, shortcuts, the toolbar and the tests read this table.

One file for each menu. `command` is "<controller>.<method>". The controllers are "window" (`WindowCommands`),
"canvas" (the current canvas), "view" (`ViewOptions`), "application" (`Application`) and what it owns:
"layers", "masks", "clipboard", "image", "selection", "filters", "tools", "sessions", "refinement" and
"older_states". The method takes the action's `argument` if it has one; a checkable action's method takes its
new state as well. `enabled_when` names a condition that `Application.holds` answers.
"""

from editor.actions.edit import EDIT
from editor.actions.file import FILE
from editor.actions.filters import FILTERS
from editor.actions.generate import GENERATE
from editor.actions.help import HELP
from editor.actions.image import IMAGE
from editor.actions.layer import LAYER
from editor.actions.select import SELECT
from editor.actions.table import Action
from editor.actions.tools import TOOLS
from editor.actions.view import VIEW
from editor.actions.window import WINDOW
from inference.parameters import N_

__all__ = ["ACTIONS", "CONTROLLERS", "MENUS", "Action", "action", "in_menu"]

CONTROLLERS = (
    "application", "window", "canvas", "view", "layers", "masks", "image", "selection", "filters",
    "tools", "sessions", "refinement", "clipboard", "older_states",
)  # fmt: skip

MENUS: tuple[tuple[str, str], ...] = (
    ("file", N_("Actions", "&File")),
    ("edit", N_("Actions", "&Edit")),
    ("image", N_("Actions", "&Image")),
    ("layer", N_("Actions", "&Layer")),
    ("select", N_("Actions", "&Select")),
    ("filter", N_("Actions", "F&ilter")),
    ("generate", N_("Actions", "&Generate")),
    ("view", N_("Actions", "&View")),
    ("tools", N_("Actions", "&Tools")),
    ("window", N_("Actions", "&Window")),
    ("help", N_("Actions", "&Help")),
)

ACTIONS: tuple[Action, ...] = (
    *FILE, *EDIT, *IMAGE, *LAYER, *SELECT, *FILTERS, *GENERATE, *VIEW, *TOOLS, *WINDOW, *HELP,
)  # fmt: skip


def action(action_id: str) -> Action:
    """The action of that id; a KeyError is a defect of ours."""
    return _BY_ID[action_id]


def in_menu(menu: str) -> tuple[Action, ...]:
    """The actions of one menu in their order; a changed `group` asks for a separator."""
    return tuple(item for item in ACTIONS if item.menu == menu)


_BY_ID = {item.id: item for item in ACTIONS}
