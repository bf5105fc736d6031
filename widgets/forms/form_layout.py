"""A form whose labels stand at the height of the words in their fields, and are dim while these are."""

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLayoutItem, QPlainTextEdit, QWidget

_LABEL, _FIELD = QFormLayout.ItemRole.LabelRole, QFormLayout.ItemRole.FieldRole


class FormLayout(QFormLayout):
    """Qt gives a label at most 7/4 of its own height, so that beside a taller field it stands too high.

    Here it is in the middle of the field, and of the first line of one with a note below or of a longer text.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        if parent is None:
            super().__init__()
        else:
            super().__init__(parent)
        self.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setHorizontalSpacing(14)
        self.setVerticalSpacing(8)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._follow_fields()
        for row in range(self.rowCount()):
            label, field = self.itemAt(row, _LABEL), self.itemAt(row, _FIELD)
            widget = None if label is None else label.widget()
            if widget is None or field is None or widget.isHidden():
                continue
            has, beside = widget.geometry(), first_line(field)
            if has.bottom() <= beside.top():
                continue  # it is above the field
            height = max(beside.height(), widget.sizeHint().height())
            top = beside.top() + (beside.height() - height) // 2
            widget.setGeometry(has.x(), top, has.width(), height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.EnabledChange:
            self._follow_fields()
        return super().eventFilter(watched, event)

    def _follow_fields(self) -> None:
        """A label is as its field: one that can be read beside one that cannot be used says nothing."""
        parent = self.parentWidget()
        for row in range(self.rowCount() if parent is not None else 0):
            label, field = self.itemAt(row, _LABEL), self.itemAt(row, _FIELD)
            widget = None if label is None else label.widget()
            editor = None if field is None else _editor_in(field)
            if widget is not None and editor is not None and parent is not None:
                editor.installEventFilter(self)  # once, however often it is asked for
                widget.setEnabled(editor.isEnabledTo(parent))


def _editor_in(field: QLayoutItem) -> QWidget | None:
    """The widget of a field, or the first one in it."""
    widget, inner = field.widget(), field.layout()
    if widget is not None:
        inner = widget.layout() if type(widget) is QWidget else None
    first = None if inner is None else inner.itemAt(0)
    return widget if first is None else _editor_in(first)


def first_line(field: QLayoutItem) -> QRect:
    """Where the editor of a field is: all of it, what is above its note, or a text's first line."""
    whole = field.geometry()
    widget = field.widget()
    if isinstance(widget, QPlainTextEdit):
        widget.ensurePolished()  # before it is shown its viewport stands where no style has put it yet
        line = widget.cursorRect(QTextCursor(widget.document()))
        top = whole.y() + widget.contentsRect().y() + line.y()
        return QRect(whole.x(), top, whole.width(), line.height())
    inner = None if widget is None else widget.layout()
    first = None if inner is None or isinstance(inner, QHBoxLayout) else inner.itemAt(0)
    if inner is None or first is None:
        return whole
    top = whole.y() + inner.contentsMargins().top()
    return QRect(whole.x(), top, whole.width(), first.sizeHint().height())
