"""Space over the picture holds the hand, whatever has the focus."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from editor.application import Application
from widgets.canvas.canvas import Canvas
from widgets.layers.layer_panel import LayerPanel
from widgets.window.main_window import MainWindow


@pytest.fixture
def canvas(filled: MainWindow, qtbot: QtBot) -> Canvas:
    view = filled.workspace.view
    assert view is not None
    filled.activateWindow()
    return view


def point_at(canvas: Canvas) -> None:
    middle = QPointF(canvas.rect().center())
    where = QPointF(canvas.mapToGlobal(middle))
    QApplication.sendEvent(canvas, QEnterEvent(middle, middle, where))


def go_away(canvas: Canvas) -> None:
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


def focus(widget: QWidget, qtbot: QtBot) -> None:
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)


def drag(canvas: Canvas, qtbot: QtBot) -> QPointF:
    """How far the view goes by a drag over the picture."""
    start = canvas.rect().center()
    before = QPointF(canvas.viewport.left, canvas.viewport.top)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(canvas, start + QPoint(30, 20))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(30, 20))
    return QPointF(canvas.viewport.left, canvas.viewport.top) - before


def test_the_layers_have_the_focus(
    canvas: Canvas, filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    panel, document = filled.panel("layers"), application.current
    assert isinstance(panel, LayerPanel)
    assert document is not None
    application.tools.use("move")
    state = document.state
    canvas.zoom_actual()
    focus(panel.tree, qtbot)
    point_at(canvas)
    qtbot.keyPress(panel.tree, Qt.Key.Key_Space)
    assert canvas.space_held
    assert drag(canvas, qtbot) != QPointF(0, 0)
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)  # the press gave it the focus
    assert not canvas.space_held
    assert document.state is state  # no layer was hidden or moved


def test_a_button_is_not_pressed(canvas: Canvas, filled: MainWindow, qtbot: QtBot) -> None:
    button = QPushButton("…", filled)
    button.show()
    pressed: list[bool] = []
    button.clicked.connect(lambda: pressed.append(True))
    focus(button, qtbot)
    point_at(canvas)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert pressed == []
    go_away(canvas)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert len(pressed) == 1


def test_who_writes_keeps_space(canvas: Canvas, filled: MainWindow, qtbot: QtBot) -> None:
    field = QPlainTextEdit(filled)
    field.show()
    focus(field, qtbot)
    point_at(canvas)
    qtbot.keyClicks(field, "a b")
    assert field.toPlainText() == "a b"
    assert not canvas.space_held


def test_a_held_space_is_let_go_of_outside(canvas: Canvas, filled: MainWindow, qtbot: QtBot) -> None:
    button = QPushButton("…", filled)
    button.show()
    focus(button, qtbot)
    point_at(canvas)
    qtbot.keyPress(button, Qt.Key.Key_Space)
    go_away(canvas)
    assert canvas.space_held
    qtbot.keyRelease(button, Qt.Key.Key_Space)
    assert not canvas.space_held


def test_the_focus_goes_to_the_picture_meanwhile(canvas: Canvas, filled: MainWindow, qtbot: QtBot) -> None:
    button = QPushButton("…", filled)
    button.show()
    focus(button, qtbot)
    point_at(canvas)
    qtbot.keyPress(button, Qt.Key.Key_Space)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton)
    assert canvas.navigation.drag.value == "pan"
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton)
