"""The picture on screen: zoom, pan, rotation, wipe, highlight and previews. Knows no document."""

from typing import Protocol

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QEnterEvent,
    QFocusEvent,
    QHideEvent,
    QImage,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QRegion,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QSizePolicy, QWidget

from widgets.canvas import wipe
from widgets.canvas.canvas_scene import Look, Scene, paint, spotlight
from widgets.canvas.held_space import HeldSpace
from widgets.canvas.navigation import ROTATION_STEP, Drag, Navigation
from widgets.canvas.tile_picture import TilePicture
from widgets.canvas.viewport import Viewport
from widgets.look.theme import scaled_font, tokens_of

SUBJECT = "subject"
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class PointerInput(Protocol):
    """Takes what the view itself has no use for. Points are in device pixels of the view."""

    def press(self, event: QMouseEvent | QTabletEvent, point: QPointF) -> bool: ...
    def move(self, event: QMouseEvent | QTabletEvent, point: QPointF) -> None: ...
    def release(self, event: QMouseEvent | QTabletEvent, point: QPointF) -> None: ...
    def double_click(self, event: QMouseEvent, point: QPointF) -> bool: ...
    def leave(self) -> None: ...
    def key_press(self, event: QKeyEvent) -> bool: ...
    def key_release(self, event: QKeyEvent) -> bool: ...
    def wants_key(self, event: QKeyEvent) -> bool: ...
    def input_method(self, event: QInputMethodEvent) -> bool: ...
    def input_query(self, query: Qt.InputMethodQuery) -> object: ...
    def cursor(self) -> QCursor | None: ...


