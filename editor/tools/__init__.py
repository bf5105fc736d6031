"""Tools of the canvas: one file each; this table names them."""

from editor.tools.base import PointerEvent, Tool, ToolContext, View
from editor.tools.eyedropper import Eyedropper
from editor.tools.hand import Hand, Zoom
from editor.tools.move import Move
from editor.tools.select_shape import SelectEllipse, SelectRectangle

__all__ = ["TOOLS", "PointerEvent", "Tool", "ToolContext", "View"]

TOOLS: dict[str, type[Tool]] = {
    tool.id: tool for tool in (Move, SelectRectangle, SelectEllipse, Eyedropper, Hand, Zoom)
}
"""By id, in the order of the tool bar."""
