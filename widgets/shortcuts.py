"""Keyboard shortcuts: what they are, and a field to change each."""

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout, QKeySequenceEdit, QLabel, QLineEdit, QScrollArea, QWidget

from editor.actions import ACTIONS, Action
from editor.application import Application
from inference.errors import EditorError
from widgets.dialog import Dialog


class Shortcuts(Dialog):
    """One row for each action of the table; a change takes effect at once."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self._application = application
        self.search = QLineEdit(placeholderText=self.tr("Search commands"), clearButtonEnabled=True)
        self.search.setAccessibleName(self.tr("Search commands"))
        self.conflict = QLabel()
        self.conflict.setProperty("danger", True)
        self.conflict.setWordWrap(True)
        self.conflict.hide()
        self.rows: dict[str, tuple[QLabel, QKeySequenceEdit]] = {}
        content = QWidget()
        grid = QGridLayout(content)
        grid.setColumnStretch(0, 1)
        for row, item in enumerate(ACTIONS):
            label, field = QLabel(_plain(item)), QKeySequenceEdit()
            field.setMaximumSequenceLength(1)
            field.setClearButtonEnabled(True)
            field.setAccessibleName(label.text())
            field.setFixedWidth(170)
            field.editingFinished.connect(lambda item=item: self._on_edited(item))
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
            self.rows[item.id] = label, field
        held = (
            (self.tr("Show the state before while held"), "\\"),
            (self.tr("Move the view while held"), self.tr("Space")),
        )
        for offset, (text, key) in enumerate(held):
            key_label = QLabel(key)
            key_label.setProperty("dim", True)
            key_label.setContentsMargins(10, 5, 0, 5)
            grid.addWidget(QLabel(text), len(ACTIONS) + offset, 0)
            grid.addWidget(key_label, len(ACTIONS) + offset, 1)
        grid.setRowStretch(len(ACTIONS) + len(held), 1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(content)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.column.addWidget(self.search)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.conflict)
        self.add_button(self.tr("Back to defaults")).clicked.connect(self._on_reset)
        self.add_button(self.tr("Close"), primary=True).clicked.connect(self.close)
        self.search.textChanged.connect(self._filter)
        self._show()
        self.resize(480, 600)

    def _show(self) -> None:
        for item in ACTIONS:
            field = self.rows[item.id][1]
            blocked = field.blockSignals(True)
            field.setKeySequence(QKeySequence(_current(self._application, item).split("; ")[0]))
            field.blockSignals(blocked)

    def _filter(self, text: str) -> None:
        for label, field in self.rows.values():
            shown = text.casefold().strip() in label.text().casefold()
            label.setVisible(shown)
            field.setVisible(shown)

    def _on_edited(self, item: Action) -> None:
        wished = self.rows[item.id][1].keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if wished == _current(self._application, item).split("; ")[0]:
            return
        for other in ACTIONS:
            if wished and other is not item and wished in _current(self._application, other).split("; "):
                self.conflict.setText(
                    self.tr("{keys} is taken by “{name}”.").format(keys=wished, name=_plain(other))
                )
                self.conflict.show()
                self._show()
                return
        self.conflict.hide()
        self._set(item.id, wished)

    def _on_reset(self) -> None:
        for item in ACTIONS:
            if self._application.settings.shortcut(item.id) is not None:
                self._set(item.id, None)
        self.conflict.hide()
        self._show()

    def _set(self, action_id: str, keys: str | None) -> None:
        try:
            self._application.settings.set_shortcut(action_id, keys)
        except EditorError as error:
            self._application.message.emit(error.message, error.hint, "warning")


def _plain(item: Action) -> str:
    return QCoreApplication.translate("Actions", item.text).replace("&", "").rstrip("…")


def _current(application: Application, item: Action) -> str:
    own = application.settings.shortcut(item.id)
    return item.shortcut if own is None else own
