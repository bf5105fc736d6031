"""Tools of the canvas: one file each; this table names them."""

from editor.tools.base import PointerEvent, Tool, ToolContext, View
from editor.tools.brush import Brush, Eraser
from editor.tools.clone import Clone
from editor.tools.crop import Crop, Straighten
from editor.tools.eyedropper import Eyedropper
from editor.tools.fill import Fill
from editor.tools.gradient import Gradient
from editor.tools.hand import Hand, Zoom
from editor.tools.heal import Heal
from editor.tools.lasso import Lasso, Polygon
from editor.tools.move import Move
from editor.tools.select_shape import SelectEllipse, SelectRectangle
from editor.tools.text import Text
from editor.tools.transform import Transform
from editor.tools.wand import Wand

__all__ = ["TOOLS", "PointerEvent", "Tool", "ToolContext", "View"]

_ALL: tuple[type[Tool], ...] = (
    Move,
    Transform,
    Crop,
    Straighten,
    SelectRectangle,
    SelectEllipse,
    Lasso,
    Polygon,
    Wand,
    Brush,
    Eraser,
    Fill,
    Gradient,
    Clone,
    Heal,
    Text,
    Eyedropper,
    Hand,
    Zoom,
)

TOOLS: dict[str, type[Tool]] = {tool.id: tool for tool in _ALL}
"""By id, in the order of the tool bar."""
