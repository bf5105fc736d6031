"""How the hand moves the view: panning, turning, and moving the wipe."""

import math
from enum import Enum

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor

from widgets.canvas import wipe
from widgets.canvas.viewport import Viewport

ROTATION_STEP = 15.0
_CLICK_PX = 4.0
_SNAP_DEGREES = 2.0  # how near a quarter turn the view falls into place


class Drag(Enum):
    """What a held button does to the view."""

    NONE = ""
    PAN = "pan"
    ROTATE = "rotate"
    WIPE = "wipe"


_CURSORS = {
    Drag.PAN: Qt.CursorShape.ClosedHandCursor,
    Drag.ROTATE: Qt.CursorShape.SizeAllCursor,
    Drag.WIPE: Qt.CursorShape.SplitHCursor,
}


class Navigation:
    """One gesture at a time on a viewport; points are in device pixels of the view."""

    def __init__(self, viewport: Viewport) -> None:
        self.viewport = viewport
        self.drag = Drag.NONE
        self.share: float | None = None  # where the wipe's line goes while it is dragged
        self._start = self._last = QPointF()
        self._angle = 0.0

    def begin(self, drag: Drag, point: QPointF) -> None:
        self.drag = drag
        self._start = self._last = point
        self._angle = self.viewport.angle

    def move(self, point: QPointF) -> bool:
        """Follow the pointer; whether the view moved."""
        moved, self._last = point - self._last, point
        if self.drag is Drag.PAN:
            self.viewport.pan(moved.x(), moved.y())
        elif self.drag is Drag.ROTATE:
            turned = self._angle + _bearing(self.viewport, point) - _bearing(self.viewport, self._start)
            self.viewport.rotate_to(_settled(turned))
        elif self.drag is Drag.WIPE:
            self.share = wipe.share_at(self.viewport.to_frame(point).x(), self.viewport.target())
        return self.drag in (Drag.PAN, Drag.ROTATE)

    @property
    def clicked(self) -> bool:
        """Whether the pointer stayed where the gesture began."""
        return (self._last - self._start).manhattanLength() < _CLICK_PX

    def end(self) -> None:
        """Let go."""
        self.drag, self.share = Drag.NONE, None

    def cursor(self) -> QCursor | None:
        shape = _CURSORS.get(self.drag)
        return QCursor(shape) if shape is not None else None


def _bearing(viewport: Viewport, point: QPointF) -> float:
    """The direction of a point seen from the middle of the view, in degrees."""
    return math.degrees(math.atan2(point.y() - viewport.view_height / 2, point.x() - viewport.view_width / 2))


def _settled(angle: float) -> float:
    quarter = round(angle / 90.0) * 90.0
    return quarter if abs(angle - quarter) < _SNAP_DEGREES else angle
