"""The slider over keyframes."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QFocusEvent, QImage
from pytestqt.qtbot import QtBot

from editor.sliders.spacing import Track
from widgets.subjects.keyframe_slider import KeyframeSlider

POSITIONS = tuple(-2 + index / 2 for index in range(9))


@pytest.fixture
def slider(qtbot: QtBot) -> KeyframeSlider:
    made = KeyframeSlider()
    qtbot.addWidget(made)
    made.resize(290, made.sizeHint().height())
    made.show()
    return made


def flat(colour: str) -> QImage:
    image = QImage(20, 30, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


def moves_of(slider: KeyframeSlider) -> list[tuple[float, bool]]:
    moves: list[tuple[float, bool]] = []
    slider.moved.connect(lambda value, dragging: moves.append((value, dragging)))
    return moves


def test_dragging_tells_each_value_and_the_end(slider: KeyframeSlider, qtbot: QtBot) -> None:
    moves = moves_of(slider)
    y = slider.height() // 2
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(145, y))
    qtbot.mouseMove(slider, QPoint(200, y))
    qtbot.mouseMove(slider, QPoint(240, y))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(240, y))
    values = [value for value, _ in moves]
    assert values == sorted(values)
    assert all(dragging for _, dragging in moves[:-1])
    assert moves[-1] == (slider.number, False)
    assert 1.2 < slider.number < 1.7


def test_near_zero_it_snaps_to_zero(slider: KeyframeSlider, qtbot: QtBot) -> None:
    slider.set_number(1.0)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(146, slider.height() // 2))
    assert slider.number == 0.0
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)


def test_of_a_short_track_little_snaps_to_zero_and_a_key_moves_little(
    slider: KeyframeSlider, qtbot: QtBot
) -> None:
    slider.set_range(-0.2, 0.2)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(170, slider.height() // 2))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)
    assert 0.01 <= slider.number <= 0.06
    before = slider.number
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.number == pytest.approx(before + 0.01)
    slider.set_range(-2.0, 2.0)
    slider.set_track(Track((-0.1, 0.1), (0.0, 1.0)))  # the picture breaks beyond
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(200, slider.height() // 2))
    assert 0.02 <= slider.number <= 0.06
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (Qt.Key.Key_Right, 0.05),
        (Qt.Key.Key_Left, -0.05),
        (Qt.Key.Key_Up, 0.05),
        (Qt.Key.Key_PageUp, 0.5),
        (Qt.Key.Key_PageDown, -0.5),
        (Qt.Key.Key_Home, -2.0),
        (Qt.Key.Key_End, 2.0),
    ],
)
def test_keys_move_it_and_one_gesture_ends_after_a_pause(
    slider: KeyframeSlider, qtbot: QtBot, key: Qt.Key, value: float
) -> None:
    moves = moves_of(slider)
    qtbot.keyClick(slider, key)
    assert moves == [(pytest.approx(value), True)]
    qtbot.waitUntil(lambda: len(moves) == 2, timeout=3000)
    assert moves[1] == (pytest.approx(value), False)


def test_keys_are_a_whole_gesture_when_the_focus_goes(slider: KeyframeSlider, qtbot: QtBot) -> None:
    told: list[tuple[float, bool]] = []
    slider.moved.connect(lambda value, dragging: told.append((value, dragging)))
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    slider.focusOutEvent(QFocusEvent(QEvent.Type.FocusOut))
    assert told == [(0.05, True), (0.05, False)]
    qtbot.wait(500)
    assert len(told) == 2


def test_double_click_asks_for_zero(slider: KeyframeSlider, qtbot: QtBot) -> None:
    with qtbot.waitSignal(slider.reset_requested):
        qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(200, 10))


def test_the_wheel_does_not_change_it(slider: KeyframeSlider) -> None:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    event = QWheelEvent(
        QPointF(50, 10),
        QPointF(50, 10),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(slider, event)
    assert slider.value() == 0


def test_the_track_is_the_row_of_keyframes(slider: KeyframeSlider) -> None:
    plain = slider.sizeHint().height()
    slider.set_keyframes([(p, flat("#cc2020" if p < 0 else "#2040cc")) for p in POSITIONS], waiting=False)
    assert slider.sizeHint().height() > plain
    slider.resize(290, slider.sizeHint().height())
    shown = slider.grab().toImage()
    ratio = shown.devicePixelRatio()

    def colour(x: int) -> str:
        return shown.pixelColor(round(x * ratio), round(14 * ratio)).name()

    assert colour(20) == "#cc2020"
    assert colour(270) == "#2040cc"


def test_missing_keyframes_shimmer_only_while_they_are_on_their_way(
    slider: KeyframeSlider, qtbot: QtBot
) -> None:
    slider.set_keyframes([(p, None) for p in POSITIONS], waiting=True)
    assert slider._shimmer.isActive()
    slider.set_keyframes([(p, flat("#222222")) for p in POSITIONS], waiting=True)
    assert not slider._shimmer.isActive()


def test_the_handle_shows_the_subject_as_it_is_now(slider: KeyframeSlider) -> None:
    slider.set_keyframes([(p, flat("#cc2020")) for p in POSITIONS], waiting=False)
    slider.set_current(flat("#20cc40"))
    slider.resize(290, slider.sizeHint().height())
    shown = slider.grab().toImage()
    ratio = shown.devicePixelRatio()
    assert shown.pixelColor(round(145 * ratio), round(20 * ratio)).name() == "#20cc40"


def test_the_hand_goes_along_the_measured_track(slider: KeyframeSlider, qtbot: QtBot) -> None:
    """All that changes lies between 0 and 1, so it gets the middle of the track and what is right of it."""
    track = Track((-1.0, 0.0, 1.0), (0.0, 0.25, 1.0), breaks=(0.5,))
    slider.set_track(track)
    found: list[float] = []
    for place in (0.1, 0.6, 0.99):
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.width() * place), 20))
        found.append(slider.number)
    assert found[0] < 0 < found[2] <= 1.0, "beyond the track's end nothing is dragged to"
    assert found[2] == pytest.approx(1.0, abs=0.08)
    assert slider.line is track


def test_breaks_are_marked(slider: KeyframeSlider) -> None:
    slider.set_keyframes([(p, flat("#404040")) for p in POSITIONS], waiting=False)
    plain = slider.grab().toImage()
    slider.set_track(Track((-2.0, 2.0), (0.0, 1.0), breaks=(1.2,)))
    assert slider.grab().toImage() != plain
