"""Tab goes through the main window as it is read: bars, tools, the picture, the panels beside and below it.

Qt's own chain is the order in which widgets were made, and also leads into panels that lie behind others.
"""

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QMainWindow, QWidget


def tab_stops(window: QWidget) -> list[QWidget]:
    """The widgets that can be seen and that Tab reaches, in Qt's own order."""
    found: list[QWidget] = []
    one = window.nextInFocusChain()
    while one is not None and one is not window:
        if _is_stop(one, window):
            found.append(one)
        one = one.nextInFocusChain()
    return found


def in_reading_order(window: QMainWindow) -> list[QWidget]:
    """The same by where their bar or panel is; within one as Qt has them."""
    centre = window.centralWidget()
    middle = centre.geometry() if centre is not None else QRect()
    return sorted(tab_stops(window), key=lambda stop: _place_of_part(stop, window, middle))


def go_on(window: QMainWindow, *, forward: bool) -> bool:
    """Give the focus to the next stop, or to the one before; whether there is one."""
    stops = in_reading_order(window)
    if not stops:
        return False
    current = window.focusWidget()
    if current is not None and not current.isVisibleTo(window):
        return _stay_near(current, stops, window)
    while current is not None and current not in stops and current is not window:
        current = current.parentWidget()
    if current in stops:
        place = (stops.index(current) + (1 if forward else -1)) % len(stops)
    else:
        place = 0 if forward else -1
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    stops[place].setFocus(reason)
    return True


def _stay_near(gone: QWidget, stops: list[QWidget], window: QMainWindow) -> bool:
    """Nobody pressed Tab: what had the focus is hidden or ends. What follows in its part has it then, else
    the picture; in another part what is typed next would do what nobody meant."""
    for part in (_part_of(gone, window), window.centralWidget()):
        near = [stop for stop in stops if _part_of(stop, window) is part]
        one = gone.nextInFocusChain()
        while one is not None and one is not gone and one not in near:
            one = one.nextInFocusChain()
        if one in near:
            one.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
    gone.clearFocus()
    return True


def _is_stop(widget: QWidget, window: QWidget) -> bool:
    return (
        bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
        and widget.window() is window
        and widget.isEnabled()
        and widget.isVisible()
        and widget.focusProxy() is None
        and window.rect().intersects(QRect(widget.mapTo(window, QPoint()), widget.size()))
    )


def _place_of_part(stop: QWidget, window: QMainWindow, middle: QRect) -> tuple[int, int, int]:
    """(above, left of, in, right of or below the middle; top; left) of the bar or panel that `stop` is in."""
    part = _part_of(stop, window)
    place = QRect(part.mapTo(window, QPoint()), part.size())
    if place == middle:
        zone = 2
    elif place.bottom() < middle.top():
        zone = 0
    elif place.right() < middle.left():
        zone = 1
    elif place.left() > middle.right():
        zone = 3
    else:
        zone = 4
    return zone, place.top(), place.left()


def _part_of(widget: QWidget, window: QMainWindow) -> QWidget:
    """The bar or panel that a widget is in, or is."""
    part = widget
    while (parent := part.parentWidget()) is not None and parent is not window:
        part = parent
    return part
