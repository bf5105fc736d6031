"""A form made from declared parameters: one row each, the right editor for its type, help below."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QStyle, QVBoxLayout, QWidget

from editor.words.choices import choice_text
from inference.kinds import kind_of
from inference.parameters import ParameterField
from widgets.forms.editors import Editor, editor_of
from widgets.forms.form_layout import FormLayout
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font

_LABEL = QFormLayout.ItemRole.LabelRole
_WIDE_PX = 190
_WIDEST_PX = 260
ANY_PX = 16_777_215  # as wide as what stands above and below it: Qt's own bound


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
        least_px: int = _WIDE_PX,
        most_px: int = _WIDEST_PX,
        parent: QWidget | None = None,
    ) -> None:
        """The editors are at least `least_px` and at most `most_px` wide.

        In a narrow form check boxes take a whole row.
        """
        super().__init__(parent)
        self._context = context
        self._choice_labels = choice_labels or {}
        self._choices = choices or {}
        self.editors: dict[str, QWidget] = {}
        self._rows: dict[str, Editor] = {}
        self._words: dict[str, str] = {}  # what a search looks through
        self._shown: dict[str, QWidget] = {}  # what stands in the row of each
        self._form = form = FormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(18)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for item in declared:
            if item.declaration.hidden or not kind_of(item).editor:
                continue
            editor = self.editors[item.name] = self._editor(item)
            editor.setAccessibleName(self._tr(item.declaration.label))
            editor.setMinimumWidth(least_px)
            if not isinstance(editor, QCheckBox):
                editor.setMaximumWidth(most_px)
            label = self._tr(item.declaration.label)
            self._words[item.name] = f"{label} {self._tr(item.declaration.help)}".casefold()
            row = self._shown[item.name] = self._with_help(editor, item)
            if not isinstance(editor, QCheckBox):
                form.addRow(label, row)
            elif least_px < _WIDE_PX:  # its words would make the fields' column too wide for a panel
                form.addRow(row)
            else:
                form.addRow("", row)

    def show_only(self, text: str) -> int:
        """Show the rows in whose label or help `text` (lower case) comes; says how many."""
        shown = [name for name, words in self._words.items() if text in words]
        self.show_names(shown)
        return len(shown)

    def labels(self) -> list[QWidget]:
        """The labels beside the editors."""
        return form_labels(self._form)

    def show_names(self, names: Collection[str]) -> None:
        """Show only the rows of these parameters."""
        for name, row in self._shown.items():
            self._form.setRowVisible(row, name in names)

    def put_below(self, name: str, widget: QWidget) -> None:
        """Show `widget` in a row of its own below that of a parameter."""
        row, _role = cast("tuple[int, object]", self._form.getWidgetPosition(self._shown[name]))
        self._form.insertRow(row + 1, widget)

    def set_value(self, name: str, value: Any) -> None:
        """Show a value without emitting `changed`."""
        editor = self.editors[name]
        blocked = editor.blockSignals(True)
        self._rows[name].show(editor, value)
        editor.blockSignals(blocked)

    def value(self, name: str) -> Any:
        return self._rows[name].read(self.editors[name])

    def _editor(self, item: ParameterField) -> QWidget:
        row = self._rows[item.name] = editor_of(item)
        choices = {
            choice: self._choice_labels.get(choice) or choice_text(choice)
            for choice in self._choices.get(item.name, item.declaration.choices)
        }
        return row.make(item, self._tr(item.declaration.label), choices, lambda: self._tell(item.name))

    def _with_help(self, editor: QWidget, item: ParameterField) -> QWidget:
        if not item.declaration.help:
            return editor
        text = self._tr(item.declaration.help)
        editor.setAccessibleDescription(text)
        note = Label(text)
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


def form_labels(form: QFormLayout) -> list[QWidget]:
    """The labels of a form's rows."""
    items = (form.itemAt(row, _LABEL) for row in range(form.rowCount()))
    widgets = (item.widget() for item in items if item is not None)
    return [widget for widget in widgets if widget is not None]


def needed_width(content: QWidget) -> int:
    """How wide a scroll area must be to show `content` whole beside its scroll bar."""
    for part in (content, *content.findChildren(QWidget)):
        part.ensurePolished()
    bar = content.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
    return content.minimumSizeHint().width() + bar + 2
