"""Rulers and the scroll bars around a view."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.layers.state import Guide
from tests.helpers.fake_application import generated, open_document
from widgets.canvas.document_frame import DocumentFrame
from widgets.canvas.document_view import DocumentView
from widgets.canvas.rulers import step_for
from widgets.canvas.view_options import ViewOptions


@pytest.fixture
def frame(qtbot: QtBot, application: Application) -> Iterator[DocumentFrame]:
    document = open_document(application, generated())
    options = ViewOptions(application.settings)
    options.set_rulers(True)
    made = DocumentFrame(DocumentView(document, application, options), options)
    qtbot.addWidget(made)
    made.resize(420, 320)
    made.show()
    yield made
    made.view.close_tiles()


@pytest.mark.parametrize(("zoom", "step"), [(1.0, 100), (0.1, 1000), (8.0, 10), (64.0, 2), (0.35, 200)])
def test_labels_stand_at_round_numbers(zoom: float, step: float) -> None:
    assert step_for(zoom, 70.0) == step


def test_a_guide_is_dragged_out_of_a_ruler(frame: DocumentFrame, qtbot: QtBot) -> None:
    view, ruler = frame.view, frame.rulers[1]
    target = ruler.mapFromGlobal(view.mapToGlobal(QPoint(view.width() // 2, 50)))
    qtbot.mousePress(ruler, Qt.MouseButton.LeftButton, pos=QPoint(5, 50))
    qtbot.mouseMove(ruler, target)
    qtbot.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=target)
    assert view.document.state.guides == (Guide(vertical=True, position=32.0),)


def test_a_guide_dropped_on_the_ruler_again_is_none(frame: DocumentFrame, qtbot: QtBot) -> None:
    ruler = frame.rulers[0]
    qtbot.mousePress(ruler, Qt.MouseButton.LeftButton, pos=QPoint(50, 5))
    qtbot.mouseMove(ruler, QPoint(60, 8))
    qtbot.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=QPoint(60, 8))
    assert frame.view.document.state.guides == ()


def test_scroll_bars_show_only_where_there_is_more(frame: DocumentFrame) -> None:
    assert not any(bar.isVisible() for bar in frame.bars)
    frame.view.zoom_to(20.0)
    assert all(bar.isVisible() for bar in frame.bars)
    left = frame.view.viewport.left
    frame.bars[0].setValue(frame.bars[0].value() + 30)
    assert frame.view.viewport.left == pytest.approx(left - 30, abs=1)


def test_rulers_are_switched_for_all_views(frame: DocumentFrame, application: Application) -> None:
    options = ViewOptions(application.settings)
    assert options.get("rulers")
    frame.options.set_rulers(False)
    assert not frame.rulers[0].isVisible()
