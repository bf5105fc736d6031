"""The button that unfolds details shows which way it goes."""

from pytestqt.qtbot import QtBot

from widgets.forms.details_button import DetailsButton


def test_its_arrow_points_down_while_the_details_are_shown(qtbot: QtBot) -> None:
    button = DetailsButton()
    qtbot.addWidget(button)
    folded = button.icon().pixmap(12).toImage()
    button.setChecked(True)
    assert button.icon().pixmap(12).toImage() != folded
    button.setChecked(False)
    assert button.icon().pixmap(12).toImage() == folded
