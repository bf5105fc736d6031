"""Space over the picture: it holds the hand, whatever has the focus."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, QWidget
from shiboken6 import isValid

_KEYS = (QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride)
_OTHERS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)


class HeldSpace(QObject):
    """Takes Space from the widget with the focus while the pointer is over a canvas.

    Fields to write in keep it. Only the widget that has the focus is watched, and only meanwhile.
    """

    changed = Signal(bool)  # whether Space is held

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._over = False
        self._held = False
        self._watched: QObject | None = None
        qt = QGuiApplication.instance()
        assert isinstance(qt, QApplication), "a canvas needs a QApplication"
        qt.focusChanged.connect(self._on_focus)

    def enter(self) -> None:
        """The pointer came."""
        self._over = True
        self._watch(QApplication.focusWidget())

    def leave(self) -> None:
        """The pointer went; a key that is held is waited for."""
        self._over = False
        if not self._held:
            self._watch(None)

    def stop(self) -> None:
        """The canvas is not shown any more."""
        self._set_held(False)
        self.leave()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in _KEYS or not isinstance(event, QKeyEvent) or event.key() != Qt.Key.Key_Space:
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.KeyRelease:
            return self._release(event)
        if event.modifiers() & _OTHERS or not (self._held or self._is_pointed_at()):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
        elif not event.isAutoRepeat():
            self._set_held(True)
        return True

    def _is_pointed_at(self) -> bool:
        """Whether the pointer is there now: it may have left without a word, as under a menu."""
        return self._canvas.rect().contains(self._canvas.mapFromGlobal(QCursor.pos()))

    def _release(self, event: QKeyEvent) -> bool:
        held = self._held
        if held and not event.isAutoRepeat():
            self._set_held(False)
            if not self._over:
                self._watch(None)
        return held  # a button that was pressed by it before is let go by it

    def _set_held(self, held: bool) -> None:
        if held != self._held:
            self._held = held
            self.changed.emit(held)

    def _on_focus(self, _old: QWidget | None, now: QWidget | None) -> None:
        if now is self._canvas:  # a click gave it the focus: it hears by itself when the key is let go
            self._held = False
        else:
            self._set_held(False)
        self._watch(now if self._over else None)

    def _watch(self, widget: QWidget | None) -> None:
        if self._watched is not None and isValid(self._watched):
            self._watched.removeEventFilter(self)
        other = widget is not None and widget is not self._canvas and not _is_written_in(widget)
        self._watched = widget if other else None
        if self._watched is not None:
            self._watched.installEventFilter(self)


def _is_written_in(widget: QWidget) -> bool:
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit)
