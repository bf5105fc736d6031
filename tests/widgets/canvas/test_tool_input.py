"""Pointer, pen, keys and composed text on their way to the tool in hand."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.layers.state import Guide
from editor.tools.base import PointerEvent, Tool
from tests.helpers.fake_application import generated, open_document
from widgets.canvas.document_view import DocumentView
from widgets.canvas.view_options import ViewOptions


class Recorder(Tool):
    """Remembers what it was told."""

    id = "brush"
    label = "Recorder"
    icon = "tool-brush"

    def __init__(self, context: object) -> None:
        super().__init__(context)  # type: ignore[arg-type]
        self.told: list[tuple[str, PointerEvent]] = []
        self.keys: list[str] = []
        self.text, self.composed = "", ""
        self.working = self.writes = False

    @property
    def active(self) -> bool:
        return self.working

    @property
    def takes_text(self) -> bool:
        return self.writes

    def press(self, event: PointerEvent) -> None:
        self.told.append(("press", event))

    def move(self, event: PointerEvent) -> None:
        self.told.append(("move", event))

    def release(self, event: PointerEvent) -> None:
        self.told.append(("release", event))

    def hover(self, event: PointerEvent) -> None:
        self.told.append(("hover", event))

    def key(self, name: str) -> bool:
        self.keys.append(name)
        return name == "escape"

    def type(self, text: str) -> bool:
        self.text += text
        return True

    def compose(self, preedit: str) -> None:
        self.composed = preedit


@pytest.fixture
def view(qtbot: QtBot, application: Application) -> Iterator[DocumentView]:
    document = open_document(application, generated())
    made = DocumentView(document, application, ViewOptions(application.settings))
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    yield made
    made.close_tiles()


@pytest.fixture
def tool(view: DocumentView) -> Recorder:
    made = Recorder(view.tools.context)
    view.tools.put("brush", made)
    view.set_tool("brush")
    return made


def at(view: DocumentView, x: float, y: float) -> QPointF:
    return view.viewport.to_view(QPointF(x, y)) / view.ratio


def test_a_drag_reaches_the_tool_in_coordinates_of_the_document(
    view: DocumentView, tool: Recorder, qtbot: QtBot
) -> None:
    start, end = at(view, 10, 20).toPoint(), at(view, 30, 40).toPoint()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, start)
    qtbot.mouseMove(view, end)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    names = [name for name, _ in tool.told]
    assert names == ["press", "move", "release"]
    first, last = tool.told[0][1], tool.told[-1][1]
    assert (first.x, first.y) == pytest.approx((10, 20), abs=1)
    assert (last.x, last.y) == pytest.approx((30, 40), abs=1)
    assert first.modifiers == {"shift"}
    assert first.pressure == 1.0
    assert first.zoom == pytest.approx(view.viewport.zoom / view.ratio)


def test_a_turned_view_gives_the_same_coordinates(view: DocumentView, tool: Recorder, qtbot: QtBot) -> None:
    view.rotate_right()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, 10, 20).toPoint())
    assert (tool.told[0][1].x, tool.told[0][1].y) == pytest.approx((10, 20), abs=1)


def test_a_pen_tells_pressure_and_which_end(view: DocumentView, tool: Recorder) -> None:
    pen = QPointingDevice(
        "pen", 1, QInputDevice.DeviceType.Stylus, QPointingDevice.PointerType.Eraser,
        QInputDevice.Capability.Position | QInputDevice.Capability.Pressure, 1, 2,
    )  # fmt: skip
    point = at(view, 10, 20)
    event = QTabletEvent(
        QEvent.Type.TabletPress, pen, point, point, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0,
        Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton,
    )  # fmt: skip
    QApplication.sendEvent(view, event)
    name, told = tool.told[0]
    assert (name, told.kind, told.erasing) == ("press", "tablet", True)
    assert told.pressure == pytest.approx(0.25)
    assert event.isAccepted()


def test_alt_takes_a_colour_meanwhile(
    view: DocumentView, tool: Recorder, qtbot: QtBot, application: Application
) -> None:
    colours = application.tools.colours
    before = colours.background
    point = at(view, 10, 20).toPoint()
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, alt, point)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, alt, point)
    assert not [name for name, _ in tool.told if name != "hover"]
    assert colours.foreground[:3] == (120, 120, 120)
    assert colours.background == before


def test_space_pans_and_leaves_the_tool_alone(view: DocumentView, tool: Recorder, qtbot: QtBot) -> None:
    left = view.viewport.left
    qtbot.keyPress(view, Qt.Key.Key_Space)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, 10, 20).toPoint())
    qtbot.mouseMove(view, at(view, 15, 20).toPoint())
    assert view.viewport.left > left
    assert not tool.told


def test_escape_and_return_go_to_a_running_tool(view: DocumentView, tool: Recorder, qtbot: QtBot) -> None:
    tool.working = True
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert tool.keys == ["enter", "shift+left", "escape"]


def test_digits_set_the_opacity(view: DocumentView, application: Application, qtbot: QtBot) -> None:
    application.tools.use("brush")
    view.set_tool("brush")
    high = next(one for one in application.tools.settings_of("brush").declared() if one.name == "opacity")
    qtbot.keyClick(view, Qt.Key.Key_4)
    settings = application.tools.settings_of("brush")
    assert settings.opacity == pytest.approx(0.4 * (high.declaration.max or 1))  # type: ignore[attr-defined]


def test_text_and_what_an_input_method_composes(view: DocumentView, tool: Recorder, qtbot: QtBot) -> None:
    from PySide6.QtGui import QInputMethodEvent

    tool.writes = True
    assert view.inputMethodQuery(Qt.InputMethodQuery.ImEnabled) is True
    composing = QInputMethodEvent("ni hao", [])
    QApplication.sendEvent(view, composing)
    assert (tool.text, tool.composed) == ("", "ni hao")
    chosen = QInputMethodEvent("", [])
    chosen.setCommitString("你好")
    QApplication.sendEvent(view, chosen)
    assert (tool.text, tool.composed) == ("你好", "")
    qtbot.keyClicks(view, "ab 4")
    assert tool.text == "你好ab 4"


def test_a_guide_is_moved_and_thrown_away(view: DocumentView, qtbot: QtBot) -> None:
    view.guides.drag_new(True, 20.0, True)
    assert view.document.state.guides == (Guide(vertical=True, position=20.0),)
    view.set_tool("move")
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, 20, 30).toPoint())
    qtbot.mouseMove(view, at(view, 40, 30).toPoint())
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at(view, 40, 30).toPoint())
    assert view.document.state.guides[0].position == pytest.approx(40, abs=1)
    where = view.document.state.guides[0].position
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, where, 30).toPoint())
    qtbot.mouseMove(view, at(view, 40, -500).toPoint())
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at(view, 40, -500).toPoint())
    assert view.document.state.guides == ()


def test_the_right_button_asks_for_the_menu(view: DocumentView, tool: Recorder, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.menu_requested):
        qtbot.mousePress(view, Qt.MouseButton.RightButton, pos=at(view, 10, 20).toPoint())
    qtbot.mouseRelease(view, Qt.MouseButton.RightButton, pos=at(view, 10, 20).toPoint())
    assert not tool.told


def test_ants_march_while_something_is_selected(view: DocumentView, qtbot: QtBot) -> None:
    view.ants.set_looked_at(True)
    assert not view.ants.marching
    view.set_tool("select-rectangle")
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, 10, 20).toPoint())
    qtbot.mouseMove(view, at(view, 40, 50).toPoint())
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at(view, 40, 50).toPoint())
    qtbot.waitUntil(lambda: view.document.state.selection is not None, timeout=5000)
    assert view.ants.marching
    plain = view.grab().toImage()
    qtbot.waitUntil(lambda: _differs(view, plain), timeout=5000)
    view.ants.set_looked_at(False)
    assert not view.ants.marching


def _differs(view: DocumentView, before: object) -> bool:
    return view.grab().toImage() != before
