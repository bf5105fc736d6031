"""The panel for any operation, over a scripted service: a result becomes a layer, which can be made again."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QToolButton
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.layers.layer import Layer
from inference.content import Mask, Picture
from inference.kinds import content_type
from inference.operations import OPERATIONS, Enlarge, Fill, Redraw
from tests.helpers.fake_application import pictures
from tests.helpers.fake_service import FakeService
from widgets.forms.parameter_form import ParameterForm
from widgets.generate.operation_panel import OperationPanel, offered
from widgets.history.history_panel import HistoryPanel
from widgets.window.main_window import MainWindow


@pytest.fixture
def panel(filled: MainWindow, service: FakeService) -> OperationPanel:
    filled.show_edit("redraw")
    found = filled.panel("operations")
    assert isinstance(found, OperationPanel)
    choose(found, "redraw")
    return found


def choose(panel: OperationPanel, name: str) -> None:
    """As a user chooses: the form follows."""
    panel.choice.setCurrentIndex(panel.choice.findData(name))
    panel.choice.activated.emit(panel.choice.currentIndex())


def form_of(panel: OperationPanel) -> ParameterForm:
    assert isinstance(panel.form, ParameterForm)
    return panel.form


def run(panel: OperationPanel, application: Application, qtbot: QtBot) -> Layer:
    qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not application.background.busy and not application.service.jobs())
    document = application.current
    assert document is not None
    layer = document.state.find(document.state.active)
    assert isinstance(layer, Layer)
    return layer


def test_every_operation_without_a_panel_is_offered(panel: OperationPanel) -> None:
    names = [panel.choice.itemData(row) for row in range(panel.choice.count())]
    assert names == [one.name for one in offered()]
    assert "redraw" in names
    assert not {"generate", "refine", "score"} & set(names)


def test_a_result_is_a_layer_that_is_made_again(
    panel: OperationPanel, application: Application, qtbot: QtBot
) -> None:
    document = application.current
    assert document is not None
    count = len(document.layers)
    form_of(panel).set_value("prompt", "一只猫")
    form_of(panel).set_value("strength", 0.3)
    first = run(panel, application, qtbot)
    assert len(document.layers) == count + 1
    assert first.recipe is not None
    made = first.recipe.request.parameters
    assert isinstance(made, Redraw)
    assert (made.prompt, made.strength) == ("一只猫", 0.3)
    form_of(panel).set_value("strength", 0.8)
    second = run(panel, application, qtbot)
    assert len(document.layers) == count + 1
    assert second.id == first.id
    assert second.recipe is not None
    again = second.recipe.request.parameters
    assert isinstance(again, Redraw)
    assert (again.strength, again.image, again.prompt) == (0.8, made.image, made.prompt)
    assert second.recipe.contents.keys() == first.recipe.contents.keys()


def test_the_result_leaves_the_edit_in_front_and_gives_the_focus_back(
    panel: OperationPanel, filled: MainWindow, service: FakeService, application: Application, qtbot: QtBot
) -> None:
    service.fake_engine.automatic = False  # else it can be done between two looks
    filled.activateWindow()
    panel.start.setFocus()
    qtbot.waitUntil(panel.start.hasFocus)
    qtbot.keyClick(panel.start, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not panel.start.isEnabled() and bool(service.jobs()))
    assert not any(button.hasFocus() for button in filled.findChildren(QToolButton))  # Undo got it
    service.finish()
    qtbot.waitUntil(lambda: not application.background.busy and not application.service.jobs())
    assert panel.isVisible()
    assert panel.start.text() == "Make again"
    assert panel.start.hasFocus()


def test_of_a_long_prompt_the_beginning_is_seen(panel: OperationPanel) -> None:
    form = form_of(panel)
    form.set_value("prompt", "a photo of a man and a woman on the beach under a blue sky")
    line = form.editors["prompt"]
    assert isinstance(line, QLineEdit)
    assert line.cursorPosition() == 0


def test_making_again_offers_what_may_change(
    panel: OperationPanel, application: Application, qtbot: QtBot
) -> None:
    form = form_of(panel)
    panel.more.setChecked(True)
    pictures = {item.name for item in Redraw.declared() if content_type(item) in (Picture, Mask)}
    assert all(not form.editors[name].isHidden() for name in pictures)
    form.set_value("prompt", "a cat")
    run(panel, application, qtbot)
    editable = OPERATIONS["redraw"].editable
    shown = {name for name, editor in form_of(panel).editors.items() if not editor.isHidden()}
    assert shown
    assert shown <= editable


@pytest.mark.parametrize(("name", "masked"), [("fill", True), ("redraw", False)])
def test_fill_draws_what_is_selected_without_being_told(
    name: str, masked: bool, panel: OperationPanel, application: Application, qtbot: QtBot
) -> None:
    choose(panel, name)
    document = application.current
    assert document is not None
    application.selection.all()
    qtbot.waitUntil(lambda: document.state.selection is not None)
    form_of(panel).set_value("prompt", "a cat")
    layer = run(panel, application, qtbot)
    assert layer.recipe is not None
    parameters = layer.recipe.request.parameters
    assert isinstance(parameters, Fill if masked else Redraw)
    assert (parameters.mask is not None) is masked


def test_what_the_picture_shows_is_not_the_prompt_of_its_tiles(panel: OperationPanel) -> None:
    assert form_of(panel).value("prompt") != ""
    choose(panel, "enlarge")
    assert form_of(panel).value("prompt") == ""


def test_an_enlarged_picture_opens_as_its_own(
    panel: OperationPanel, filled: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    choose(panel, "enlarge")
    before = application.current
    assert before is not None
    layers, size = before.layers, (before.width, before.height)
    assert "picture of its own" in panel.hint.text()
    service.pictures = lambda request: tuple(one.repeat(2, 0).repeat(2, 1) for one in pictures(request))
    form_of(panel).set_value("factor", 2.0)
    layer = run(panel, application, qtbot)
    after = application.current
    assert after is not None
    assert after is not before
    assert before.layers is layers
    assert (after.width, after.height) == (2 * size[0], 2 * size[1])
    assert after.modified  # it is in no file yet
    history = filled.panel("history")
    assert isinstance(history, HistoryPanel)
    assert history.model.index(0, 0).data() == "Enlarge"
    assert layer.recipe is not None
    assert isinstance(layer.recipe.request.parameters, Enlarge)
    assert panel.start.text() == "Make again"
    form_of(panel).set_value("strength", 0.6)
    again = run(panel, application, qtbot)
    assert application.current is after
    assert again.id == layer.id
    assert again.recipe is not None
    assert again.recipe.request.parameters.strength == 0.6  # type: ignore[attr-defined]


def test_what_is_typed_while_a_layer_is_made_stays_for_the_next_one(
    panel: OperationPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    form_of(panel).set_value("prompt", "a cat")
    first = run(panel, application, qtbot)
    service.fake_engine.automatic = False
    count = len(service.submitted)
    form_of(panel).set_value("strength", 0.8)
    panel.start.click()
    qtbot.waitUntil(lambda: len(service.submitted) > count)
    form_of(panel).set_value("prompt", "a dog")
    service.finish()
    document = application.current
    assert document is not None
    qtbot.waitUntil(lambda: document.layer(first.id).recipe.request.parameters.strength == 0.8)  # type: ignore[union-attr]
    assert (form_of(panel).value("prompt"), form_of(panel).value("strength")) == ("a dog", 0.8)
    document.undo_stack.undo()
    assert form_of(panel).value("prompt") == "a dog"
    assert form_of(panel).value("strength") == first.recipe.request.parameters.strength  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["redraw", "fill"])
def test_words_that_the_model_cannot_draw_are_told_before(panel: OperationPanel, name: str) -> None:
    choose(panel, name)
    field = form_of(panel).editors["prompt"]
    assert isinstance(field, QLineEdit)
    field.setText("a zebra and a dog")
    assert panel.unknown.text() == "This model cannot draw: zebra"
    assert panel.unknown.isVisible()
    field.setText("a (dog:1.2)")
    weighted = form_of(panel).editors["weighted"]
    assert isinstance(weighted, QCheckBox)
    weighted.setChecked(False)
    assert panel.unknown.text() == "This model cannot draw: 1 · 2"
    weighted.setChecked(True)
    assert panel.unknown.isHidden(), "marks of weights are no words"
