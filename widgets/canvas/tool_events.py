"""Qt's pointer and key events as tools take them."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPointingDevice, QTabletEvent

from editor.tools.base import ALT, CTRL, LEFT, MIDDLE, RIGHT, SHIFT, PointerEvent
from widgets.canvas.viewport import Viewport

_BUTTONS = {
    Qt.MouseButton.LeftButton: LEFT,
    Qt.MouseButton.RightButton: RIGHT,
    Qt.MouseButton.MiddleButton: MIDDLE,
}
_MODIFIERS = {
    Qt.KeyboardModifier.ShiftModifier: SHIFT,
    Qt.KeyboardModifier.ControlModifier: CTRL,
    Qt.KeyboardModifier.AltModifier: ALT,
}
_KEYS = {
    Qt.Key.Key_Escape: "escape",
    Qt.Key.Key_Return: "enter",
    Qt.Key.Key_Enter: "enter",
    Qt.Key.Key_Backspace: "backspace",
    Qt.Key.Key_Delete: "delete",
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Down: "down",
    Qt.Key.Key_Home: "home",
    Qt.Key.Key_End: "end",
    Qt.Key.Key_PageUp: "pageup",
    Qt.Key.Key_PageDown: "pagedown",
    Qt.Key.Key_Tab: "tab",
    Qt.Key.Key_Space: "space",
}


def pointer_event(
    event: QMouseEvent | QTabletEvent, point: QPointF, viewport: Viewport, ratio: float
) -> PointerEvent:
    """The event at a point of the view (device pixels)."""
    place = viewport.to_image(point)
    buttons = names_of_buttons(event.buttons()) or names_of_buttons(event.button())
    pen = isinstance(event, QTabletEvent)
    return PointerEvent(
        x=place.x(),
        y=place.y(),
        pressure=min(1.0, max(0.0, event.pressure())) if pen else 1.0,
        buttons=buttons,
        modifiers=names_of_modifiers(event.modifiers()),
        time_ms=event.timestamp(),
        zoom=viewport.zoom / ratio,
        erasing=pen and event.pointerType() == QPointingDevice.PointerType.Eraser,
        kind="tablet" if pen else "mouse",
    )


def names_of_buttons(buttons: Qt.MouseButton) -> frozenset[str]:
    return frozenset(name for button, name in _BUTTONS.items() if buttons & button)


def names_of_modifiers(modifiers: Qt.KeyboardModifier) -> frozenset[str]:
    return frozenset(name for modifier, name in _MODIFIERS.items() if modifiers & modifier)


def key_name(event: QKeyEvent) -> str:
    """Such as "escape", "shift+left", "ctrl+a"; "" for keys that no tool knows."""
    key = Qt.Key(event.key())
    name = _KEYS.get(key, "")
    if not name and Qt.Key.Key_A <= key <= Qt.Key.Key_Z:
        name = chr(key).lower()
    if not name:
        return ""
    held = names_of_modifiers(event.modifiers())
    return "+".join([*(one for one in (CTRL, ALT, SHIFT) if one in held), name])
