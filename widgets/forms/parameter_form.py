"""A form made from declared parameters: one row each, the right editor for its type, help below."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from editor.words.choices import choice_text
from inference.parameters import ParameterField
from widgets.look.theme import inset, scaled_font

_INT_LIMIT = 2**31 - 1
_LABEL = QFormLayout.ItemRole.LabelRole


class ParameterForm(QWidget):
    """Emits `changed(name, value)` for what the user changes; `None` is an optional parameter left open.

    `context` is the translation context of the labels; `choice_labels` gives words for choices;
    `choices` narrows a text to what there is.
    """

    changed = Signal(str, object)

    def __init__(
        self,
        declared: Sequence[ParameterField],
        context: str,
        *,
        choice_labels: Mapping[str, str] | None = None,
        choices: Mapping[str, Sequence[str]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._choice_labels = choice_labels or {}
        self._choices = choices or {}
        self.editors: dict[str, QWidget] = {}
        self._words: dict[str, str] = {}  # what a search looks through
        self._form = form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(18)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for item in declared:
            if item.declaration.hidden:
                continue
            editor = self.editors[item.name] = self._editor(item)
            editor.setAccessibleName(self._tr(item.declaration.label))
            editor.setMinimumWidth(190)
            if not isinstance(editor, QCheckBox):
                editor.setMaximumWidth(260)
            label = self._tr(item.declaration.label)
            self._words[item.name] = f"{label} {self._tr(item.declaration.help)}".casefold()
            form.addRow("" if isinstance(editor, QCheckBox) else label, self._with_help(editor, item))

    def show_only(self, text: str) -> int:
        """Show the rows in whose label or help `text` (lower case) comes; says how many."""
        shown = [name for name, words in self._words.items() if text in words]
        for row, name in enumerate(self._words):
            self._form.setRowVisible(row, name in shown)
        return len(shown)

    def labels(self) -> list[QWidget]:
        """The labels beside the editors."""
        items = (self._form.itemAt(row, _LABEL) for row in range(self._form.rowCount()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if widget is not None]

    def show_names(self, names: Collection[str]) -> None:
        """Show only the rows of these parameters."""
        for row, name in enumerate(self._words):
            self._form.setRowVisible(row, name in names)

    def set_value(self, name: str, value: Any) -> None:
        """Show a value without emitting `changed`."""
        editor = self.editors[name]
        blocked = editor.blockSignals(True)
        if isinstance(editor, QCheckBox):
            editor.setChecked(bool(value))
        elif isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(0, editor.findData(value)))
        elif isinstance(editor, QSpinBox | QDoubleSpinBox):
            editor.setValue(editor.minimum() if value is None else value)  # type: ignore[arg-type]
        elif isinstance(editor, QLineEdit):
            editor.setText(str(value))
        editor.blockSignals(blocked)

    def value(self, name: str) -> Any:
        editor = self.editors[name]
        if isinstance(editor, QCheckBox):
            return editor.isChecked()
        if isinstance(editor, QComboBox):
            return editor.currentData()
        if isinstance(editor, QSpinBox | QDoubleSpinBox):
            open_ = editor.specialValueText() and editor.value() == editor.minimum()
            return None if open_ else editor.value()
        assert isinstance(editor, QLineEdit)
        return editor.text()

    def _editor(self, item: ParameterField) -> QWidget:
        declaration = item.declaration
        if item.type is bool:
            check = QCheckBox(self._tr(declaration.label))
            check.toggled.connect(lambda: self._tell(item.name))
            return check
        choices = self._choices.get(item.name, declaration.choices)
        if choices:
            combo = QComboBox()
            for choice in choices:
                combo.addItem(self._choice_labels.get(choice) or choice_text(choice), choice)
            combo.activated.connect(lambda: self._tell(item.name))
            return combo
        if item.type in (int, float):
            return self._number(item)
        line = QLineEdit()
        line.editingFinished.connect(lambda: self._tell(item.name))
        return line

    def _number(self, item: ParameterField) -> QWidget:
        declaration = item.declaration
        low = 0 if declaration.min is None else declaration.min
        high = _INT_LIMIT if declaration.max is None else min(declaration.max, _INT_LIMIT)
        box: QSpinBox | QDoubleSpinBox
        if item.type is int:
            box = QSpinBox()
            # an optional number has one more position below its range: the model's own
            box.setRange(int(low) - (1 if item.optional else 0), int(high))
        else:
            box = QDoubleSpinBox()
            box.setSingleStep(declaration.step or 0.1)
            box.setRange(low - (box.singleStep() if item.optional else 0), high)
        if item.optional:
            box.setSpecialValueText(self.tr("Automatic"))
        box.setKeyboardTracking(False)
        inset(box)
        box.valueChanged.connect(lambda: self._tell(item.name))
        return box

    def _with_help(self, editor: QWidget, item: ParameterField) -> QWidget:
        if not item.declaration.help:
            return editor
        text = self._tr(item.declaration.help)
        editor.setAccessibleDescription(text)
        note = QLabel(text)
        note.setProperty("dim", True)
        note.setWordWrap(True)
        note.setFont(scaled_font(note.font(), 0.92))
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(editor)
        layout.addWidget(note)
        return box

    def _tell(self, name: str) -> None:
        self.changed.emit(name, self.value(name))

    def _tr(self, text: str) -> str:
        return QCoreApplication.translate(self._context, text)
