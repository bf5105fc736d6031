"""A form says what was declared: a value that nobody touched comes out as it went in."""

import pytest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from inference.kinds import content_type
from inference.operations import OPERATIONS, LearnDelta
from inference.parameters import ParameterField
from widgets.forms.parameter_form import ParameterForm

SHOWN = [
    (operation.name, item)
    for operation in OPERATIONS.values()
    for item in operation.parameters.declared()
    if not item.declaration.hidden and not item.required and content_type(item) is None
]


def form_of(qtbot: QtBot, item: ParameterField) -> ParameterForm:
    form = ParameterForm([item], "Operations")
    qtbot.addWidget(form)
    return form


@pytest.mark.parametrize(("operation", "item"), SHOWN, ids=[f"{name}-{item.name}" for name, item in SHOWN])
def test_what_is_declared_comes_out_as_it_is(qtbot: QtBot, operation: str, item: ParameterField) -> None:
    form = form_of(qtbot, item)
    if item.name not in form.editors:  # it has no editor in a form
        return
    form.set_value(item.name, item.default)
    assert form.value(item.name) == item.default


def test_a_choice_that_may_stay_open_can_be_opened_again(qtbot: QtBot) -> None:
    item = next(one for one in LearnDelta.declared() if one.name == "schedule")
    form = form_of(qtbot, item)
    combo = form.editors["schedule"]
    assert isinstance(combo, QComboBox)
    told: list[object] = []
    form.changed.connect(lambda _, value: told.append(value))
    for value in ("cosine", None):
        combo.setCurrentIndex(combo.findText("Automatic") if value is None else combo.findData(value))
        combo.activated.emit(combo.currentIndex())
    assert told == ["cosine", None]
