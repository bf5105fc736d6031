"""Sends what happens on a view to the tool in hand, and paints what the tool shows."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QFont, QInputMethodEvent, QKeyEvent, QMouseEvent, QPainter, QTabletEvent

from editor.controllers.tools import ToolController
from editor.tools import TOOLS, Tool, ToolContext
from editor.tools.base import ALT, CTRL, PointerEvent
from editor.tools.overlay import Caret, Cursor, Shape
from widgets.canvas.guides import Guides
from widgets.canvas.overlay_painter import OverlayPainter, bounds
from widgets.canvas.tool_cursors import tool_cursor
from widgets.canvas.tool_events import key_name, pointer_event
from widgets.canvas.viewport import Viewport

PAINTING = frozenset({"brush", "fill", "gradient"})  # Alt takes a colour meanwhile
MOVES_WITH_CTRL = PAINTING | {
    "eraser", "select-rectangle", "select-ellipse", "lasso", "polygon", "wand", "eyedropper",
}  # fmt: skip
MOVES_GUIDES = frozenset({"move", "subject"})
_BLINK_MS = 530
_ACTIVE_KEYS = frozenset({"escape", "enter", "backspace", "delete", "left", "right", "up", "down"})
_TEXT_KEYS = frozenset({"a", "c", "x", "v", "z", "left", "right", "home", "end", "backspace", "delete"})


class ToolInput(QObject):
    """The tools of one document: made when first used, kept with what they are doing."""

    repaint = Signal(QRectF)  # device pixels of the view
    cursor_changed = Signal()
    menu_requested = Signal()
    running_changed = Signal(bool)  # whether the tool in hand waits for an answer

    def __init__(
        self,
        context: ToolContext,
        actions: ToolController,
        viewport: Viewport,
        ratio: Callable[[], float],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.context = context
        self._actions = actions
        self._viewport = viewport
        self._ratio = ratio
        self.guides: Guides | None = None
        self._tools: dict[str, Tool] = {}
        self._held: Tool | None = None  # whose button is down
        self._modifiers: frozenset[str] = frozenset()
        self._last: PointerEvent | None = None
        self._painted = QRectF()
        self._shapes: tuple[Shape, ...] = ()
        self._current = ""
        self._running = False
        self._caret_shown = True
        self._blink = QTimer(self, interval=_BLINK_MS)
        self._blink.timeout.connect(self._on_blink)
        actions.configured.connect(self._on_configured)

    # the tool

    @property
    def tool(self) -> Tool | None:
        """The tool in hand, or the one that takes its place while a key is held."""
        if self._held is not None:
            return self._held
        main = self.main
        if main is None or main.active:
            return main
        if CTRL in self._modifiers and self._current in MOVES_WITH_CTRL:
            return self._tool("move")
        if ALT in self._modifiers and self._current in PAINTING:
            return self._tool("eyedropper")
        return main

    @property
    def main(self) -> Tool | None:
        """The tool that was chosen."""
        return self._tool(self._current)

    def use(self, tool_id: str) -> None:
        """Take another tool in hand; what the one before was doing becomes a step."""
        main = self.main
        if main is not None and tool_id != self._current and main.active:
            main.commit()
        if main is not None:
            main.leave()
        self._current, self._held = tool_id, None
        self._show_overlay()
        self.cursor_changed.emit()

    @property
    def running(self) -> bool:
        """Whether what the tool in hand does waits to be applied or dropped."""
        main = self.main
        return main is not None and main.confirmed and main.active

    def answer(self, *, apply: bool) -> None:
        """Apply what runs, or drop it."""
        main = self.main
        if main is not None and self.running:
            main.commit() if apply else main.cancel()
            self._show_overlay()

    def _tool(self, tool_id: str) -> Tool | None:
        if tool_id not in self._tools and tool_id not in TOOLS:
            return None
        if tool_id not in self._tools:
            self.put(tool_id, TOOLS[tool_id](self.context, self._actions.settings_of(tool_id)))
        return self._tools[tool_id]

    def put(self, tool_id: str, tool: Tool) -> None:
        """Use this tool under an id; for those that are not in the table."""
        tool.changed = self._show_overlay
        self._tools[tool_id] = tool

    def _on_configured(self, tool_id: str) -> None:
        tool, settings = self._tools.get(tool_id), self._actions.settings_of(tool_id)
        if tool is not None and tool.settings is not settings:
            tool.configure(settings)

    # the pointer

    def press(self, event: QMouseEvent | QTabletEvent, point: QPointF) -> bool:
        given = self._event(event, point)
        tool = self.tool
        if event.button() == Qt.MouseButton.LeftButton and self._press_guide(point):
            return True
        if event.button() == Qt.MouseButton.RightButton and (tool is None or not tool.active):
            self.menu_requested.emit()
            return True
        if tool is None or event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            return False
        self._held = tool
        tool.press(self._for(tool, given))
        self.cursor_changed.emit()
        return True

    def _press_guide(self, point: QPointF) -> bool:
        """Take hold of a guide under the pointer; painting tools leave guides alone."""
        if self.guides is None or self._current not in MOVES_GUIDES:
            return False
        index = self.guides.hit(point, self._ratio())
        if index is not None:
            self.guides.drag(index, point)
        return index is not None

    def move(self, event: QMouseEvent | QTabletEvent, point: QPointF) -> None:
        given = self._event(event, point)
        tool = self.tool
        if self.guides is not None and self.guides.dragging:
            self.guides.move(point)
            return
        if tool is None:
            return
        if self._held is not None:
            tool.move(self._for(tool, given))
        else:
            tool.hover(self._for(tool, given))

    def release(self, event: QMouseEvent | QTabletEvent, point: QPointF) -> None:
        given, tool = self._event(event, point), self._held
        if self.guides is not None and self.guides.dragging:
            self.guides.drop(point, QRectF(0, 0, self._viewport.view_width, self._viewport.view_height))
            return
        if tool is None:
            return
        tool.release(self._for(tool, given))
        self._held = None
        self._show_overlay()
        self.cursor_changed.emit()

    def double_click(self, event: QMouseEvent, point: QPointF) -> bool:
        tool = self.tool
        if tool is None:
            return False
        self._held = tool
        tool.double_click(self._for(tool, self._event(event, point)))
        return True

    def leave(self) -> None:
        tool = self.tool
        if tool is not None:
            tool.leave()

    def _event(self, event: QMouseEvent | QTabletEvent, point: QPointF) -> PointerEvent:
        self._last = pointer_event(event, point, self._viewport, self._ratio())
        self._modifiers = self._last.modifiers
        return self._last

    def _for(self, tool: Tool, event: PointerEvent) -> PointerEvent:
        """The event without the key that put this tool in the place of the chosen one."""
        if tool is self.main:
            return event
        return PointerEvent(**{**vars(event), "modifiers": event.modifiers - {CTRL, ALT}})

    # keys and text

    def wants_key(self, event: QKeyEvent) -> bool:
        """Whether a key belongs to the running tool although it is a shortcut."""
        tool, name = self.main, key_name(event).rpartition("+")[2]
        if tool is None:
            return False
        if tool.takes_text:
            command = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            return name in _TEXT_KEYS if command else bool(event.text()) or name in _ACTIVE_KEYS
        plain = not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        return tool.active and plain and name in _ACTIVE_KEYS

    def key_press(self, event: QKeyEvent) -> bool:
        self._hold(event, pressed=True)
        tool = self.main
        if tool is None:
            return False
        name = key_name(event)
        if name and tool.key(name):
            return True
        if tool.takes_text:
            return self._type(tool, event.text())
        return self._on_digit(event)

    def key_release(self, event: QKeyEvent) -> bool:
        self._hold(event, pressed=False)
        return False

    def input_method(self, event: QInputMethodEvent) -> bool:
        """Text from an input method: what is being composed, then what was chosen."""
        tool = self.main
        if tool is None or not tool.takes_text:
            return False
        self._type(tool, event.commitString())
        tool.compose(event.preeditString())
        event.accept()
        return True

    def _type(self, tool: Tool, text: str) -> bool:
        return bool(text) and text.isprintable() and tool.type(text)

    def input_query(self, query: Qt.InputMethodQuery) -> object:
        """Where the input method puts its window, and whether it is wanted at all."""
        tool = self.main
        wanted = tool is not None and tool.takes_text
        if query == Qt.InputMethodQuery.ImEnabled:
            return wanted
        if wanted and query == Qt.InputMethodQuery.ImCursorRectangle:
            return self._caret_rect()
        return None

    def _caret_rect(self) -> QRectF:
        for shape in self._shapes:
            if isinstance(shape, Caret):
                top, bottom = (self._viewport.to_view(QPointF(*end)) for end in (shape.top, shape.bottom))
                return QRectF(top / self._ratio(), bottom / self._ratio()).normalized()
        return QRectF()

    def _hold(self, event: QKeyEvent, *, pressed: bool) -> None:
        """Keep the keys in mind that put another tool in the place of the chosen one."""
        keys = {Qt.Key.Key_Control: CTRL, Qt.Key.Key_Alt: ALT}
        name = keys.get(Qt.Key(event.key()))
        if name is None or self._held is not None:
            return
        before = self.tool
        self._modifiers = self._modifiers | {name} if pressed else self._modifiers - {name}
        if before is not self.tool:
            if before is not None:
                before.leave()
            self._show_overlay()
            self.cursor_changed.emit()

    def _on_digit(self, event: QKeyEvent) -> bool:
        digit = event.text()
        if event.modifiers() or len(digit) != 1 or digit not in "0123456789":
            return False
        return self._actions.set_opacity(int(digit) / 10 if digit != "0" else 1.0)

    # what is seen

    def cursor(self) -> QCursor | None:
        tool = self.tool
        return tool_cursor(tool.cursor, self._ratio()) if tool is not None else None

    def paint(self, painter: QPainter, ratio: float, font: QFont, phase: int) -> None:
        if self._shapes:
            OverlayPainter(painter, self._viewport, ratio, font, phase).paint(
                self._shapes, caret_shown=self._caret_shown
            )

    def on_view_moved(self) -> None:
        """The shapes lie elsewhere on the screen; the view is painted anew anyway."""
        self._painted = bounds(self._shapes, self._viewport, self._ratio())

    def march(self) -> None:
        """Repaint what marches."""
        if any(getattr(shape, "ants", False) for shape in self._shapes):
            self.repaint.emit(self._painted)

    def _show_overlay(self) -> None:
        tool, main = self.tool, self.main
        if main is not None:
            self._actions.adopt(self._current, main.settings)
        if self.running != self._running:
            self._running = self.running
            self.running_changed.emit(self._running)
        shapes = tool.overlay() if tool is not None else ()
        if main is not None and main is not tool:
            shapes = tuple(one for one in main.overlay() if not isinstance(one, Cursor)) + shapes
        old, self._painted = self._painted, bounds(shapes, self._viewport, self._ratio())
        self._shapes, self._caret_shown = shapes, True
        blinks = any(isinstance(shape, Caret) for shape in shapes)
        if blinks != self._blink.isActive():
            self._blink.start() if blinks else self._blink.stop()
        if not old.united(self._painted).isEmpty():
            self.repaint.emit(old.united(self._painted))
        self.cursor_changed.emit()

    def _on_blink(self) -> None:
        self._caret_shown = not self._caret_shown
        for shape in self._shapes:
            if isinstance(shape, Caret):
                self.repaint.emit(bounds((shape,), self._viewport, self._ratio()))
