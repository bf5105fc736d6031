"""What one row of the table of actions is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Action:
    """One command of the window.

    Args:
        id: stable key in settings and tests, such as "file.open".
        text: what the menu shows, translation context "Actions"; an ellipsis where something is still asked.
        menu: the menu it stands in; `group` starts anew where a separator is drawn.
        command: "<controller>.<method>"; `argument`, if any, is what the method is called with.
        shortcut: portable text for QKeySequence, several separated by "; ", "" for none.
        enabled_when: a condition of `editor.controllers.conditions`.
        icon: name of an SVG in resources/icons, or "".
        submenu: text of the submenu it stands in, or "".
    """

    id: str
    text: str
    menu: str
    command: str
    argument: str = ""
    shortcut: str = ""
    enabled_when: str = "always"
    group: int = 0
    icon: str = ""
    checkable: bool = False
    tip: str = ""
    submenu: str = ""
