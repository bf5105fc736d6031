"""Rows of widgets that break: nothing outside, nothing on another, no wider than the widest."""

from itertools import combinations

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from widgets.look.flow import Flow


@pytest.fixture
def flow(qtbot: QtBot) -> Flow:
    found = Flow()
    qtbot.addWidget(found)
    found.set_widgets([QPushButton(f"<word-{number}>") for number in range(9)])
    return found


@pytest.mark.parametrize("width", [110, 240, 2000])
def test_rows_break_where_the_width_ends(flow: Flow, width: int) -> None:
    flow.resize(width, flow.heightForWidth(width))
    placed = [widget.geometry() for widget in flow.widgets]

    assert all(flow.rect().contains(one) for one in placed)
    assert not any(one.intersects(other) for one, other in combinations(placed, 2))


def test_it_asks_for_the_width_of_one(flow: Flow) -> None:
    assert flow.minimumSizeHint().width() < 2 * flow.widgets[0].sizeHint().width()
    assert flow.heightForWidth(2000) < flow.heightForWidth(240) < flow.heightForWidth(110)


def test_without_widgets_it_is_not_there(flow: Flow) -> None:
    assert not flow.isHidden()
    flow.set_widgets([])
    assert flow.isHidden()
    assert flow.heightForWidth(100) == 0
