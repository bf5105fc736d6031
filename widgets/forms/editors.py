"""The editor of each kind of parameter, by the name that `inference.kinds` gives it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from editor.controllers.operations import Given
from inference.kinds import CHOICE, kind_of
from inference.parameters import ParameterField
from widgets.forms.fields import ComboBox, DoubleSpinBox, SpinBox
from widgets.forms.source_field import SourceField
from widgets.look.theme import inset

_INT_LIMIT = 2**31 - 1
_DECIMALS = 2  # at least, so that what is typed between two steps stays
_SWITCH = "switch"

Tell = Callable[[], object]


@dataclass(frozen=True)
class Editor:
    """How a value is edited: `make(declared, label, choices, tell)`, then `read` and `show` on what was made.

    `choices` are values with their words; `tell` is called when the user changed something.
    """

    make: Callable[[ParameterField, str, Mapping[str, str], Tell], QWidget]
    read: Callable[[Any], Any]
    show: Callable[[Any, Any], object]


def editor_of(item: ParameterField) -> Editor:
    """The editor of a declared parameter."""
    editor = kind_of(item).editor
    return _OPEN_SWITCH if item.optional and editor == _SWITCH else EDITORS[editor]


def _automatic() -> str:
    return QCoreApplication.translate("ParameterForm", "Automatic")


def _switch(item: ParameterField, label: str, choices: Mapping[str, str], tell: Tell) -> QCheckBox:
    check = QCheckBox(label)
    check.toggled.connect(tell)
    return check


def _open_switch(item: ParameterField, label: str, choices: Mapping[str, str], tell: Tell) -> QComboBox:
    words = {
        True: QCoreApplication.translate("ParameterForm", "Yes"),
        False: QCoreApplication.translate("ParameterForm", "No"),
    }
    return _choice(item, label, words, tell)


def _choice(item: ParameterField, label: str, choices: Mapping[Any, str], tell: Tell) -> QComboBox:
    combo = ComboBox()
    if item.optional:  # what is left open is a value of its own, as with numbers
        combo.addItem(_automatic(), None)
    for value, word in choices.items():
        combo.addItem(word, value)
    combo.activated.connect(tell)
    return combo


def _text(item: ParameterField, label: str, choices: Mapping[str, str], tell: Tell) -> QWidget:
    if choices:  # a text of which only some make sense here
        return _choice(item, label, choices, tell)
    line = QLineEdit()
    line.editingFinished.connect(tell)
    return line


def _whole_number(item: ParameterField, label: str, choices: Mapping[str, str], tell: Tell) -> QSpinBox:
    low, high = _range(item)
    box = SpinBox()
    # an optional number has one more position below its range: the model's own
    box.setRange(int(low) - (1 if item.optional else 0), int(high))
    return _number_box(box, item, tell)


def _number(item: ParameterField, label: str, choices: Mapping[str, str], tell: Tell) -> QDoubleSpinBox:
    low, high = _range(item)
    box = DoubleSpinBox()
    box.setDecimals(max(_DECIMALS, *(_decimals(one) for one in (item.default, item.declaration.step))))
    box.setSingleStep(item.declaration.step or 0.1)
    box.setRange(low - (box.singleStep() if item.optional else 0), high)
    return _number_box(box, item, tell)


def _decimals(number: object) -> int:
    """How many places behind the point it takes to show a number as it is."""
    if not isinstance(number, float):
        return 0
    return max(0, -int(Decimal(repr(number)).normalize().as_tuple().exponent))


def _number_box(box: Any, item: ParameterField, tell: Tell) -> Any:
    if item.optional:
        box.setSpecialValueText(_automatic())
    box.setKeyboardTracking(False)
    inset(box)
    box.valueChanged.connect(tell)
    return box


def _range(item: ParameterField) -> tuple[float, float]:
    low, high = item.declaration.min, item.declaration.max
    return (0 if low is None else low), (_INT_LIMIT if high is None else min(high, _INT_LIMIT))


def _read_number(box: Any) -> Any:
    is_open = box.specialValueText() and box.value() == box.minimum()
    return None if is_open else box.value()


def _read_text(editor: Any) -> Any:
    return editor.currentData() if isinstance(editor, QComboBox) else editor.text()


def _show_choice(combo: QComboBox, value: Any) -> None:
    combo.setCurrentIndex(0 if value is None else max(0, combo.findData(value)))


def _show_text(editor: Any, value: Any) -> None:
    if isinstance(editor, QComboBox):
        _show_choice(editor, value)
    else:
        editor.setText(str(value))
        if not editor.hasFocus():
            editor.setCursorPosition(0)  # of a long text its beginning is seen


def _source(*offered: Given) -> Editor:
    def make(item: ParameterField, label: str, choices: Mapping[str, str], tell: Tell) -> SourceField:
        field = SourceField(offered if item.required else (Given.NOTHING, *offered))
        field.changed.connect(tell)
        return field

    return Editor(make, lambda field: field.source, lambda field, source: field.set_source(source))


_CHOICE = Editor(_choice, lambda combo: combo.currentData(), _show_choice)
_OPEN_SWITCH = Editor(_open_switch, _CHOICE.read, _CHOICE.show)
_NUMBER = Editor(
    _number, _read_number, lambda box, value: box.setValue(box.minimum() if value is None else value)
)

EDITORS: dict[str, Editor] = {
    CHOICE.editor: _CHOICE,
    _SWITCH: Editor(_switch, lambda check: check.isChecked(), lambda check, on: check.setChecked(bool(on))),
    "whole number": Editor(_whole_number, _NUMBER.read, _NUMBER.show),
    "number": _NUMBER,
    "text": Editor(_text, _read_text, _show_text),
    "picture": _source(Given.DOCUMENT, Given.LAYER),
    "mask": _source(Given.SELECTION),
    "file": _source(),
}