class Canvas(QWidget):
    """Shows one picture. Points in signals are image coordinates."""

    zoom_changed = Signal(float)
    view_moved = Signal()  # zoom, place, rotation or size of the view
    cursor_moved = Signal(object)  # QPoint inside the picture, or None
    pointed = Signal(object)  # QPointF wherever the pointer is, or None when it left
    hovered = Signal(object)  # QPointF with the subject tool, or None
    clicked = Signal(QPointF)
    wipe_changed = Signal(bool)
    wipe_menu_requested = Signal(QPoint)  # the handle was clicked; where on the screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport = Viewport()
        self.navigation = Navigation(self.viewport)
        self.input: PointerInput | None = None
        self._scene = Scene()
        self.wipe_words = self.tr("before"), self.tr("after")
        self._tool = SUBJECT
        self._held: set[Qt.Key] = set()
        self._last = QPointF()
        self._was_painted = False
        self._window_size = QSize()
        self._space = HeldSpace(self)
        self._space.changed.connect(self._on_space)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAccessibleName(self.tr("Picture"))

    # what is shown

    def set_picture(self, picture: TilePicture) -> None:
        """Show another picture; zoom and pan stay unless the size differs and the view is fitted."""
        old = self._scene.picture
        if old is not None and old is not picture:
            old.changed.disconnect(self.update_image_rect)
        if old is not picture:
            picture.changed.connect(self.update_image_rect)
        self._scene.picture = picture
        self.viewport.resize_image(*picture.size)
        self.on_view_moved()

    @property
    def image_size(self) -> tuple[int, int]:
        return self._scene.picture.size if self._scene.picture is not None else (0, 0)

    def set_before(self, picture: TilePicture | None) -> None:
        """The picture on the wipe's left side, and what holding the backslash key shows."""
        old, self._scene.before = self._scene.before, picture
        if old is not picture:
            if old is not None:
                old.changed.disconnect(self.update_image_rect)
            if picture is not None:
                picture.changed.connect(self.update_image_rect)
        if picture is not None:
            picture.look_at(self.viewport)
        self.update()

    def set_preview(self, image: QImage | None) -> None:
        """What a running job shows so far, stretched over the picture; None shows the picture again."""
        self._scene.preview = QPixmap.fromImage(image) if image is not None else None
        self.update()

    def set_heat(self, mask: QImage | None, colour: QColor | None = None) -> None:
        """Put a spotlight in `colour` on where the greyscale `mask` is bright; None takes it away."""
        self._scene.heat = spotlight(mask, colour) if mask is not None and colour is not None else None
        self.update()

    def set_pixel_grid(self, shown: bool) -> None:
        """Whether lines part the pixels above 800 %."""
        self._scene.pixel_grid = shown
        self.update()

    def update_image_rect(self, rect: QRectF) -> None:
        """Repaint the part of the view that shows this rectangle of the picture."""
        self.update_view_rect(self.viewport.rect_to_view(rect).adjusted(-2, -2, 2, 2))

    def update_view_rect(self, rect: QRectF) -> None:
        """Repaint a rectangle given in device pixels."""
        ratio = self.ratio
        logical = QRectF(rect.x() / ratio, rect.y() / ratio, rect.width() / ratio, rect.height() / ratio)
        self.update(logical.toAlignedRect() & self.rect())

    # tools and view commands

    @property
    def tool(self) -> str:
        return self._tool

    def set_tool(self, tool: str) -> None:
        """What the left button does: "subject" points at subjects, others are `input`'s."""
        self._tool = tool
        self.hovered.emit(None)
        self.refresh_cursor()

    def zoom_in(self) -> None:
        self.viewport.step_zoom(1)
        self.on_view_moved()

    def zoom_out(self) -> None:
        self.viewport.step_zoom(-1)
        self.on_view_moved()

    def zoom_fit(self) -> None:
        self.viewport.fit()
        self.on_view_moved()

    def zoom_width(self) -> None:
        self.viewport.fit_width()
        self.on_view_moved()

    def zoom_rect(self, rect: QRectF) -> None:
        """Fill the view with a rectangle of the picture."""
        self.viewport.show_rect(rect)
        self.on_view_moved()

    def zoom_to(self, zoom: float) -> None:
        """Show one pixel of the picture as `zoom` of the screen's, around the view's middle."""
        self.viewport.zoom_to(zoom)
        self.on_view_moved()

    def zoom_actual(self) -> None:
        self.viewport.zoom_to(1.0)
        self.on_view_moved()

    def rotate_left(self) -> None:
        self._rotate_to(self.viewport.angle - ROTATION_STEP)

    def rotate_right(self) -> None:
        self._rotate_to(self.viewport.angle + ROTATION_STEP)

    def rotate_reset(self) -> None:
        self._rotate_to(0.0)

    def _rotate_to(self, angle: float) -> None:
        self.viewport.rotate_to(angle)
        self.on_view_moved()

    def scroll_to(self, left: float, top: float) -> None:
        """Put the corner of the picture's bounds at a point of the view (device pixels)."""
        bounds = self.viewport.bounds()
        self.viewport.pan(left - bounds.x(), top - bounds.y())
        self.on_view_moved()

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
        elif self._on_touch(event):
            return True
        elif event.type() == QEvent.Type.ShortcutOverride and self.input is not None:
            assert isinstance(event, QKeyEvent), "Qt sends it so"
            if self.input.wants_key(event):
                event.accept()  # a key that the running tool needs is no shortcut now
                return True
        return super().event(event)

    def _on_touch(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            return self._on_native_gesture(event)
        return isinstance(event, QGestureEvent) and self._on_gesture(event)

    def _on_native_gesture(self, event: QNativeGestureEvent) -> bool:
        point = self.device(event.position())
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.viewport.zoom_to(self.viewport.zoom * (1 + event.value()), point)
        elif event.gestureType() == Qt.NativeGestureType.RotateNativeGesture:
            self.viewport.rotate_to(self.viewport.angle + event.value(), point)
        else:
            return False
        self.on_view_moved()
        return True

    def _on_gesture(self, event: QGestureEvent) -> bool:
        pinch = event.gesture(Qt.GestureType.PinchGesture)
        if not isinstance(pinch, QPinchGesture):
            return False
        centre = self.device(QPointF(self.mapFromGlobal(pinch.centerPoint().toPoint())))
        moved = (pinch.centerPoint() - pinch.lastCenterPoint()) * self.ratio
        self.viewport.pan(moved.x(), moved.y())
        self.viewport.zoom_to(self.viewport.zoom * pinch.scaleFactor(), centre)
        turned = pinch.rotationAngle() - pinch.lastRotationAngle()
        if turned:
            self.viewport.rotate_to(self.viewport.angle + turned, centre)
        self.on_view_moved()
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        angle, modifiers = event.angleDelta(), event.modifiers()
        turn = angle.y() or angle.x()
        pixels = event.pixelDelta()
        if not pixels.isNull() and not modifiers & Qt.KeyboardModifier.ControlModifier:
            self.viewport.pan(pixels.x() * self.ratio, pixels.y() * self.ratio)
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.viewport.pan(turn * self.ratio / 2, 0)
        elif modifiers & Qt.KeyboardModifier.AltModifier:
            self.viewport.pan(0, turn * self.ratio / 2)
        else:
            self.viewport.zoom_to(self.viewport.zoom * 1.2 ** (turn / 120), self.device(event.position()))
        self.on_view_moved()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._press(event, event.button())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self.input is not None and self.input.double_click(event, self.device(event.position())):
            return
        self._press(event, event.button())

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen is a pointer with pressure; accepting keeps Qt from making a mouse event of it."""
        if event.type() == QEvent.Type.TabletPress:
            self._press(event, event.button())
        elif event.type() == QEvent.Type.TabletMove:
            self._move(event)
        elif event.type() == QEvent.Type.TabletRelease:
            self._release(event)
        event.accept()

    def _press(self, event: QMouseEvent | QTabletEvent, button: Qt.MouseButton) -> None:
        self._last = event.position()
        point = self.device(event.position())
        drag = self._drag_for(event, button, point)
        if drag is not Drag.NONE:
            self.navigation.begin(drag, point)
        elif self.input is not None and self.input.press(event, point):
            pass
        elif button == Qt.MouseButton.LeftButton and self.contains(point):
            self.clicked.emit(self.viewport.to_image(point))
        self.refresh_cursor()

    def _drag_for(self, event: QMouseEvent | QTabletEvent, button: Qt.MouseButton, point: QPointF) -> Drag:
        """Whether a press moves the view instead of using a tool."""
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if button == Qt.MouseButton.MiddleButton:
            return Drag.ROTATE if shift else Drag.PAN
        if button != Qt.MouseButton.LeftButton:
            return Drag.NONE
        if Qt.Key.Key_R in self._held or (self.space_held and shift):
            return Drag.ROTATE
        if self.space_held:
            return Drag.PAN
        return Drag.WIPE if self.wipe_hit(point) else Drag.NONE

    def _move(self, event: QMouseEvent | QTabletEvent) -> None:
        point = self.device(event.position())
        self._last = event.position()
        if self.navigation.drag is not Drag.NONE:
            if self.navigation.move(point):
                self.on_view_moved()
            if self.navigation.share is not None:
                self.set_wipe(self.navigation.share)
        elif self.input is not None:
            self.input.move(event, point)
        self._tell_cursor(point)
        self.refresh_cursor()

    def _release(self, event: QMouseEvent | QTabletEvent) -> None:
        point = self.device(event.position())
        if self.navigation.drag is not Drag.NONE:
            if self.navigation.drag is Drag.WIPE and self.navigation.clicked:
                self.wipe_menu_requested.emit(event.globalPosition().toPoint())
            self.navigation.end()
        elif self.input is not None:
            self.input.release(event, point)
        self.refresh_cursor()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._space.enter()
        super().enterEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._space.stop()
        super().hideEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._space.leave()
        self.cursor_moved.emit(None)
        self.pointed.emit(None)
        self.hovered.emit(None)
        if self.input is not None:
            self.input.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self.input is not None and self.input.key_press(event):
            pass
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_R):
            self._held.add(key)
        elif key == Qt.Key.Key_Backslash and not event.isAutoRepeat():
            self.hold_original(True)
        elif key in _ARROWS:
            self._on_arrow(event)
        elif key == Qt.Key.Key_Escape and self._scene.wipe_share is not None:
            self.set_wipe(None)
        else:
            super().keyPressEvent(event)
        self.refresh_cursor()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        key = Qt.Key(event.key())
        self._held.discard(key)
        if key == Qt.Key.Key_Backslash:
            self.hold_original(False)
        elif self.input is None or not self.input.key_release(event):
            super().keyReleaseEvent(event)
        self.refresh_cursor()

    def _on_space(self, held: bool) -> None:
        """Space is pressed or let go while something else has the focus."""
        (self._held.add if held else self._held.discard)(Qt.Key.Key_Space)
        self.refresh_cursor()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        if self.input is None or not self.input.input_method(event):
            super().inputMethodEvent(event)

    def inputMethodQuery(self, query: Qt.InputMethodQuery) -> object:
        answer = self.input.input_query(query) if self.input is not None else None
        return super().inputMethodQuery(query) if answer is None else answer

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._held.clear()
        self.hold_original(False)
        super().focusOutEvent(event)

    def _on_arrow(self, event: QKeyEvent) -> None:
        far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        sign = 1 if event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down) else -1
        horizontal = event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right)
        if horizontal and self._scene.wipe_share is not None:
            self.set_wipe(self._scene.wipe_share + sign * (0.1 if far else 0.01))
            return
        distance = -sign * (200 if far else 40) * self.ratio
        self.viewport.pan(distance if horizontal else 0, 0 if horizontal else distance)
        self.on_view_moved()

    def on_view_moved(self) -> None:
        """Ask for what is seen now and repaint it."""
        if self._scene.picture is not None:
            self._scene.picture.look_at(self.viewport)
        self.zoom_changed.emit(self.viewport.zoom)
        self.view_moved.emit()
        self.update()

    def _fit_view_size(self) -> None:
        width, height, window = self.width() * self.ratio, self.height() * self.ratio, self.window().size()
        by_panels = self._was_painted and window == self._window_size and width == self.viewport.view_width
        self._window_size = window
        self.viewport.resize_view(width, height, by_panels=by_panels)
        self.on_view_moved()

    def _tell_cursor(self, point: QPointF) -> None:
        inside = self.contains(point)
        where = self.viewport.to_image(point)
        self.pointed.emit(where)
        self.cursor_moved.emit(QPoint(int(where.x()), int(where.y())) if inside else None)
        if self._tool == SUBJECT and self.navigation.drag is Drag.NONE:
            self.hovered.emit(where if inside else None)

    def refresh_cursor(self) -> None:
        self.setCursor(self._cursor())

    def _cursor(self) -> QCursor | Qt.CursorShape:
        dragging = self.navigation.cursor()
        if dragging is not None:
            return dragging
        if self.space_held:
            return Qt.CursorShape.OpenHandCursor
        if Qt.Key.Key_R in self._held:
            return Qt.CursorShape.SizeAllCursor
        if self.wipe_hit(self.device(self._last)):
            return Qt.CursorShape.SplitHCursor
        own = self.input.cursor() if self.input is not None else None
        return Qt.CursorShape.ArrowCursor if own is None else own

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.ratio
        self._was_painted = True
        painter = QPainter(self)
        painter.setClipRegion(event.region() if isinstance(event.region(), QRegion) else event.rect())
        painter.scale(1 / ratio, 1 / ratio)
        rect = QRectF(event.rect())
        exposed = QRectF(rect.x() * ratio, rect.y() * ratio, rect.width() * ratio, rect.height() * ratio)
        look = Look(
            ratio=ratio,
            tokens=tokens_of(self),
            font=scaled_font(self.font(), ratio),
            words=self.wipe_words,
            focused=self.hasFocus(),
        )
        paint(painter, self._scene, self.viewport, exposed, look)
        self.paint_over(painter, exposed)

    def paint_over(self, painter: QPainter, exposed: QRectF) -> None:
        """Paint what lies over the picture, in device pixels of the view."""

    # coordinates

    @property
    def ratio(self) -> float:
        """Device pixels of one logical pixel."""
        return self.devicePixelRatioF()

    @property
    def space_held(self) -> bool:
        return Qt.Key.Key_Space in self._held

    def device(self, point: QPointF) -> QPointF:
        """A point of the widget in device pixels."""
        return point * self.ratio

    def contains(self, point: QPointF) -> bool:
        """Whether a point of the view lies on the picture."""
        if self._scene.picture is None:
            return False
        return self._scene.picture.area.contains(self.viewport.to_image(point))

    def wipe_hit(self, point: QPointF) -> bool:
        if self._scene.wipe_share is None:
            return False
        frame_point = self.viewport.to_frame(point)
        return wipe.is_hit(frame_point, self.viewport.target(), self._scene.wipe_share, self.ratio)
