"""The pointer's shape for each tool."""

from functools import cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QCursor, QPainter, QPixmap

from widgets.look.icons import icon

_SHAPES = {
    "arrow": Qt.CursorShape.ArrowCursor,
    "cross": Qt.CursorShape.CrossCursor,
    "hand": Qt.CursorShape.OpenHandCursor,
    "grab": Qt.CursorShape.ClosedHandCursor,
    "move": Qt.CursorShape.SizeAllCursor,
    "text": Qt.CursorShape.IBeamCursor,
    "none": Qt.CursorShape.BlankCursor,
}
_PICTURES = {"zoom-in": ("zoom-in", 10, 10), "zoom-out": ("zoom-out", 10, 10),
             "dropper": ("tool-eyedropper", 4, 20)}  # fmt: skip
_SIZE_PX = 24


def tool_cursor(name: str, ratio: float) -> QCursor:
    """The cursor that a tool names; an arrow for names that nobody knows."""
    if name in _PICTURES:
        return _drawn(name, ratio)
    return QCursor(_SHAPES.get(name, Qt.CursorShape.ArrowCursor))


@cache
def _drawn(name: str, ratio: float) -> QCursor:
    """An icon with a dark rim, so that it is seen on every picture."""
    picture, hot_x, hot_y = _PICTURES[name]
    made = QPixmap(round(_SIZE_PX * ratio), round(_SIZE_PX * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(QColor(0, 0, 0, 0))
    painter = QPainter(made)
    dark = icon(picture, "#000000", "#000000", _SIZE_PX).pixmap(_SIZE_PX, _SIZE_PX)
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawPixmap(QPointF(dx, dy), dark)
    painter.drawPixmap(0, 0, icon(picture, "#ffffff", "#ffffff", _SIZE_PX).pixmap(_SIZE_PX, _SIZE_PX))
    painter.end()
    return QCursor(made, hot_x, hot_y)
