"""The Properties panel: forms, curves, levels, masks."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from editor.adjustments import ADJUSTMENTS
from editor.adjustments.curves import STRAIGHT
from editor.adjustments.levels import NEUTRAL
from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Adjustment, Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from tests.helpers.fake_application import open_document
from widgets.adjustments.properties_panel import PropertiesPanel
from widgets.adjustments.tone_editors import CurvesEditor, LevelsPanel
from widgets.forms.slider_form import NumberRow
from widgets.window.main_window import MainWindow


def adjusted(kind: str, **fields: object) -> Document:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 4), np.uint8)
    base = Layer.of_pixels(name="base", pixels=pixels)
    node = Adjustment(name=kind, id="adjustment", settings=ADJUSTMENTS[kind].settings(), **fields)  # type: ignore[arg-type]
    return Document(DocumentState(width=32, height=32, layers=(base, node), active="adjustment"))


def panel_of(window: MainWindow, kind: str, **fields: object) -> PropertiesPanel:
    open_document(window.application, adjusted(kind, **fields))
    window.panels["properties"].show()
    window.panels["properties"].raise_()
    panel = window.panel("properties")
    assert isinstance(panel, PropertiesPanel)
    return panel


def settings_of(application: Application) -> object:
    assert application.current is not None
    node = application.current.state.node("adjustment")
    assert isinstance(node, Adjustment)
    return node.settings


@pytest.mark.parametrize("kind", sorted(ADJUSTMENTS))
def test_every_adjustment_shows_all_that_can_be_set(window: MainWindow, kind: str) -> None:
    panel = panel_of(window, kind)
    assert panel.editor is not None
    special = panel.editor.special
    shown = {*panel.editor.form.rows, *(special.names if special is not None else ())}
    assert shown == {item.name for item in ADJUSTMENTS[kind].settings.declared()}
    assert panel.empty.isHidden()


def test_nothing_to_set_is_said(window: MainWindow, application: Application) -> None:
    panel = panel_of(window, "invert")
    application.layers.choose_below()
    assert panel.editor is None
    assert not panel.empty.isHidden()


class TestSliders:
    def test_a_drag_is_shown_and_becomes_one_step(self, window: MainWindow, application: Application) -> None:
        panel, document = panel_of(window, "hue-saturation"), application.current
        assert panel.editor is not None
        assert document is not None
        row = panel.editor.form.rows["saturation"]
        assert isinstance(row, NumberRow)
        row.slider.setSliderDown(True)
        for position in (600, 700, 800):
            row.slider.setValue(position)
        assert document.undo_stack.count() == 0
        shown = document.shown_state().node("adjustment")
        assert isinstance(shown, Adjustment)
        assert shown.settings.saturation == pytest.approx(60)  # type: ignore[attr-defined]
        row.slider.setSliderDown(False)
        assert document.undo_stack.count() == 1
        assert settings_of(application).saturation == pytest.approx(60)  # type: ignore[attr-defined]
        application.undo()
        assert row.value == 0

    def test_typed_numbers_and_boxes_are_steps(self, window: MainWindow, application: Application) -> None:
        panel = panel_of(window, "hue-saturation")
        assert panel.editor is not None
        row = panel.editor.form.rows["hue"]
        assert isinstance(row, NumberRow)
        row.box.setValue(-30)
        panel.editor.form.rows["colourise"].click()  # type: ignore[union-attr]
        assert application.current is not None
        assert application.current.undo_stack.count() == 2
        assert settings_of(application).hue == -30  # type: ignore[attr-defined]
        assert settings_of(application).colourise  # type: ignore[attr-defined]

    def test_reset(self, window: MainWindow, application: Application) -> None:
        panel = panel_of(window, "hue-saturation")
        assert panel.editor is not None
        assert panel.editor.reset.isHidden()
        row = panel.editor.form.rows["hue"]
        assert isinstance(row, NumberRow)
        row.box.setValue(10)
        panel.editor.reset.click()
        assert settings_of(application) == ADJUSTMENTS["hue-saturation"].settings()

    def test_a_locked_adjustment_cannot_be_set(self, window: MainWindow) -> None:
        panel = panel_of(window, "hue-saturation", locked=True)
        assert panel.editor is not None
        assert not panel.editor.form.isEnabled()


class TestCurves:
    @pytest.fixture
    def curves(self, window: MainWindow) -> CurvesEditor:
        panel = panel_of(window, "curves")
        assert panel.editor is not None
        assert isinstance(panel.editor.special, CurvesEditor)
        return panel.editor.special

    def test_a_click_adds_a_point_and_the_drag_is_one_step(
        self, curves: CurvesEditor, application: Application, qtbot: QtBot
    ) -> None:
        curve, document = curves.curve, application.current
        assert document is not None
        start = curve._place((0.5, 0.5)).toPoint()
        qtbot.mousePress(curve, Qt.MouseButton.LeftButton, pos=start)
        qtbot.mouseMove(curve, start - QPoint(0, 30))
        assert document.undo_stack.count() == 0
        shown = document.shown_state().node("adjustment")
        assert isinstance(shown, Adjustment)
        assert len(shown.settings.combined) == 3  # type: ignore[attr-defined]
        qtbot.mouseRelease(curve, Qt.MouseButton.LeftButton, pos=start - QPoint(0, 30))
        assert document.undo_stack.count() == 1
        points = settings_of(application).combined  # type: ignore[attr-defined]
        assert points[1][0] == pytest.approx(0.5, abs=0.01)
        assert points[1][1] > 0.55

    def test_keys_choose_move_add_and_remove(
        self, curves: CurvesEditor, application: Application, qtbot: QtBot
    ) -> None:
        curve = curves.curve
        qtbot.keyClick(curve, Qt.Key.Key_Insert)
        assert len(curve.points) == 3
        x, y = curve.points[1]
        qtbot.keyClick(curve, Qt.Key.Key_Up)
        qtbot.keyClick(curve, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        assert curve.points[1] == pytest.approx((x + 10 / 255, y + 1 / 255))
        assert (curves.input.value(), curves.output.value()) == (138, 129)
        qtbot.keyClick(curve, Qt.Key.Key_Delete)
        assert curve.points == STRAIGHT
        qtbot.keyClick(curve, Qt.Key.Key_PageDown)
        qtbot.keyClick(curve, Qt.Key.Key_Delete)
        assert curve.points == STRAIGHT
        assert settings_of(application).combined == STRAIGHT  # type: ignore[attr-defined]

    def test_a_point_dragged_out_is_gone(self, curves: CurvesEditor, qtbot: QtBot) -> None:
        curve = curves.curve
        curve.add_point(0.5, 0.5)
        start = curve._place((0.5, 0.5)).toPoint()
        qtbot.mousePress(curve, Qt.MouseButton.LeftButton, pos=start)
        qtbot.mouseMove(curve, QPoint(start.x(), -80))
        qtbot.mouseRelease(curve, Qt.MouseButton.LeftButton, pos=QPoint(start.x(), -80))
        assert curve.points == STRAIGHT

    def test_points_do_not_pass_each_other(self, curves: CurvesEditor) -> None:
        curve = curves.curve
        curve.add_point(0.3, 0.3)
        curve.add_point(0.6, 0.6)
        curve.set_point(0.1, 2.0)
        assert 0.3 < curve.points[2][0] < 0.32
        assert curve.points[2][1] == 1.0

    def test_each_channel_has_its_own(self, curves: CurvesEditor, application: Application) -> None:
        curves.channel.setCurrentIndex(curves.channel.findData("blue"))
        curves.curve.add_point(0.5, 0.8)
        settings = settings_of(application)
        assert settings.combined == STRAIGHT  # type: ignore[attr-defined]
        assert len(settings.blue) == 3  # type: ignore[attr-defined]
        curves.reset.click()
        assert settings_of(application).blue == STRAIGHT  # type: ignore[attr-defined]

    def test_the_histogram_comes_from_another_thread(self, curves: CurvesEditor, qtbot: QtBot) -> None:
        qtbot.waitUntil(lambda: len(curves.histograms.heights("red")) == 256)
        assert max(curves.histograms.heights("red")) == pytest.approx(1)


class TestLevels:
    @pytest.fixture
    def levels(self, window: MainWindow) -> LevelsPanel:
        panel = panel_of(window, "levels")
        assert panel.editor is not None
        assert isinstance(panel.editor.special, LevelsPanel)
        return panel.editor.special

    def test_dragging_the_black_handle(
        self, levels: LevelsPanel, application: Application, qtbot: QtBot
    ) -> None:
        track, document = levels.editor.input, application.current
        assert document is not None
        bar = track._bar()
        qtbot.mousePress(track, Qt.MouseButton.LeftButton, pos=bar.topLeft().toPoint())
        qtbot.mouseMove(track, QPoint(round(bar.left() + bar.width() / 4), 120))
        assert document.undo_stack.count() == 0
        qtbot.mouseRelease(track, Qt.MouseButton.LeftButton)
        assert document.undo_stack.count() == 1
        black, gamma, white, low, high = settings_of(application).combined  # type: ignore[attr-defined]
        assert black == pytest.approx(0.25, abs=0.01)
        assert (gamma, white, low, high) == (1.0, 1.0, 0.0, 1.0)

    def test_numbers(self, levels: LevelsPanel, application: Application) -> None:
        boxes = levels.editor.boxes
        boxes[1].setValue(1.5)  # type: ignore[arg-type]
        boxes[2].setValue(200)
        assert settings_of(application).combined[1:3] == pytest.approx((1.5, 200 / 255))  # type: ignore[attr-defined]
        levels.reset.click()
        assert settings_of(application).combined == NEUTRAL  # type: ignore[attr-defined]

    def test_black_stays_below_white(self, levels: LevelsPanel) -> None:
        levels.editor.set_value(2, 0.5)
        levels.editor.set_value(0, 0.9)
        black, _, white, _, _ = levels.editor.range
        assert 0 < white - black < 0.01

    def test_the_middle_handle_sets_gamma(self, levels: LevelsPanel, qtbot: QtBot) -> None:
        track = levels.editor.input
        qtbot.keyClick(track, Qt.Key.Key_PageDown)
        qtbot.keyClick(track, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
        assert levels.editor.range[1] > 1.05


def test_a_mask_can_be_switched_off(window: MainWindow, application: Application) -> None:
    mask = Mask(raster=Raster.filled(32, 32, 255, channels=1))
    panel = panel_of(window, "invert", mask=mask)
    panel.mask_settings.enabled.click()
    panel.mask_settings.painted.click()
    assert application.current is not None
    changed = application.current.state.node("adjustment").mask
    assert changed is not None
    assert not changed.enabled
    assert application.current.edit_mask
