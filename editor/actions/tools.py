"""The Tools menu: every tool of the canvas, and what is done to the one in hand."""

from editor.actions.table import Action
from editor.tools import TOOLS as KNOWN
from inference.parameters import N_


def _tool(tool_id: str, text: str, shortcut: str, icon: str, group: int) -> Action:
    return Action(
        id=f"tool.{tool_id}", text=text, menu="tools", command="tools.use", argument=tool_id,
        shortcut=shortcut, icon=icon, group=group, checkable=True,
    )  # fmt: skip


_ALL: tuple[Action, ...] = (
    _tool("move", N_("Actions", "&Move"), "V", "tool-move", 0),
    _tool("transform", N_("Actions", "&Transform"), "Ctrl+T", "tool-transform", 0),
    _tool("crop", N_("Actions", "&Crop"), "C", "tool-crop", 0),
    _tool("straighten", N_("Actions", "Strai&ghten"), "Shift+C", "tool-straighten", 0),
    _tool("select-rectangle", N_("Actions", "Select &rectangle"), "M", "tool-select-rectangle", 1),
    _tool("select-ellipse", N_("Actions", "Select ellip&se"), "Shift+M", "tool-select-ellipse", 1),
    _tool("lasso", N_("Actions", "&Lasso"), "L", "tool-lasso", 1),
    _tool("polygon", N_("Actions", "Select &polygon"), "Shift+L", "tool-polygon", 1),
    _tool("wand", N_("Actions", "Magic &wand"), "W", "tool-wand", 1),
    _tool("brush", N_("Actions", "&Brush"), "B", "tool-brush", 2),
    _tool("eraser", N_("Actions", "&Eraser"), "E", "tool-eraser", 2),
    _tool("fill", N_("Actions", "&Fill"), "G", "tool-fill", 2),
    _tool("gradient", N_("Actions", "Gr&adient"), "Shift+G", "tool-gradient", 2),
    _tool("clone", N_("Actions", "Clo&ne stamp"), "K", "tool-clone", 2),
    _tool("heal", N_("Actions", "&Healing brush"), "J", "tool-heal", 2),
    _tool("text", N_("Actions", "Te&xt"), "T", "tool-text", 3),
    _tool("eyedropper", N_("Actions", "Eye&dropper"), "I", "tool-eyedropper", 3),
    _tool("subject", N_("Actions", "Point at s&ubjects"), "S", "tool-subject", 3),
    _tool("hand", N_("Actions", "M&ove the view"), "H", "tool-hand", 4),
    _tool("zoom", N_("Actions", "&Zoom with the pointer"), "Z", "tool-zoom", 4),
    Action(
        id="colours.swap", text=N_("Actions", "Swap the two colours"), menu="tools",
        command="tools.swap_colours", shortcut="X", icon="swap", group=5,
    ),
    Action(
        id="colours.reset", text=N_("Actions", "Black and white"), menu="tools",
        command="tools.reset_colours", shortcut="D", group=5,
    ),
    Action(
        id="tool.larger", text=N_("Actions", "Larger brush"), menu="tools", command="tools.larger",
        shortcut="]", group=6,
    ),
    Action(
        id="tool.smaller", text=N_("Actions", "Smaller brush"), menu="tools", command="tools.smaller",
        shortcut="[", group=6,
    ),
    Action(
        id="tool.harder", text=N_("Actions", "Harder brush"), menu="tools", command="tools.harder",
        shortcut="Shift+]; }", group=6,
    ),
    Action(
        id="tool.softer", text=N_("Actions", "Softer brush"), menu="tools", command="tools.softer",
        shortcut="Shift+[; {", group=6,
    ),
)  # fmt: skip

TOOLS = tuple(
    item
    for item in _ALL
    if item.command != "tools.use" or item.argument in KNOWN or item.argument == "subject"
)
"""Those of the tools that there are; the view itself points at subjects."""
