"""The outline of the selection, marching: traced on another thread once a zoom, and cheap to paint."""

import math

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF

from editor.layers.layer import Mask
from editor.selection import outline
from editor.system.background import Background
from inference.errors import EditorError
from widgets.canvas.ants_pen import STRIPE_PX, stroke_ants
from widgets.canvas.viewport import Viewport

_STEP_MS = 120
Lines = list[list[tuple[float, float]]]


class MarchingAnts(QObject):
    """The ants of one view. The timer runs only while something is selected, shown and looked at."""

    changed = Signal(QRectF)  # image coordinates of what looks different
    stepped = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.phase = 0
        self._mask: Mask | None = None
        self._scale = 0.0
        self._traced: tuple[Mask | None, float] = (None, 0.0)  # what the lines are of
        self._lines: list[QPolygonF] = []
        self._boxes: list[QRectF] = []
        self._path: tuple[tuple[float, ...], QPainterPath] | None = None
        self._background = Background(self)
        self._shown = self._looked_at = False
        self._timer = QTimer(self, interval=_STEP_MS)
        self._timer.timeout.connect(self._step)

    @property
    def marching(self) -> bool:
        return self._timer.isActive()

    def set_mask(self, mask: Mask | None) -> None:
        """Another selection; None is none. The outline before stays until the new one is traced."""
        self._mask = mask
        if mask is None:
            self._take([], (None, 0.0))
        else:
            self._trace()
        self._refresh()

    def set_shown(self, shown: bool) -> None:
        self._shown = shown
        self._refresh()
        self.changed.emit(self._area())

    def set_looked_at(self, looked_at: bool) -> None:
        """Whether the window is active: ants of other windows stand still."""
        self._looked_at = looked_at
        self._refresh()

    def close(self) -> None:
        """Wait for the thread; call it once, before this object goes."""
        self._mask = None
        self._timer.stop()
        self._background.wait()

    def paint(self, painter: QPainter, viewport: Viewport, ratio: float) -> None:
        if not self._shown or self._mask is None:
            return
        self._scale = min(1.0, 2.0 ** math.floor(math.log2(viewport.zoom)))
        self._trace()
        stroke_ants(painter, self._seen(viewport), ratio, self.phase)

    def _seen(self, viewport: Viewport) -> QPainterPath:
        """The lines near the view in device pixels; made anew when the view moved."""
        view = (viewport.view_width, viewport.view_height)
        key = (viewport.left, viewport.top, viewport.zoom, viewport.angle, *view)
        if self._path is None or self._path[0] != key:
            to_view, seen, path = viewport.transform(), viewport.visible_rect(), QPainterPath()
            for line, box in zip(self._lines, self._boxes):
                if box.intersects(seen):
                    path.addPolygon(_near(to_view.map(line), viewport))
                    path.closeSubpath()
            self._path = key, path
        return self._path[1]

    def _trace(self) -> None:
        """Have the outline of the present mask at the present zoom."""
        mask, scale = self._mask, self._scale or 1.0
        if mask is None or self._traced == (mask, scale) or self._background.busy:
            return

        def done(lines: Lines) -> None:
            if self._mask is not None:
                self._take(lines, (mask, scale))
                self._trace()  # another selection or zoom came meanwhile

        self._background.run(lambda: outline(mask, scale), done, self._on_failed)

    def _on_failed(self, _error: EditorError) -> None:
        self._take([], (self._mask, self._scale))

    def _take(self, lines: Lines, of: tuple[Mask | None, float]) -> None:
        before = self._area()
        self._lines = [QPolygonF([QPointF(x, y) for x, y in line]) for line in lines]
        self._boxes = [line.boundingRect() for line in self._lines]
        self._traced, self._path = of, None
        self.changed.emit(before.united(self._area()))

    def _area(self) -> QRectF:
        area = QRectF()
        for box in self._boxes:
            area = area.united(box)
        return area

    def _refresh(self) -> None:
        wanted = self._shown and self._looked_at and self._mask is not None
        if wanted != self._timer.isActive():
            self._timer.start() if wanted else self._timer.stop()

    def _step(self) -> None:
        self.phase = (self.phase + 1) % STRIPE_PX
        self.stepped.emit()
        for box in self._boxes[:64]:
            self.changed.emit(box)
        if len(self._boxes) > 64:
            self.changed.emit(self._area())


def _near(line: QPolygonF, viewport: Viewport) -> QPolygonF:
    """A line far beyond the view, cut where nobody sees it: painting it whole would take long."""
    view = QRectF(0, 0, viewport.view_width, viewport.view_height).adjusted(-64, -64, 64, 64)
    if view.contains(line.boundingRect()):
        return line
    return line.intersected(QPolygonF(view)) if line.size() < 2000 else line
