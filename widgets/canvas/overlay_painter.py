"""The shapes of a tool over the picture: crisp on every screen, of the same strength at every zoom."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from editor.tools import overlay
from editor.tools.overlay import Shape
from widgets.canvas.ants_pen import stroke_ants
from widgets.canvas.viewport import Viewport
from widgets.canvas.wipe import paint_label

_RIM = QColor(0, 0, 0, 140)
_WHITE = QColor("#ffffff")
_ACCENT = QColor("#ff4fa0")  # what something snapped to, unlike any guide
_HANDLE_PX = 8.0
_MARGIN_PX = 12.0
_LABEL_PX = 160.0
_SWATCH_PX = 34.0
_SMALL_CURSOR_PX = 3.0


class OverlayPainter:
    """Paints shapes (document coordinates) into a view (device pixels)."""

    def __init__(self, painter: QPainter, viewport: Viewport, ratio: float, font: QFont, phase: int) -> None:
        """`phase` moves marching ants along; `ratio` is device pixels a logical pixel."""
        self._painter = painter
        self._viewport = viewport
        self._to_view = viewport.transform()
        self._ratio = ratio
        self._font = font
        self._phase = phase

    def paint(self, shapes: Sequence[Shape], *, caret_shown: bool = True) -> None:
        self._painter.save()
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        for shape in shapes:
            if caret_shown or not isinstance(shape, overlay.Caret):
                self._paint(shape)
        self._painter.restore()

    def _paint(self, shape: Shape) -> None:
        if isinstance(shape, overlay.Polyline | overlay.Box | overlay.Ellipse):
            self._stroke(self._outline(shape), ants=shape.ants)
        elif isinstance(shape, overlay.Cursor):
            self._paint_cursor(shape)
        elif isinstance(shape, overlay.Handle):
            self._paint_handle(shape)
        elif isinstance(shape, overlay.Grid):
            self._paint_grid(shape)
        elif isinstance(shape, overlay.Shade):
            self._paint_shade(shape)
        elif isinstance(shape, overlay.Label):
            self._paint_label(shape)
        elif isinstance(shape, overlay.Line):
            self._paint_line(shape)
        elif isinstance(shape, overlay.Caret):
            self._stroke(_path([shape.top, shape.bottom], self._to_view))
        elif isinstance(shape, overlay.Swatch):
            self._paint_swatch(shape)
        else:
            self._paint_picture(shape)

    def _outline(self, shape: overlay.Polyline | overlay.Box | overlay.Ellipse) -> QPainterPath:
        """A shape's line in the view; upright boxes lie on the pixels of the screen."""
        if isinstance(shape, overlay.Polyline):
            return _path(shape.points, self._to_view, closed=shape.closed)
        if isinstance(shape, overlay.Ellipse):
            return self._ellipse(shape.x, shape.y, shape.radius_x, shape.radius_y, shape.angle)
        rect = QRectF(shape.x, shape.y, shape.width, shape.height).normalized()
        if self._viewport.angle:
            return _path(_corners(rect), self._to_view, closed=True)
        path = QPainterPath()
        path.addRect(_on_pixels(self._viewport.rect_to_view(rect), self._ratio))
        return path

    def _stroke(self, path: QPainterPath, *, ants: bool = False) -> None:
        """A light line with a dark rim: seen on every picture."""
        if ants:
            stroke_ants(self._painter, path, self._ratio, self._phase)
            return
        for colour, width in ((_RIM, 3.0), (_WHITE, 1.0)):
            self._painter.setPen(QPen(colour, width * self._ratio))
            self._painter.drawPath(path)

    def _ellipse(self, x: float, y: float, radius_x: float, radius_y: float, angle: float) -> QPainterPath:
        path = QPainterPath()
        path.addEllipse(QPointF(0, 0), radius_x, radius_y)
        turned = QTransform.fromTranslate(x, y).rotate(angle)
        return (turned * self._to_view).map(path)

    def _paint_cursor(self, shape: overlay.Cursor) -> None:
        largest = max(shape.radius_x, shape.radius_y) * self._viewport.zoom
        if largest < _SMALL_CURSOR_PX * self._ratio:  # too small to be seen: a cross says where it is
            self._stroke(self._cross(self._view(shape.x, shape.y), 5.0))
            return
        path = self._ellipse(shape.x, shape.y, shape.radius_x, shape.radius_y, shape.angle)
        for colour, width in ((QColor(0, 0, 0, 170), 2.4), (QColor(255, 255, 255, 230), 1.0)):
            self._painter.setPen(QPen(colour, width * self._ratio))
            self._painter.drawPath(path)

    def _cross(self, centre: QPointF, arm: float) -> QPainterPath:
        path, arm = QPainterPath(), arm * self._ratio
        path.moveTo(centre - QPointF(arm, 0))
        path.lineTo(centre + QPointF(arm, 0))
        path.moveTo(centre - QPointF(0, arm))
        path.lineTo(centre + QPointF(0, arm))
        return path

    def _paint_handle(self, shape: overlay.Handle) -> None:
        centre, half = self._view(shape.x, shape.y), _HANDLE_PX / 2 * self._ratio
        if shape.kind == "cross":
            self._stroke(self._cross(centre, _HANDLE_PX * 0.8))
            return
        path = QPainterPath()
        box = QRectF(centre - QPointF(half, half), QSizeF(2 * half, 2 * half))
        if shape.kind == "round":
            path.addEllipse(box)
        elif shape.kind == "diamond":
            path.addPolygon(QPolygonF(box.translated(-centre)))
            path = QTransform.fromTranslate(centre.x(), centre.y()).rotate(45).map(path)
        else:
            path.addRect(_on_pixels(box, self._ratio))
        self._painter.fillPath(path, _WHITE)
        self._painter.setPen(QPen(QColor(20, 24, 28, 220), self._ratio))
        self._painter.drawPath(path)

    def _paint_grid(self, shape: overlay.Grid) -> None:
        path = QPainterPath()
        for column in range(1, shape.columns):
            x = shape.x + shape.width * column / shape.columns
            path.addPath(_path([(x, shape.y), (x, shape.y + shape.height)], self._to_view))
        for row in range(1, shape.rows):
            y = shape.y + shape.height * row / shape.rows
            path.addPath(_path([(shape.x, y), (shape.x + shape.width, y)], self._to_view))
        for colour, width in ((QColor(0, 0, 0, 60), 3.0), (QColor(255, 255, 255, 170), 1.0)):
            self._painter.setPen(QPen(colour, width * self._ratio))
            self._painter.drawPath(path)

    def _paint_shade(self, shape: overlay.Shade) -> None:
        outside = QPainterPath()
        outside.addRect(QRectF(0, 0, self._viewport.view_width, self._viewport.view_height))
        rect = QRectF(shape.x, shape.y, shape.width, shape.height).normalized()
        inside = _path(_corners(rect), self._to_view, closed=True)
        self._painter.fillPath(outside.subtracted(inside), QColor(0, 0, 0, 120))

    def _paint_label(self, shape: overlay.Label) -> None:
        self._painter.setFont(self._font)
        corner = self._view(shape.x, shape.y) + QPointF(14, -10) * self._ratio
        paint_label(self._painter, shape.text, corner, self._ratio, right=False)

    def _paint_line(self, shape: overlay.Line) -> None:
        seen = self._viewport.visible_rect()
        ends = (
            [(shape.position, seen.top()), (shape.position, seen.bottom())]
            if shape.vertical
            else [(seen.left(), shape.position), (seen.right(), shape.position)]
        )
        self._painter.setPen(QPen(_ACCENT, self._ratio))
        self._painter.drawPath(_path(ends, self._to_view))

    def _paint_swatch(self, shape: overlay.Swatch) -> None:
        """A ring around the pointer: the upper half new, the lower half old."""
        size, centre = _SWATCH_PX * self._ratio, self._view(shape.x, shape.y)
        box = QRectF(centre - QPointF(size, size), QSizeF(2 * size, 2 * size))
        for colour, width in ((_RIM, 14.0), (_WHITE, 12.0)):
            self._painter.setPen(QPen(colour, width * self._ratio))
            self._painter.drawEllipse(box)
        for colour, start in ((shape.colour, 0), (shape.old, 180)):
            pen = QPen(QColor(*colour), 9.0 * self._ratio)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            self._painter.setPen(pen)
            self._painter.drawArc(box, start * 16, 180 * 16)

    def _paint_picture(self, shape: overlay.Picture) -> None:
        size = shape.image.size()
        source = QPolygonF(QRectF(0, 0, size.width(), size.height())).toList()[:4]
        target = [self._view(x, y) for x, y in shape.corners]
        made = QTransform()
        if not QTransform.quadToQuad(QPolygonF(source), QPolygonF(target), made):  # type: ignore[call-overload]
            return
        self._painter.save()
        self._painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._painter.setTransform(made, True)
        self._painter.drawImage(0, 0, shape.image)
        self._painter.restore()

    def _view(self, x: float, y: float) -> QPointF:
        return self._viewport.to_view(QPointF(x, y))


