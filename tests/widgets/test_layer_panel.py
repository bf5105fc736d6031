"""The Layers panel."""

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.layer import BlendMode
from tests.helpers.fake_application import generated, open_document
from widgets.layer_model import LayerModel, recipe_summary
from widgets.layer_panel import LayerPanel
from widgets.main_window import MainWindow


@pytest.fixture
def panel(filled: MainWindow, application: Application) -> LayerPanel:
    application.duplicate_layer()
    made = filled.panel("layers")
    assert isinstance(made, LayerPanel)
    return made


def names(panel: LayerPanel) -> list[str]:
    return [str(panel.model.index(row).data()) for row in range(panel.model.rowCount())]


def test_lists_layers_topmost_first_and_selects_the_active_one(panel: LayerPanel) -> None:
    assert names(panel) == ["Generated copy", "Generated"]
    assert panel.list.currentIndex().row() == 0


def test_selecting_a_row_makes_the_layer_active(panel: LayerPanel, application: Application) -> None:
    panel.list.setCurrentIndex(panel.model.index(1))
    assert application.current is not None
    assert application.current.active_layer is application.current.layers[0]


def test_a_click_on_the_eye_hides_the_layer(
    panel: LayerPanel, application: Application, qtbot: QtBot
) -> None:
    index = panel.model.index(0)
    eye = panel.delegate.eye_rect(panel.list.visualRect(index)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=eye)
    assert application.current is not None
    assert not application.current.layers[1].visible
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=eye)
    assert application.current.layers[1].visible


def test_renaming(panel: LayerPanel, application: Application) -> None:
    assert panel.model.setData(panel.model.index(0), "Man older")
    assert names(panel)[0] == "Man older"
    application.undo()
    assert names(panel)[0] == "Generated copy"


def test_an_empty_name_is_not_taken(panel: LayerPanel) -> None:
    assert not panel.model.setData(panel.model.index(0), "  ")
    assert names(panel)[0] == "Generated copy"


def test_a_drag_of_the_opacity_is_one_step(panel: LayerPanel, application: Application) -> None:
    document = application.current
    assert document is not None
    steps = document.undo_stack.count()
    panel.opacity.setSliderDown(True)
    for percent in (90, 70, 40):
        panel.opacity.setValue(percent)
    panel.opacity.setSliderDown(False)
    assert document.layers[1].opacity == pytest.approx(0.4)
    assert document.undo_stack.count() == steps + 1
    assert panel.percent.text() == "40 %"
    application.undo()
    assert panel.opacity.value() == 100


def test_choosing_a_blend_mode(panel: LayerPanel, application: Application) -> None:
    row = panel.blend.findData(BlendMode.MULTIPLY)
    panel.blend.setCurrentIndex(row)
    panel.blend.activated.emit(row)
    assert application.current is not None
    assert application.current.layers[1].blend_mode is BlendMode.MULTIPLY


def test_dropping_a_row_moves_the_layer(panel: LayerPanel, application: Application) -> None:
    model: LayerModel = panel.model
    assert application.current is not None
    top = application.current.layers[1].id
    data = model.mimeData([model.index(0)])
    model.dropMimeData(data, Qt.DropAction.MoveAction, 2, 0, QModelIndex())
    assert application.current.layers[0].id == top
    assert names(panel) == ["Generated", "Generated copy"]


def test_the_summary_says_which_sliders_moved(application: Application) -> None:
    document = open_document(application, generated())
    session = application.session
    assert session is not None
    recipe = document.layers[0].recipe
    assert recipe is not None
    assert recipe_summary(recipe) == "seed 7 · mini-sdxl"
    session.add_attribute(0, "age")
    session.set_value(0, "age", -0.5, dragging=True)
    assert recipe_summary(session.recipe) == "age −0.50 · seed 7"


def test_double_click_asks_for_the_sliders(panel: LayerPanel, application: Application, qtbot: QtBot) -> None:
    with qtbot.waitSignal(application.recipe_requested):
        panel.list.doubleClicked.emit(panel.model.index(0))
