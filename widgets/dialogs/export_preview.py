"""Original and exported pixels side by side, to zoom and move together."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.canvas.canvas_scene import checker_tile
from widgets.look.plain_text import set_tip
from widgets.look.theme import scaled_font, tokens_of, with_alpha

_STEPS = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_SMOOTH_BELOW = 1.0
_GRAB_PX = 7


class ExportPreview(QWidget):
    """The line between both can be dragged; `zoom` is in device pixels for one pixel of the export."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._before, self._after = QImage(), QImage()
        self._note = ""
        self._zoom: float | None = None  # None: fitted
        self._centre = QPointF(0.5, 0.5)  # of the picture, 0..1
        self._share = 0.5
        self._drag = ""
        self._last = QPointF()
        self.setMinimumSize(380, 320)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Preview: the original left, the export right"))
        set_tip(self, self.tr("Wheel: zoom. Drag: move. Drag the line: compare. Double click: 100 % or fit."))

    def sizeHint(self) -> QSize:
        return QSize(480, 400)

    def set_before(self, image: QImage) -> None:
        self._before = image
        self.update()

    def set_after(self, image: QImage) -> None:
        self._after = image
        self._note = ""
        self.update()

    def set_note(self, text: str) -> None:
        """Say over the picture why it is not there, or that it is on its way."""
        self._note = text
        self.update()

    @property
    def zoom(self) -> float:
        return self._fitting() if self._zoom is None else self._zoom

    def step_zoom(self, up: bool, at: QPointF | None = None) -> None:
        """To the next rounder zoom, keeping the pixel at `at` in its place."""
        zoom = self.zoom
        steps = [step for step in _STEPS if (step > zoom * 1.001 if up else step < zoom * 0.999)]
        if steps:
            self._zoom_to(steps[0] if up else steps[-1], at or QPointF(self.rect().center()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.angleDelta().y():
            self.step_zoom(event.angleDelta().y() > 0, event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = "line" if self._over_line(event.position()) else "picture"
            self._last = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._drag:
            over = self._over_line(event.position())
            self.setCursor(Qt.CursorShape.SplitHCursor if over else Qt.CursorShape.OpenHandCursor)
        elif self._drag == "line":
            self._share = min(max(event.position().x() / max(1, self.width()), 0.0), 1.0)
            self.update()
        else:
            target, moved = self._target(), event.position() - self._last
            self._last = event.position()
            self._move_centre(-moved.x() / target.width(), -moved.y() / target.height())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = ""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._zoom is None:
            self._zoom_to(1.0, event.position())
        else:
            self._zoom, self._centre = None, QPointF(0.5, 0.5)
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (-0.05, 0.0),
            Qt.Key.Key_Right: (0.05, 0.0),
            Qt.Key.Key_Up: (0.0, -0.05),
            Qt.Key.Key_Down: (0.0, 0.05),
        }
        key = Qt.Key(event.key())
        if key in moves:
            self._move_centre(*moves[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.step_zoom(key != Qt.Key.Key_Minus)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, painter = tokens_of(self), QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.backdrop))
        line = round(self._share * self.width())
        target = self._target()
        if not target.isEmpty():
            tile = checker_tile(tokens.checker_a, tokens.checker_b, 8)
            painter.save()
            painter.setClipRect(target)
            painter.drawTiledPixmap(self.rect(), tile)
            painter.restore()
            left = QRectF(0, 0, line, self.height())
            self._paint_image(painter, self._before, target, left)
            self._paint_image(painter, self._after, target, QRectF(self.rect()).adjusted(line, 0, 0, 0))
        painter.setPen(QPen(with_alpha("#ffffff", 0.9), 1.5))
        painter.drawLine(QPointF(line, 0), QPointF(line, self.height()))
        self._paint_label(painter, self.tr("Original"), right=False)
        self._paint_label(painter, self._note or self.tr("Export"), right=True)

    def _paint_image(self, painter: QPainter, image: QImage, target: QRectF, part: QRectF) -> None:
        if image.isNull():
            return
        smooth = self.zoom < _SMOOTH_BELOW or image.size() != self._size()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        shown = target & part
        if shown.isEmpty():
            return
        across, down = image.width() / target.width(), image.height() / target.height()
        source = QRectF(
            (shown.x() - target.x()) * across,
            (shown.y() - target.y()) * down,
            shown.width() * across,
            shown.height() * down,
        )
        painter.drawImage(shown, image, source)

    def _paint_label(self, painter: QPainter, text: str, *, right: bool) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(scaled_font(self.font(), 0.9))
        metrics = painter.fontMetrics()
        box = QRectF(0, 0, metrics.horizontalAdvance(text) + 16, metrics.height() + 8)
        box.moveBottomLeft(QPointF(10, self.height() - 10))
        if right:
            box.moveRight(self.width() - 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha("#000000", 0.6))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _size(self) -> QSize:
        return self._before.size() if self._after.isNull() else self._after.size()

    def _target(self) -> QRectF:
        """Where the whole picture lies, in the widget's own pixels."""
        scale = self.zoom / self.devicePixelRatioF()
        size = self._size()
        width, height = size.width() * scale, size.height() * scale
        left = self.width() / 2 - self._centre.x() * width
        top = self.height() / 2 - self._centre.y() * height
        return QRectF(left, top, width, height)

    def _fitting(self) -> float:
        size, ratio = self._size(), self.devicePixelRatioF()
        if size.isEmpty():
            return 1.0
        fits = min(self.width() * ratio / size.width(), self.height() * ratio / size.height())
        return min(fits, max(1.0, fits // 1))

    def _zoom_to(self, zoom: float, at: QPointF) -> None:
        target = self._target()
        if target.isEmpty():
            return
        share = QPointF((at.x() - target.x()) / target.width(), (at.y() - target.y()) / target.height())
        self._zoom = zoom
        after = self._target()
        self._move_centre(
            share.x() - (at.x() - after.x()) / after.width(),
            share.y() - (at.y() - after.y()) / after.height(),
        )

    def _move_centre(self, dx: float, dy: float) -> None:
        x, y = self._centre.x() + dx, self._centre.y() + dy
        self._centre = QPointF(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        self.update()

    def _over_line(self, point: QPointF) -> bool:
        return abs(point.x() - self._share * self.width()) <= _GRAB_PX
