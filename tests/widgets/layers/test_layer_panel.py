"""The Layers panel."""

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractItemView
from pytestqt.qtbot import QtBot

from editor.adjustments import ADJUSTMENTS
from editor.adjustments.curves import Curves
from editor.adjustments.gaussian_blur import GaussianBlur
from editor.adjustments.invert import Invert
from editor.adjustments.white_balance import WhiteBalance
from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from tests.helpers.fake_application import generated, open_document
from widgets.layers.adjustment_menu import AdjustmentButton
from widgets.layers.blend_box import PASS_THROUGH
from widgets.layers.layer_model import LayerModel
from widgets.layers.layer_panel import LayerPanel
from widgets.layers.layer_properties import LockButtons
from widgets.layers.layer_summary import recipe_summary, spoken, summary
from widgets.window.main_window import MainWindow


@pytest.fixture
def panel(filled: MainWindow, application: Application) -> LayerPanel:
    application.layers.duplicate()
    return layer_panel(filled)


@pytest.fixture
def tree(window: MainWindow, application: Application) -> LayerPanel:
    """bottom, group [a, b masked], top; top is active."""
    own = Mask(raster=Raster.filled(64, 64, 128, channels=1))
    group = Group(name="group", id="group", children=(layer("a"), layer("b", mask=own)))
    nodes = (layer("bottom"), group, layer("top"))
    open_document(application, Document(DocumentState(width=64, height=64, layers=nodes, active="top")))
    return layer_panel(window)


def layer_panel(window: MainWindow) -> LayerPanel:
    made = window.panel("layers")
    assert isinstance(made, LayerPanel)
    return made


def layer(name: str, **fields: object) -> Layer:
    return Layer.of_pixels(name=name, id=name, pixels=np.full((64, 64, 4), 200, np.uint8), **fields)


def current(application: Application) -> Document:
    assert application.current is not None
    return application.current


def names(panel: LayerPanel, parent: QModelIndex | None = None) -> list[str]:
    above = QModelIndex() if parent is None else parent
    return [str(panel.model.index(row, 0, above).data()) for row in range(panel.model.rowCount(above))]


def shape(application: Application) -> list[object]:
    """Ids from bottom to top; a group as (id, children)."""

    def of(nodes: tuple[object, ...]) -> list[object]:
        return [(n.id, of(n.children)) if isinstance(n, Group) else n.id for n in nodes]  # type: ignore[attr-defined]

    return of(current(application).layers)


def click(panel: LayerPanel, qtbot: QtBot, node_id: str, part: str, **how: object) -> None:
    index = panel.model.index_of(node_id)
    panel.tree.scrollTo(index)
    parts = panel.delegate.parts(index, panel.tree.visualRect(index))
    assert parts is not None
    point = getattr(parts, part).center()
    qtbot.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=point, **how)


