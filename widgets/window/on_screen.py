"""A window that lands on the screen, however large it was on another one, and wherever that stood."""

from PySide6.QtCore import QMargins, QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStyle, QWidget


def placed(frame: QRect, least: QSize, available: QRect) -> QRect:
    """`frame` inside of `available`, made smaller where it has to be, but no smaller than `least`.

    What is too small for `least` shows its top left corner, where the title and the menus are.
    """
    size = frame.size().boundedTo(available.size()).expandedTo(least)
    left = max(available.left(), min(frame.left(), available.right() + 1 - size.width()))
    top = max(available.top(), min(frame.top(), available.bottom() + 1 - size.height()))
    return QRect(QPoint(left, top), size)


def bring_on_screen(window: QWidget) -> None:
    """Move and shrink a window that is not maximized so that its screen shows all of it."""
    if window.isMaximized() or window.isFullScreen():
        return
    given = window.geometry()
    screen = QGuiApplication.screenAt(given.center()) or QGuiApplication.primaryScreen()
    frame = _frame(window)
    found = placed(
        given.marginsAdded(frame),
        window.minimumSizeHint().grownBy(frame),
        screen.availableGeometry(),
    ).marginsRemoved(frame)
    if found != given:
        window.setGeometry(found)


def _frame(window: QWidget) -> QMargins:
    """What the system draws around the window; before it is shown as much as the style says."""
    outer, inner = window.frameGeometry(), window.geometry()
    if outer != inner:
        return QMargins(
            inner.left() - outer.left(),
            inner.top() - outer.top(),
            outer.right() - inner.right(),
            outer.bottom() - inner.bottom(),
        )
    return QMargins(0, window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight), 0, 0)
