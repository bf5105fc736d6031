"""The picture on screen: zoom, pan, before/after wipe, subject highlight and previews. Knows no document."""

from enum import Enum

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets import wipe
from widgets.canvas_scene import Look, Scene, paint, spotlight
from widgets.pyramid import Pyramid
from widgets.theme import scaled_font, tokens_of
from widgets.viewport import Viewport


class Tool(Enum):
    """What the left button does on the canvas."""

    SUBJECT = "subject"
    HAND = "hand"
    ZOOM = "zoom"


class Canvas(QWidget):
    """Shows one picture. Points in signals are image coordinates."""

    zoom_changed = Signal(float)
    cursor_moved = Signal(object)  # QPoint inside the picture, or None
    hovered = Signal(object)  # QPointF with the subject tool, or None
    clicked = Signal(QPointF)
    wipe_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport = Viewport()
        self._scene = Scene()
        self._tool = Tool.SUBJECT
        self._space = False
        self._drag: str = ""
        self._last = QPointF()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAccessibleName(self.tr("Picture"))

    # what is shown

    def set_image(self, image: QImage) -> None:
        """Show another picture; zoom and pan stay unless the size differs and the view is fitted."""
        self._scene.picture.set_image(image)
        zoom = self.viewport.zoom
        self.viewport.resize_image(image.width(), image.height())
        if zoom != self.viewport.zoom:
            self.zoom_changed.emit(self.viewport.zoom)
        self.update()

    def patch_image(self, image: QImage, at: QPoint) -> None:
        """Replace one rectangle of the picture and repaint only that."""
        self._scene.picture.patch(image, at)
        self.update_image_rect(QRect(at, image.size()))

    @property
    def image_size(self) -> tuple[int, int]:
        return self._scene.picture.size

    def set_before(self, image: QImage | None) -> None:
        """The picture on the wipe's left side, and what holding the backslash key shows."""
        self._scene.before = Pyramid(image) if image is not None else None
        self.update()

    def set_preview(self, image: QImage | None) -> None:
        """What a running job shows so far, stretched over the picture; None shows the picture again."""
        self._scene.preview = QPixmap.fromImage(image) if image is not None else None
        self.update()

    def set_heat(self, mask: QImage | None, colour: QColor | None = None) -> None:
        """Put a spotlight in `colour` on where the greyscale `mask` is bright; None takes it away."""
        self._scene.heat = spotlight(mask, colour) if mask is not None and colour is not None else None
        self.update()

    def update_image_rect(self, rect: QRect) -> None:
        """Repaint the part of the view that shows these image pixels."""
        seen = self.viewport.rect_to_view(QRectF(rect)).adjusted(-2, -2, 2, 2)
        self.update(self._logical(seen).toAlignedRect())

    # tools and view commands

    @property
    def tool(self) -> Tool:
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        self._tool = tool
        self.hovered.emit(None)
        self._refresh_cursor()

    def zoom_in(self) -> None:
        self.viewport.step_zoom(1)
        self._on_view_moved()

    def zoom_out(self) -> None:
        self.viewport.step_zoom(-1)
        self._on_view_moved()

    def zoom_fit(self) -> None:
        self.viewport.fit()
        self._on_view_moved()

    def zoom_actual(self) -> None:
        self.viewport.zoom_to(1.0)
        self._on_view_moved()

    @property
    def wipe_share(self) -> float | None:
        """Which share of the picture shows the state before; None while not comparing."""
        return self._scene.wipe_share

    def set_wipe(self, share: float | None) -> None:
        """Put the wipe's line at a share (0..1) of the picture, or take it away."""
        was = self._scene.wipe_share is not None
        self._scene.wipe_share = None if share is None else min(1.0, max(0.0, share))
        self.update()
        if was != (share is not None):
            self.wipe_changed.emit(share is not None)

    def set_wipe_shown(self, shown: bool) -> None:
        """Start comparing in the middle, or stop."""
        if shown != (self._scene.wipe_share is not None):
            self.set_wipe(0.5 if shown else None)

    def hold_original(self, held: bool) -> None:
        """Show the state before as long as `held`."""
        self._scene.original_held = held and self._scene.before is not None
        self.update()

    # events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_view_size()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._fit_view_size()
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.viewport.zoom_to(self.viewport.zoom * (1 + event.value()), self._device(event.position()))
            self._on_view_moved()
            return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        angle, modifiers = event.angleDelta(), event.modifiers()
        turn = angle.y() or angle.x()
        pixels = event.pixelDelta()
        if not pixels.isNull() and not modifiers & Qt.KeyboardModifier.ControlModifier:
            self.viewport.pan(pixels.x() * self._ratio(), pixels.y() * self._ratio())
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.viewport.pan(turn * self._ratio() / 2, 0)
        elif modifiers & Qt.KeyboardModifier.AltModifier:
            self.viewport.pan(0, turn * self._ratio() / 2)
        else:
            self.viewport.zoom_to(self.viewport.zoom * 1.2 ** (turn / 120), self._device(event.position()))
        self._on_view_moved()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._last = event.position()
        point = self._device(event.position())
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._drag = "pan"
        elif left and self._wipe_hit(point):
            self._drag = "wipe"
        elif left and self._tool is Tool.HAND:
            self._drag = "pan"
        elif left and self._tool is Tool.ZOOM:
            out = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self.viewport.step_zoom(-1 if out else 1, point)
            self._on_view_moved()
        elif left and self._contains(point):
            self.clicked.emit(self.viewport.to_image(point))
        self._refresh_cursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = self._device(event.position())
        if self._drag == "pan":
            moved = event.position() - self._last
            self.viewport.pan(moved.x() * self._ratio(), moved.y() * self._ratio())
            self._on_view_moved()
        elif self._drag == "wipe":
            self.set_wipe(wipe.share_at(point.x(), self.viewport.target()))
        self._last = event.position()
        self._tell_cursor(point)
        self._refresh_cursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = ""
        self._refresh_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        self.cursor_moved.emit(None)
        self.hovered.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._space = True
            self._refresh_cursor()
        elif event.key() == Qt.Key.Key_Backslash and not event.isAutoRepeat():
            self.hold_original(True)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._on_arrow(event)
        elif event.key() == Qt.Key.Key_Escape and self._scene.wipe_share is not None:
            self.set_wipe(None)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self._space = False
            self._refresh_cursor()
        elif event.key() == Qt.Key.Key_Backslash:
            self.hold_original(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space = False
        self.hold_original(False)
        super().focusOutEvent(event)

    def _on_arrow(self, event: QKeyEvent) -> None:
        far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        sign = 1 if event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down) else -1
        horizontal = event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right)
        if horizontal and self._scene.wipe_share is not None:
            self.set_wipe(self._scene.wipe_share + sign * (0.1 if far else 0.01))
            return
        distance = -sign * (200 if far else 40) * self._ratio()
        self.viewport.pan(distance if horizontal else 0, 0 if horizontal else distance)
        self._on_view_moved()

    def _on_view_moved(self) -> None:
        self.zoom_changed.emit(self.viewport.zoom)
        self.update()

    def _fit_view_size(self) -> None:
        self.viewport.resize_view(self.width() * self._ratio(), self.height() * self._ratio())
        self.zoom_changed.emit(self.viewport.zoom)

    def _tell_cursor(self, point: QPointF) -> None:
        inside = self._contains(point)
        where = self.viewport.to_image(point)
        self.cursor_moved.emit(QPoint(int(where.x()), int(where.y())) if inside else None)
        if self._tool is Tool.SUBJECT and not self._drag:
            self.hovered.emit(where if inside else None)

    def _refresh_cursor(self) -> None:
        shape = {Tool.SUBJECT: Qt.CursorShape.ArrowCursor, Tool.HAND: Qt.CursorShape.OpenHandCursor,
                 Tool.ZOOM: Qt.CursorShape.CrossCursor}[self._tool]  # fmt: skip
        if self._drag == "pan":
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._drag == "wipe" or self._wipe_hit(self._device(self._last)):
            shape = Qt.CursorShape.SplitHCursor
        self.setCursor(shape)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self._ratio()
        painter = QPainter(self)
        painter.scale(1 / ratio, 1 / ratio)
        exposed = QRectF(event.rect())
        exposed = QRectF(
            exposed.x() * ratio, exposed.y() * ratio, exposed.width() * ratio, exposed.height() * ratio
        )
        look = Look(
            ratio=ratio,
            tokens=tokens_of(self),
            font=scaled_font(self.font(), ratio),
            words=(self.tr("before"), self.tr("after")),
            focused=self.hasFocus(),
        )
        paint(painter, self._scene, self.viewport, exposed, look)

    # coordinates

    def _ratio(self) -> float:
        return self.devicePixelRatioF()

    def _device(self, point: QPointF) -> QPointF:
        return point * self._ratio()

    def _logical(self, rect: QRectF) -> QRectF:
        ratio = self._ratio()
        return QRectF(rect.x() / ratio, rect.y() / ratio, rect.width() / ratio, rect.height() / ratio)

    def _contains(self, point: QPointF) -> bool:
        return not self._scene.picture.is_empty and self.viewport.target().contains(point)

    def _wipe_hit(self, point: QPointF) -> bool:
        if self._scene.wipe_share is None:
            return False
        return wipe.is_hit(point, self.viewport.target(), self._scene.wipe_share, self._ratio())
