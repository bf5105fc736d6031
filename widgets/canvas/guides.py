"""Guides over the picture: painted at any zoom, placed, moved and thrown away with the pointer."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, QRectF, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from editor import commands
from editor.commands.guides import add_guide, move_guide, remove_guide
from editor.document.document import Document
from editor.layers.state import Guide
from inference.errors import EditorError
from widgets.canvas.viewport import Viewport

_CATCH_PX = 4.0
_COLOUR = "#2fb7d6"


class Guides(QObject):
    """The guides of one document in one view; `repaint` is called when they look different."""

    failed = Signal(object)  # EditorError

    def __init__(
        self,
        document: Document,
        viewport: Viewport,
        repaint: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._viewport = viewport
        self._repaint = repaint
        self.shown = True
        self._dragged: Guide | None = None  # where it is now
        self._index: int | None = None  # which one it was; None is a new one
        document.guides_changed.connect(repaint)

    @property
    def dragging(self) -> bool:
        return self._dragged is not None or self._index is not None

    def hit(self, point: QPointF, ratio: float) -> int | None:
        """Which guide is under a point of the view (device pixels)."""
        if not self.shown:
            return None
        place, reach = self._viewport.to_image(point), _CATCH_PX * ratio / self._viewport.zoom
        for index, guide in enumerate(self._document.state.guides):
            if abs((place.x() if guide.vertical else place.y()) - guide.position) <= reach:
                return index
        return None

    def is_vertical(self, index: int) -> bool:
        return self._document.state.guides[index].vertical

    def drag(self, index: int, point: QPointF) -> None:
        """Take hold of a guide, or go on moving it."""
        guide, place = self._document.state.guides[index], self._viewport.to_image(point)
        position = float(round(place.x() if guide.vertical else place.y()))
        self._index, self._dragged = index, Guide(vertical=guide.vertical, position=position)
        self._repaint()

    def move(self, point: QPointF) -> None:
        if self._index is not None:
            self.drag(self._index, point)

    def drop(self, point: QPointF, view: QRectF) -> None:
        """Let go: inside the view it stays there, outside it is removed."""
        index, dragged = self._index, self._dragged
        self._index = self._dragged = None
        if index is None or dragged is None:
            return
        if not view.contains(point):
            commands.push(self._document, remove_guide(self._document, index))
        elif dragged.position != self._document.state.guides[index].position:
            commands.push(self._document, move_guide(self._document, index, dragged.position))
        self._repaint()

    def drag_new(self, vertical: bool, position: float | None, dropped: bool) -> None:
        """A guide that comes out of a ruler; outside the view (None) there is none."""
        self._dragged = None if position is None else Guide(vertical=vertical, position=position)
        if dropped and self._dragged is not None:
            guide, self._dragged = self._dragged, None
            try:
                commands.push(self._document, add_guide(self._document, guide))
            except EditorError as error:
                self.failed.emit(error)
        self._repaint()

    def paint(self, painter: QPainter, ratio: float) -> None:
        """Lines through the whole view, one logical pixel wide at any zoom."""
        if not self.shown:
            return
        guides = [guide for index, guide in enumerate(self._document.state.guides) if index != self._index]
        if self._dragged is not None:
            guides.append(self._dragged)
        if not guides:
            return
        painter.save()
        width = max(1, round(ratio))
        painter.setPen(QPen(QColor(_COLOUR), width))
        seen, shift = self._viewport.visible_rect(), 0.5 * (width % 2)
        for guide in guides:
            ends = (seen.top(), seen.bottom()) if guide.vertical else (seen.left(), seen.right())
            start, end = (self._on_pixel(_point(guide, along), shift) for along in ends)
            painter.drawLine(start, end)
        painter.restore()

    def _on_pixel(self, point: QPointF, shift: float) -> QPointF:
        seen = self._viewport.to_view(point)
        if self._viewport.angle:
            return seen
        return QPointF(round(seen.x()) + shift, round(seen.y()) + shift)


def _point(guide: Guide, along: float) -> QPointF:
    return QPointF(guide.position, along) if guide.vertical else QPointF(along, guide.position)
