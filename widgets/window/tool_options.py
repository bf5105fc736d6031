"""The bar above the canvas: what the tool in hand lets one set, made from its declarations."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtGui import QFont, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFontComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from editor.actions import action
from editor.application import Application
from editor.tools import TOOLS, Tool
from editor.tools.painting.paint import MODE_LABELS
from editor.words.choices import choice_text
from editor.words.wording import plain
from inference.errors import EditorError
from inference.parameters import ParameterField
from widgets.forms.fields import ComboBox, FontComboBox
from widgets.forms.number_field import NumberField
from widgets.look.icons import IconButton, IconLabel
from widgets.look.plain_text import Label, set_tip
from widgets.window.overflow_row import OverflowRow
from widgets.window.tool_bar import keep_margins

CONTEXT = "Tools"
_LABEL_PX = 90


class ToolOptions(QToolBar):
    """Fields that find no room go into a menu at its end. A tool that waits for an answer has two buttons."""

    apply_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, application: Application, parent: QWidget) -> None:
        super().__init__(parent)
        self._application = application
        self._tool = ""
        self.fields: dict[str, QWidget] = {}
        self.row = OverflowRow()
        self._add_answers()
        self.setWindowTitle(self.tr("Tool options"))
        self.setObjectName("ToolOptions")
        self.setMovable(False)
        self.toggleViewAction().setEnabled(False)
        self.setFixedHeight(40)
        application.tools.chosen.connect(self.show_tool)
        application.tools.configured.connect(self._on_configured)
        self.show_tool(application.tools.current)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            keep_margins(self, 3, 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        keep_margins(self, 3, 0)

    def show_tool(self, tool_id: str) -> None:
        """Show the settings of a tool."""
        if tool_id == self._tool:
            return
        self._tool = tool_id
        self.fields = {}
        tool = TOOLS.get(tool_id)
        rows = [
            self._row(item)
            for item in (tool.Settings.declared() if tool is not None else ())
            if not item.declaration.hidden and not item.declaration.advanced
        ]
        always = self._advanced(tool)
        if self.fields:
            always.append(self._reset_button())
        self.row.fill(self._title(tool_id), rows, always)
        self.show_running(False)
        self._on_configured(tool_id)

    def show_running(self, running: bool) -> None:
        """Whether what the tool does waits to be applied or dropped."""
        self._answers.setVisible(running)

    def value(self, name: str) -> Any:
        """What a field shows."""
        return _read(self.fields[name])

    def _title(self, tool_id: str) -> QWidget:
        item = action(f"tool.{tool_id}")
        picture = IconLabel(item.icon, 18)
        text = Label(plain(QCoreApplication.translate("Actions", item.text)))
        text.setProperty("heading", True)
        return _in_row(picture, text, right=14)

    def _row(self, item: ParameterField, label_px: int = 0) -> QWidget:
        declaration = item.declaration
        text = QCoreApplication.translate(CONTEXT, declaration.label)
        field = self.fields[item.name] = self._field(item, text)
        field.setAccessibleName(text)
        tip = QCoreApplication.translate(CONTEXT, declaration.help) if declaration.help else ""
        if isinstance(field, NumberField):
            tip = "\n".join(part for part in (tip, field.range_text()) if part)
        set_tip(field, tip or text)
        if isinstance(field, QCheckBox):
            return _in_row(field, right=14)
        label = Label(text)
        label.setProperty("dim", True)
        set_tip(label, tip or text)
        label.setMinimumWidth(label_px)
        return _in_row(label, field, right=14)

    def _field(self, item: ParameterField, text: str) -> QWidget:
        declaration, name = item.declaration, item.name
        if item.type is bool:
            check = QCheckBox(text)
            check.toggled.connect(lambda on: self._change(name, on))
            return check
        if name == "family":
            fonts = FontComboBox()
            fonts.setMaximumWidth(180)
            fonts.activated.connect(lambda: self._change(name, fonts.currentFont().family()))
            return fonts
        if declaration.choices:
            combo = ComboBox()
            for choice in declaration.choices:
                combo.addItem(_choice_text(choice), choice)
            combo.activated.connect(lambda: self._change(name, combo.currentData()))
            combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            return combo
        if item.type in (int, float):
            number = NumberField(item)
            number.changed.connect(lambda value: self._change(name, value))
            return number
        line = QLineEdit()
        line.setFixedWidth(140)
        line.editingFinished.connect(lambda: self._change(name, line.text()))
        return line

    def _add_answers(self) -> None:
        self.apply = QPushButton(self.tr("Apply"))
        self.apply.setProperty("primary", True)
        set_tip(self.apply, self.tr("Apply (Return)"))
        self.cancel = QPushButton(self.tr("Cancel"))
        set_tip(self.cancel, self.tr("Cancel (Esc)"))
        self.apply.clicked.connect(self.apply_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        for button in (self.apply, self.cancel):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(self.row)
        # made here: the wrapper of one that Qt makes outlives it, and is given out again for a later window's
        self._answers = QWidgetAction(self)
        self._answers.setDefaultWidget(_in_row(self.cancel, self.apply, right=0))
        self.addAction(self._answers)
        self._answers.setVisible(False)

    def _advanced(self, tool: type[Tool] | None) -> list[QWidget]:
        """What is seldom set lies behind one button."""
        declared = tool.Settings.declared() if tool is not None else ()
        items = [item for item in declared if item.declaration.advanced and not item.declaration.hidden]
        if not items:
            return []
        button = IconButton("more", self.tr("More settings"), size_px=16)
        menu = QMenu(button)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 8, 4, 8)
        column.setSpacing(8)
        for item in items:
            column.addWidget(self._row(item, label_px=_LABEL_PX))
        entry = QWidgetAction(menu)
        entry.setDefaultWidget(page)
        menu.addAction(entry)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return [button]

    def _reset_button(self) -> QWidget:
        button = IconButton("reset", self.tr("As it comes"), size_px=14)
        button.clicked.connect(lambda: self._application.tools.reset(self._tool))
        return button

    def _change(self, name: str, value: Any) -> None:
        try:
            self._application.tools.configure(self._tool, **{name: value})
        except EditorError as error:
            self._application.report(error)
            self._on_configured(self._tool)

    def _on_configured(self, tool_id: str) -> None:
        if tool_id != self._tool:
            return
        settings = self._application.tools.settings_of(tool_id)
        for name, field in self.fields.items():
            blocked = field.blockSignals(True)
            _show(field, getattr(settings, name))
            field.blockSignals(blocked)


def _in_row(*widgets: QWidget, right: int) -> QWidget:
    row = QWidget()
    row.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, right, 0)
    layout.setSpacing(7)
    for widget in widgets:
        layout.addWidget(widget)
    return row


def _choice_text(choice: str) -> str:
    """A choice in words: a mode of painting has its own name."""
    if choice in MODE_LABELS:
        return QCoreApplication.translate("BlendMode", MODE_LABELS[choice])
    return choice_text(choice)


def _show(field: QWidget, value: Any) -> None:
    if isinstance(field, QCheckBox):
        field.setChecked(bool(value))
    elif isinstance(field, QFontComboBox):
        field.setCurrentFont(QFont(value) if value else field.font())
    elif isinstance(field, QComboBox):
        field.setCurrentIndex(max(0, field.findData(value)))
    elif isinstance(field, NumberField):
        field.set_value(value)
    elif isinstance(field, QLineEdit):
        field.setText(str(value))


def _read(field: QWidget) -> Any:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    if isinstance(field, QFontComboBox):
        return field.currentFont().family()
    if isinstance(field, QComboBox):
        return field.currentData()
    if isinstance(field, NumberField):
        return field.value
    assert isinstance(field, QLineEdit), "no other fields are made"
    return field.text()