def bounds(shapes: Sequence[Shape], viewport: Viewport, ratio: float) -> QRectF:
    """A rectangle of the view (device pixels) that holds all the shapes."""
    view = QRectF(0, 0, viewport.view_width, viewport.view_height)
    box = QRectF()
    for shape in shapes:
        if isinstance(shape, overlay.Shade | overlay.Line):
            return view
        box = box.united(_bounds(shape, viewport, ratio))
    return box & view


def _bounds(shape: Shape, viewport: Viewport, ratio: float) -> QRectF:
    margin = _MARGIN_PX * ratio
    if isinstance(shape, overlay.Ellipse | overlay.Cursor):
        radius = max(shape.radius_x, shape.radius_y)
        points = [(shape.x - radius, shape.y - radius), (shape.x + radius, shape.y + radius)]
    elif isinstance(shape, overlay.Box | overlay.Grid | overlay.Shade):
        points = [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
    elif isinstance(shape, overlay.Polyline):
        points = list(shape.points)
    elif isinstance(shape, overlay.Caret):
        points = [shape.top, shape.bottom]
    elif isinstance(shape, overlay.Picture):
        points = list(shape.corners)
    elif isinstance(shape, overlay.Line):
        return viewport.bounds()
    else:
        points = [(shape.x, shape.y)]
        margin = (_LABEL_PX * 2 if isinstance(shape, overlay.Label) else _SWATCH_PX + _MARGIN_PX) * ratio
    if not points:
        return QRectF()
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    rect = viewport.rect_to_view(QRectF(QPointF(min(xs), min(ys)), QPointF(max(xs), max(ys))))
    return rect.adjusted(-margin, -margin, margin, margin)


def _path(points: Sequence[overlay.Point], to_view: QTransform, *, closed: bool = False) -> QPainterPath:
    path = QPainterPath()
    if points:
        path.addPolygon(to_view.map(QPolygonF([QPointF(x, y) for x, y in points])))
        if closed:
            path.closeSubpath()
    return path


def _corners(rect: QRectF) -> list[overlay.Point]:
    left, top, right, bottom = rect.left(), rect.top(), rect.right(), rect.bottom()
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _on_pixels(rect: QRectF, ratio: float) -> QRectF:
    """The rectangle whose outline, `ratio` wide, covers whole pixels of the screen."""
    shift = 0.5 if round(ratio) % 2 else 0.0
    left, top = round(rect.left()) + shift, round(rect.top()) + shift
    return QRectF(left, top, round(rect.right()) + shift - left, round(rect.bottom()) + shift - top)
