"""The keyboard's focus: whether it is inside a widget, and where it stays when a button cannot be pressed."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

_WAITS = "waits for the focus"


class FocusWithin(QObject):
    """Lives as long as its widget."""

    changed = Signal(bool)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._inside = False
        application = QApplication.instance()
        assert isinstance(application, QApplication), "widgets need a QApplication"
        application.focusChanged.connect(self._on_focus)

    @property
    def inside(self) -> bool:
        return self._inside

    def _on_focus(self, _old: QWidget | None, new: QWidget | None) -> None:
        # a button that shows itself does not take the focus away, so this cannot go in circles
        inside = new is not None and (new is self._widget or self._widget.isAncestorOf(new))
        if inside != self._inside:
            self._inside = inside
            self.changed.emit(inside)


def enable(button: QWidget, on: bool) -> None:
    """Set whether a button can be pressed; one that cannot be for a while keeps the focus for later.

    Qt hands it to the next widget, and the space bar would press that: after *Redraw* it was *Undo*.
    """
    if not on and button.hasFocus():
        button.clearFocus()
        button.setProperty(_WAITS, True)
    button.setEnabled(on)
    if on and button.property(_WAITS):
        button.setProperty(_WAITS, False)
        if QApplication.focusWidget() is None and button.isVisible():
            button.setFocus()