class TestList:
    def test_lists_layers_topmost_first_and_selects_the_active_one(self, panel: LayerPanel) -> None:
        assert names(panel) == ["Generated copy", "Generated"]
        assert panel.tree.currentIndex().row() == 0

    def test_groups_are_open_and_hold_their_children(self, tree: LayerPanel) -> None:
        group = tree.model.index_of("group")
        assert names(tree) == ["top", "group", "bottom"]
        assert names(tree, group) == ["b", "a"]
        assert tree.tree.isExpanded(group)
        assert tree.model.parent(tree.model.index_of("a")) == group

    def test_a_closed_group_stays_closed_when_the_tree_changes(
        self, tree: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        click(tree, qtbot, "group", "arrow")
        assert not tree.tree.isExpanded(tree.model.index_of("group"))
        current(application).set_active("top")
        application.layers.duplicate()
        assert not tree.tree.isExpanded(tree.model.index_of("group"))

    def test_thumbnails_come_from_another_thread(self, tree: LayerPanel, qtbot: QtBot) -> None:
        thumbnails = tree.model._thumbnails
        node = tree.model.node(tree.model.index_of("b"))
        assert node is not None
        thumbnails.clear()
        assert thumbnails.mask(node) is None
        qtbot.waitUntil(lambda: thumbnails.mask(node) is not None)
        made = thumbnails.mask(node)
        assert made is not None
        assert made.pixelColor(3, 3).red() == 128

    def test_double_click_asks_for_the_sliders(
        self, panel: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        with qtbot.waitSignal(application.recipe_requested):
            panel.tree.doubleClicked.emit(panel.model.index(0))

    def test_double_click_on_an_adjustment_asks_for_its_settings(
        self, tree: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        button = tree.findChild(AdjustmentButton)
        assert button is not None
        label = ADJUSTMENTS["invert"].label
        next(entry for entry in button.menu().actions() if entry.text() == label).trigger()
        node = current(application).active_node
        assert isinstance(node, Adjustment)
        with qtbot.waitSignal(tree.properties_requested):
            tree.tree.doubleClicked.emit(tree.model.index_of(node.id))


class TestChoosing:
    def test_selecting_a_row_makes_the_layer_active(
        self, panel: LayerPanel, application: Application
    ) -> None:
        panel.tree.setCurrentIndex(panel.model.index(1))
        assert current(application).active_layer is current(application).layers[0]

    def test_several_rows_are_chosen_with_control(
        self, tree: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        click(tree, qtbot, "a", "name")
        click(tree, qtbot, "bottom", "name", stateKey=Qt.KeyboardModifier.ControlModifier)
        state = current(application).state
        assert state.active == "bottom"
        assert state.chosen == {"a"}
        assert sorted(tree.tree.selected()) == ["a", "bottom"]

    def test_left_goes_to_the_group_and_space_hides(
        self, tree: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        current(application).set_active("a")
        qtbot.keyClick(tree.tree, Qt.Key.Key_Left)
        assert current(application).state.active == "group"
        qtbot.keyClick(tree.tree, Qt.Key.Key_Space)
        assert not current(application).state.node("group").visible


class TestRowParts:
    def test_a_click_on_the_eye_hides_the_layer(
        self, panel: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        top = current(application).layers[1].id
        click(panel, qtbot, top, "eye")
        assert not current(application).layers[1].visible
        click(panel, qtbot, top, "eye")
        assert current(application).layers[1].visible

    def test_alt_on_the_eye_shows_one_alone_and_all_again(
        self, tree: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        for wanted in ({"group", "a"}, {"bottom", "group", "a", "b", "top"}):
            click(tree, qtbot, "a", "eye", stateKey=Qt.KeyboardModifier.AltModifier)
            assert {node.id for node in current(application).state.nodes() if node.visible} == wanted

    def test_the_mask_is_painted_on_after_a_click_on_it(
        self, tree: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        click(tree, qtbot, "b", "mask")
        assert current(application).state.active == "b"
        assert current(application).edit_mask
        click(tree, qtbot, "b", "thumbnail")
        assert not current(application).edit_mask

    def test_shift_on_the_mask_disables_it(
        self, tree: LayerPanel, application: Application, qtbot: QtBot
    ) -> None:
        click(tree, qtbot, "b", "mask", stateKey=Qt.KeyboardModifier.ShiftModifier)
        mask = current(application).state.node("b").mask
        assert mask is not None
        assert not mask.enabled

    def test_locks(
        self, tree: LayerPanel, application: Application, qtbot: QtBot, window: MainWindow
    ) -> None:
        locks = window.panels["layers"].titleBarWidget().findChild(LockButtons)
        assert isinstance(locks, LockButtons)
        locks.buttons["alpha_locked"].click()
        locks.buttons["locked"].click()
        node = current(application).state.node("top")
        assert (node.locked, node.alpha_locked, node.position_locked) == (True, True, False)
        assert not tree.properties.opacity.isEnabled()
        click(tree, qtbot, "top", "lock")
        assert not current(application).state.node("top").locked
        assert not locks.buttons["locked"].isChecked()


class TestRenaming:
    def test_renaming(self, panel: LayerPanel, application: Application) -> None:
        assert panel.model.setData(panel.model.index(0), "Man older")
        assert names(panel)[0] == "Man older"
        application.undo()
        assert names(panel)[0] == "Generated copy"

    def test_an_empty_name_is_not_taken(self, panel: LayerPanel) -> None:
        assert not panel.model.setData(panel.model.index(0), "  ")
        assert names(panel)[0] == "Generated copy"


class TestProperties:
    def test_a_drag_of_the_opacity_is_shown_and_becomes_one_step(
        self, panel: LayerPanel, application: Application
    ) -> None:
        document, opacity = current(application), panel.properties.opacity
        steps = document.undo_stack.count()
        opacity.setSliderDown(True)
        for percent in (90, 70, 40):
            opacity.setValue(percent)
        assert document.undo_stack.count() == steps
        shown = document.shown_state().node(document.state.active)
        assert shown.opacity == pytest.approx(0.4)
        opacity.setSliderDown(False)
        assert document.layers[1].opacity == pytest.approx(0.4)
        assert document.preview(document.state.active) is None
        assert document.undo_stack.count() == steps + 1
        assert panel.properties.percent.text() == "40 %"
        application.undo()
        assert opacity.value() == 100

    def test_two_drags_are_two_steps(self, panel: LayerPanel, application: Application) -> None:
        document, opacity = current(application), panel.properties.opacity
        steps = document.undo_stack.count()
        for percent in (80, 30):
            opacity.setSliderDown(True)
            opacity.setValue(percent)
            opacity.setSliderDown(False)
        assert document.undo_stack.count() == steps + 2

    def test_typed_percent(self, panel: LayerPanel, application: Application) -> None:
        panel.properties.percent.setValue(25)
        assert current(application).layers[1].opacity == pytest.approx(0.25)

    def test_choosing_a_blend_mode(self, panel: LayerPanel, application: Application) -> None:
        choose(panel, BlendMode.MULTIPLY)
        assert current(application).layers[1].blend_mode is BlendMode.MULTIPLY

    def test_several_layers_at_once_are_one_step(self, tree: LayerPanel, application: Application) -> None:
        document = current(application)
        document.choose("a", ["top"])
        choose(tree, BlendMode.SCREEN)
        assert {document.state.node(key).blend_mode for key in ("a", "top")} == {BlendMode.SCREEN}
        assert document.undo_stack.count() == 1

    def test_only_groups_pass_through(self, tree: LayerPanel, application: Application) -> None:
        assert tree.properties.blend.findData(PASS_THROUGH) < 0
        current(application).set_active("group")
        choose(tree, PASS_THROUGH)
        group = current(application).active_node
        assert isinstance(group, Group)
        assert not group.isolated
        choose(tree, BlendMode.NORMAL)
        group = current(application).active_node
        assert isinstance(group, Group)
        assert group.isolated


class TestDragging:
    def test_dropping_a_row_moves_the_layer(self, panel: LayerPanel, application: Application) -> None:
        model: LayerModel = panel.model
        top = current(application).layers[1].id
        data = model.mimeData([model.index(0)])
        model.dropMimeData(data, Qt.DropAction.MoveAction, 2, 0, QModelIndex())
        assert current(application).layers[0].id == top
        assert names(panel) == ["Generated", "Generated copy"]

    def test_into_a_group_and_out_again(self, tree: LayerPanel, application: Application) -> None:
        model = tree.model
        data = model.mimeData([model.index_of("top")])
        model.dropMimeData(data, Qt.DropAction.MoveAction, -1, 0, model.index_of("group"))
        assert shape(application) == ["bottom", ("group", ["a", "b", "top"])]
        model.dropMimeData(data, Qt.DropAction.MoveAction, -1, 0, QModelIndex())
        assert shape(application) == ["top", "bottom", ("group", ["a", "b"])]

    def test_several_go_together_and_keep_their_order(
        self, tree: LayerPanel, application: Application
    ) -> None:
        model = tree.model
        data = model.mimeData([model.index_of("top"), model.index_of("bottom")])
        model.dropMimeData(data, Qt.DropAction.MoveAction, 1, 0, model.index_of("group"))
        assert shape(application) == [("group", ["a", "bottom", "top", "b"])]
        assert current(application).undo_stack.count() == 1

    def test_a_group_cannot_go_into_itself(self, tree: LayerPanel, application: Application) -> None:
        before = shape(application)
        messages: list[str] = []
        application.message.connect(lambda text, hint, level: messages.append(text))
        model = tree.model
        for dragged in (["group"], ["group", "top"]):
            data = model.mimeData([model.index_of(key) for key in dragged])
            model.dropMimeData(data, Qt.DropAction.MoveAction, -1, 0, model.index_of("group"))
        assert shape(application) == before
        assert messages == ["A group cannot be put into itself."] * 2

    def test_below_an_open_groups_row_is_into_it(
        self, tree: LayerPanel, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        below = QAbstractItemView.DropIndicatorPosition.BelowItem
        monkeypatch.setattr(tree.tree, "dropIndicatorPosition", lambda: below)
        row = tree.tree.visualRect(tree.model.index_of("group"))
        drop(tree, tree.model.mimeData([tree.model.index_of("bottom")]), row.center())
        assert shape(application) == [("group", ["a", "b", "bottom"]), "top"]


class TestWords:
    def test_the_summary_says_which_sliders_moved(self, application: Application) -> None:
        document = open_document(application, generated())
        session = application.session
        assert session is not None
        recipe = document.layers[0].recipe
        assert recipe is not None
        assert recipe_summary(recipe) == "seed 7 · mini-sdxl"
        session.add_attribute(0, "age")
        session.set_value(0, "age", -0.5, dragging=True)
        assert recipe_summary(session.recipe) == "age −0.50 · seed 7"

    def test_kinds(self) -> None:
        group = Group(name="g", children=(layer("a"), layer("b")), isolated=False)
        assert summary(group) == "2 layers · pass through"
        for name, settings, wanted in (
            ("White balance", WhiteBalance(temperature=20, tint=-5), "Temperature +20 · Tint −5"),
            ("White balance", WhiteBalance(), "adjustment layer"),
            ("Warmer", WhiteBalance(temperature=20), "White balance · Temperature +20"),
            ("Curves", Curves(red=((0.0, 0.0), (0.5, 0.6), (1.0, 1.0))), "Red"),
            ("Gaussian blur", GaussianBlur(), "Radius (px) 4"),
            ("Invert", Invert(), "adjustment layer"),
            ("Colours", Invert(), "Invert"),
        ):
            assert summary(Adjustment(name=name, settings=settings)) == wanted
        assert summary(layer("a", blend_mode=BlendMode.MULTIPLY)) == "Multiply · 64 × 64 px"

    def test_what_a_screen_reader_says(self) -> None:
        assert spoken(layer("a", visible=False, locked=True)) == "a, 64 × 64 px, hidden, locked"

    def test_the_menu_of_a_row_has_the_layer_menus_entries(
        self, panel: LayerPanel, filled: MainWindow
    ) -> None:
        menu = panel.context_menu()
        assert filled.actions_by_id["layer.duplicate"] in menu.actions()


def choose(panel: LayerPanel, mode: object) -> None:
    box = panel.properties.blend
    row = box.findData(mode)
    assert row >= 0
    box.setCurrentIndex(row)
    box.activated.emit(row)


def drop(panel: LayerPanel, data: QMimeData, point: QPoint) -> None:
    event = QDropEvent(
        QPointF(point),
        Qt.DropAction.MoveAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    panel.tree.dropEvent(event)
