"""The tool bar, the options bar, and the colours."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox
from pytestqt.qtbot import QtBot

from editor.actions import in_menu
from editor.application import Application
from editor.tools import TOOLS
from inference.parameters import ParameterField, param
from widgets.colours.colour_picker import ColourPicker
from widgets.forms.number_field import NumberField
from widgets.window.main_window import MainWindow
from widgets.window.tool_bar import GROUPS


def test_every_tool_has_an_action_and_a_button() -> None:
    offered = {item.argument for item in in_menu("tools") if item.command == "tools.use"}
    assert set(TOOLS) <= offered
    assert offered <= {name for group in GROUPS for name in group}


def test_a_button_takes_its_tool_in_hand(window: MainWindow, application: Application, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.tool_bar.buttons["brush"], Qt.MouseButton.LeftButton)
    assert application.tools.current == "brush"
    assert window.actions_by_id["tool.brush"].isChecked()
    application.tools.use("select-ellipse")
    assert window.tool_bar.buttons["select-rectangle"].isChecked()
    assert not window.tool_bar.buttons["brush"].isChecked()


def test_the_options_are_the_tools_declarations(window: MainWindow, application: Application) -> None:
    for tool in TOOLS:
        application.tools.use(tool)
        declared = [item for item in TOOLS[tool].Settings.declared() if not item.declaration.hidden]
        assert set(window.tool_options.fields) == {item.name for item in declared}
        settings = application.tools.settings_of(tool)
        for item in declared:
            shown = window.tool_options.value(item.name)
            if item.name == "family" and not settings.family:  # type: ignore[attr-defined]
                continue  # the field shows the font that is taken then
            assert shown == pytest.approx(getattr(settings, item.name), abs=0.051)


def test_a_changed_option_lasts_between_runs(window: MainWindow, application: Application) -> None:
    application.tools.use("brush")
    size = window.tool_options.fields["size"]
    assert isinstance(size, NumberField)
    size.box.setValue(77)  # type: ignore[arg-type]
    assert application.tools.settings_of("brush").size == 77  # type: ignore[attr-defined]
    from editor.controllers.tools import ToolController

    again = ToolController(application.settings)
    assert again.settings_of("brush").size == 77  # type: ignore[attr-defined]
    application.tools.reset("brush")
    assert application.tools.settings_of("brush") == TOOLS["brush"].Settings()


def test_brackets_change_the_size_by_at_least_a_pixel(application: Application) -> None:
    tools = application.tools
    tools.use("brush")
    tools.configure("brush", size=10)
    tools.larger()
    assert tools.settings_of("brush").size >= 11  # type: ignore[attr-defined]
    for _ in range(100):
        tools.smaller()
    low = next(one for one in tools.settings_of("brush").declared() if one.name == "size").declaration.min
    assert tools.settings_of("brush").size == low  # type: ignore[attr-defined]


def field(kind: type, low: float, high: float) -> ParameterField:
    declaration = param(low, "Value", min=low, max=high).metadata["declaration"]
    return ParameterField(name="value", type=kind, optional=False, default=low, declaration=declaration)


@pytest.mark.parametrize(("kind", "low", "high"), [(int, 1, 1000), (float, 0.0, 1.0), (float, -180.0, 180.0)])
def test_a_number_field_keeps_to_its_range(qtbot: QtBot, kind: type, low: float, high: float) -> None:
    number = NumberField(field(kind, low, high))
    qtbot.addWidget(number)
    number.set_value(high)
    assert number.slider is not None
    assert number.slider.value() == number.slider.maximum()
    assert isinstance(number.box, QSpinBox | QDoubleSpinBox)
    qtbot.keyClicks(number.box, "99999")
    qtbot.keyClick(number.box, Qt.Key.Key_Return)
    assert low <= number.value <= high
    with qtbot.waitSignal(number.changed) as told:
        number.slider.setValue(0)
    assert told.args == [pytest.approx(low)]


def test_a_click_on_a_square_opens_the_picker_and_sets_that_colour(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    pair = window.tool_bar.swatches.pair
    qtbot.mouseClick(pair, Qt.MouseButton.LeftButton, pos=QPoint(30, 30))
    assert pair.picker is not None
    pair.picker.hex.setText("#336699")
    pair.picker.hex.editingFinished.emit()
    assert application.tools.colours.background == (0x33, 0x66, 0x99, 255)
    assert application.tools.colours.foreground == (0, 0, 0, 255)
    pair.picker.close()


def test_the_picker_shows_one_colour_in_all_its_fields(qtbot: QtBot) -> None:
    picker = ColourPicker()
    qtbot.addWidget(picker)
    picker.show_colour((255, 0, 0, 128))
    assert picker.hex.text() == "#ff000080"
    assert [picker.boxes[name].value() for name in "hsvrgba"] == [0, 100, 100, 255, 0, 0, 50]
    with qtbot.waitSignal(picker.chosen) as told:
        picker.boxes["g"].setValue(255)
    assert told.args == [(255, 255, 0, 128)]
    picker.hex.setText("no colour")
    picker.hex.editingFinished.emit()
    assert picker.hex.text() == "#ffff0080"


@pytest.mark.parametrize("width", [640, 900, 2400])
def test_every_option_is_reachable(
    window: MainWindow, application: Application, qtbot: QtBot, width: int
) -> None:
    """What finds no room in the bar stands in the menu at its end."""
    window.resize(width, 700)
    options = window.tool_options
    for tool in TOOLS:
        application.tools.use(tool)
        qtbot.wait(1)
        hidden = options.row.overflowing()
        assert options.row.more.isVisible() == bool(hidden), tool
        for name, field in options.fields.items():
            inside = any(row.isAncestorOf(field) for row in hidden)
            advanced = not options.row.isAncestorOf(field) and not inside
            end = field.mapTo(options, field.rect().bottomRight()).x() if not inside and not advanced else 0
            assert end <= options.width(), (tool, name)
        if width == 2400:
            assert not hidden


def test_the_menu_of_what_finds_no_room_sets_options(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    window.resize(640, 700)
    application.tools.use("transform")
    qtbot.wait(1)
    angle = window.tool_options.fields["angle"]
    assert isinstance(angle, NumberField)
    assert any(row.isAncestorOf(angle) for row in window.tool_options.row.overflowing())
    angle.box.setValue(12.0)  # type: ignore[arg-type]
    assert application.tools.settings_of("transform").angle == 12.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", ["apply", "cancel"])
def test_a_crop_waits_for_an_answer(
    filled: MainWindow, application: Application, qtbot: QtBot, answer: str
) -> None:
    options, view, document = filled.tool_options, filled.workspace.view, application.current
    assert view is not None
    assert document is not None
    application.tools.use("crop")
    assert not options.apply.isVisible()
    at = [(view.viewport.to_view(QPointF(x, y)) / view.ratio).toPoint() for x, y in ((8, 8), (40, 30))]
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at[0])
    qtbot.mouseMove(view, at[1])
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at[1])
    qtbot.waitUntil(options.apply.isVisible)
    qtbot.mouseClick(getattr(options, answer), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not options.apply.isVisible())
    assert (document.width < 64) == (answer == "apply")


def test_another_tool_needs_no_answer(filled: MainWindow, application: Application, qtbot: QtBot) -> None:
    application.tools.use("transform")
    application.tools.configure("transform", x=5.0)
    qtbot.waitUntil(filled.tool_options.cancel.isVisible)
    application.tools.use("brush")
    qtbot.waitUntil(lambda: not filled.tool_options.cancel.isVisible())


def test_the_bar_is_as_high_as_its_options(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    options = window.tool_options
    for tool in TOOLS:
        application.tools.use(tool)
        qtbot.wait(1)
        assert options.rect().contains(options.row.geometry()), tool
        for field in options.fields.values():
            if options.row.isAncestorOf(field):
                middle = field.mapTo(options, field.rect().center()).y()
                assert abs(middle - options.height() // 2) <= 4, (tool, middle)
