"""Keyboard shortcuts: what they are, a field to change each, and what to do about a conflict."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QWidget,
)

from editor.actions import ACTIONS, MENUS, Action
from editor.application import Application
from editor.words.said import said
from editor.words.wording import plain
from inference.errors import EditorError
from widgets.forms.dialog import Dialog
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, unmarked

_FIELD_PX = 170


@dataclass(frozen=True)
class ShortcutRow:
    """The widgets of one action."""

    label: Label
    field: QKeySequenceEdit
    reset: IconButton

    def set_shown(self, shown: bool) -> None:
        self.label.setVisible(shown)
        self.field.setVisible(shown)
        self.reset.setVisible(shown)


class Shortcuts(Dialog):
    """One row for each action of the table, menu by menu; a change takes effect at once."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self._application = application
        self.search = QLineEdit(placeholderText=self.tr("Search commands or keys"), clearButtonEnabled=True)
        self.search.setAccessibleName(self.tr("Search commands or keys"))
        self.conflict = ConflictBar()
        self.rows: dict[str, ShortcutRow] = {}
        self._headings: dict[str, Label] = {}
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(self._content())
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.column.addWidget(self.search)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.conflict)
        self.add_button(self.tr("Back to defaults")).clicked.connect(self._on_reset)
        self.add_button(self.tr("Close"), primary=True).clicked.connect(self.close)
        self.search.textChanged.connect(self._filter)
        self.conflict.replace.clicked.connect(self._on_replace)
        self.conflict.keep.clicked.connect(self._on_keep)
        application.settings.shortcuts_changed.connect(self._show)
        self._show()
        self.begin_with(self.search)
        self.resize(560, 640)

    def _content(self) -> QWidget:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, 6, 0)
        grid.setColumnStretch(0, 1)
        row = 0
        for menu, text in MENUS:
            items = [item for item in ACTIONS if item.menu == menu]
            if not items:
                continue
            heading = self._headings[menu] = Label(plain(_translated(text)))
            heading.setProperty("heading", True)
            heading.setContentsMargins(0, 10 if row else 0, 0, 2)
            grid.addWidget(heading, row, 0, 1, 3)
            for item in items:
                row += 1
                self._add_row(grid, row, item)
            row += 1
        self._add_held_keys(grid, row)
        return content

    def _add_row(self, grid: QGridLayout, row: int, item: Action) -> None:
        label, field = Label(name_of(item)), QKeySequenceEdit()
        label.setContentsMargins(10, 0, 0, 0)
        field.setMaximumSequenceLength(1)
        field.setClearButtonEnabled(True)
        field.setAccessibleName(label.text())
        field.setFixedWidth(_FIELD_PX)
        field.editingFinished.connect(lambda: self._on_edited(item))
        reset = IconButton("reset", self.tr("Back to the default of “{name}”").format(name=name_of(item)))
        keep = reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        reset.setSizePolicy(keep)
        reset.clicked.connect(lambda: self._set(item.id, None))
        for column, widget in enumerate((label, field, reset)):
            grid.addWidget(widget, row, column)
        self.rows[item.id] = ShortcutRow(label, field, reset)

    def _add_held_keys(self, grid: QGridLayout, row: int) -> None:
        held = (
            (self.tr("Show the state before while held"), "\\"),
            (self.tr("Move the view while held"), self.tr("Space")),
        )
        for offset, (text, key) in enumerate(held):
            label, key_label = Label(text), Label(key)
            label.setContentsMargins(10, 5 if offset else 12, 0, 5)
            key_label.setProperty("dim", True)
            key_label.setContentsMargins(10, 5 if offset else 12, 0, 5)
            grid.addWidget(label, row + offset, 0)
            grid.addWidget(key_label, row + offset, 1)
        grid.setRowStretch(row + len(held), 1)

    def _show(self) -> None:
        for item in ACTIONS:
            row = self.rows[item.id]
            blocked = row.field.blockSignals(True)
            row.field.setKeySequence(QKeySequence(_first(current(self._application, item))))
            row.field.blockSignals(blocked)
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        wanted = text.casefold().strip()
        shown_menus = set()
        for item in ACTIONS:
            row = self.rows[item.id]
            keys = row.field.keySequence().toString(QKeySequence.SequenceFormat.NativeText)
            shown = wanted in row.label.text().casefold() or bool(wanted and wanted in keys.casefold())
            row.set_shown(shown)
            own = self._application.settings.shortcut(item.id) is not None
            row.reset.setVisible(shown and own)
            if shown:
                shown_menus.add(item.menu)
        for menu, heading in self._headings.items():
            heading.setVisible(menu in shown_menus)

    def _on_edited(self, item: Action) -> None:
        field = self.rows[item.id].field
        wished = field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if wished == _first(current(self._application, item)):
            return
        taken = next((other for other in ACTIONS if other is not item and self._has(other, wished)), None)
        if wished and taken is not None:
            self.conflict.show_conflict(wished, item, taken)
            return
        self.conflict.hide()
        self._set(item.id, wished)

    def _has(self, item: Action, keys: str) -> bool:
        return keys in current(self._application, item).split("; ")

    def _on_replace(self) -> None:
        """The keys go from the one that had them to the one that wants them."""
        keys, item, other = self.conflict.keys, self.conflict.item, self.conflict.other
        self.conflict.hide()
        if item is not None and other is not None:
            rest = [one for one in current(self._application, other).split("; ") if one != keys]
            self._set(other.id, "; ".join(rest))
            self._set(item.id, keys)

    def _on_keep(self) -> None:
        self.conflict.hide()
        self._show()

    def _on_reset(self) -> None:
        for item in ACTIONS:
            if self._application.settings.shortcut(item.id) is not None:
                self._set(item.id, None)
        self.conflict.hide()

    def _set(self, action_id: str, keys: str | None) -> None:
        try:
            self._application.settings.set_shortcut(action_id, keys)
        except EditorError as error:
            self._application.message.emit(said(error.sentence), said(error.advice), "warning")


class ConflictBar(QFrame):
    """Says who has the keys and offers both ways out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Card")
        self.keys = ""
        self.item: Action | None = None
        self.other: Action | None = None
        self.text = Label()
        self.text.setWordWrap(True)
        self.replace, self.keep = QPushButton(), QPushButton(self.tr("Keep as it was"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.addWidget(self.text, 1)
        row.addWidget(self.keep)
        row.addWidget(self.replace)
        self.hide()

    def show_conflict(self, keys: str, item: Action, other: Action) -> None:
        self.keys, self.item, self.other = keys, item, other
        shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
        text = self.tr("{keys} is taken by “{name}”.")
        self.text.setText(text.format(keys=shown, name=name_of(other)))
        self.replace.setText(unmarked(self.tr("Use for “{name}”").format(name=name_of(item))))
        self.show()


def name_of(item: Action) -> str:
    """An action's name as a list shows it."""
    return plain(_translated(item.text))


def current(application: Application, item: Action) -> str:
    """The keys that an action has now, several separated by "; "."""
    own = application.settings.shortcut(item.id)
    return item.shortcut if own is None else own


def _first(keys: str) -> str:
    return keys.split("; ")[0]


def _translated(text: str) -> str:
    return QCoreApplication.translate("Actions", text)
