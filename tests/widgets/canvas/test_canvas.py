"""The canvas: what it shows, mouse and keyboard."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPixmap, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.image_tiles import ImageTiles
from widgets.canvas import wipe
from widgets.canvas.canvas import Canvas
from widgets.canvas.tile_picture import TilePicture

RED, BLUE = QColor("#cc2020"), QColor("#2040cc")


def flat(colour: QColor, size: int = 40) -> QImage:
    image = QImage(size, size, QImage.Format.Format_RGBA8888)
    image.fill(colour)
    return image


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    made = Canvas()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    made.set_picture(picture(made, flat(RED)))
    made.set_before(picture(made, flat(BLUE)))
    yield made
    for shown in made.findChildren(TilePicture):
        shown.close()


def picture(canvas: Canvas, image: QImage) -> TilePicture:
    return TilePicture(ImageTiles(image, canvas), image.width(), image.height(), canvas)


def colour_at(canvas: Canvas, point: QPointF) -> QColor:
    ratio = canvas.devicePixelRatioF()
    grabbed: QPixmap = canvas.grab()
    return grabbed.toImage().pixelColor(round(point.x() * ratio), round(point.y() * ratio))


def at_image(canvas: Canvas, x: float, y: float) -> QPointF:
    return canvas.viewport.to_view(QPointF(x, y)) / canvas.devicePixelRatioF()


def test_shows_the_picture(canvas: Canvas) -> None:
    assert colour_at(canvas, at_image(canvas, 20, 20)) == RED


def test_wipe_shows_the_state_before_on_its_left(canvas: Canvas) -> None:
    canvas.set_wipe(0.5)
    assert colour_at(canvas, at_image(canvas, 5, 10)) == BLUE
    assert colour_at(canvas, at_image(canvas, 35, 10)) == RED


def test_dragging_the_wipe_moves_it_through_the_whole_picture(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.set_wipe(0.5)
    start = at_image(canvas, 20, 12).toPoint()
    end = at_image(canvas, 30, 12).toPoint()
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(canvas, end)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)
    assert canvas.wipe_share == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("key", "modifier", "share"),
    [
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 0.51),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 0.49),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, 0.6),
    ],
)
def test_arrows_move_the_wipe(
    canvas: Canvas, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier, share: float
) -> None:
    canvas.set_wipe(0.5)
    qtbot.keyClick(canvas, key, modifier)
    assert canvas.wipe_share == pytest.approx(share)


def test_escape_ends_comparing(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.set_wipe(0.5)
    with qtbot.waitSignal(canvas.wipe_changed) as told:
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert told.args == [False]
    assert canvas.wipe_share is None


def test_backslash_shows_the_state_before_while_held(canvas: Canvas, qtbot: QtBot) -> None:
    qtbot.keyPress(canvas, Qt.Key.Key_Backslash)
    assert colour_at(canvas, at_image(canvas, 20, 10)) == BLUE
    qtbot.keyRelease(canvas, Qt.Key.Key_Backslash)
    assert colour_at(canvas, at_image(canvas, 20, 10)) == RED


def test_wheel_zooms_to_the_pointer(canvas: Canvas) -> None:
    canvas.zoom_actual()
    pointer = at_image(canvas, 30, 10)
    before = canvas.viewport.to_image(pointer * canvas.devicePixelRatioF())
    event = QWheelEvent(
        pointer,
        canvas.mapToGlobal(pointer),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)
    after = canvas.viewport.to_image(pointer * canvas.devicePixelRatioF())
    assert canvas.viewport.zoom == pytest.approx(1.2)
    assert (after - before).manhattanLength() < 2


def test_dragging_with_the_middle_button_pans(canvas: Canvas, qtbot: QtBot) -> None:
    button = Qt.MouseButton.MiddleButton
    left = canvas.viewport.left
    qtbot.mousePress(canvas, button, pos=QPoint(200, 150))
    qtbot.mouseMove(canvas, QPoint(230, 150))
    qtbot.mouseRelease(canvas, button, pos=QPoint(230, 150))
    assert canvas.viewport.left == pytest.approx(left + 30 * canvas.devicePixelRatioF(), abs=1)
    assert not canvas.viewport.fitted


def test_space_turns_dragging_into_panning(canvas: Canvas, qtbot: QtBot) -> None:
    left = canvas.viewport.left
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    qtbot.mouseMove(canvas, QPoint(170, 150))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(170, 150))
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.viewport.left == pytest.approx(left - 30 * canvas.devicePixelRatioF(), abs=1)


def test_tells_where_the_pointer_is(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.cursor_moved) as told:
        qtbot.mouseMove(canvas, at_image(canvas, 10.5, 20.5).toPoint())
    assert told.args is not None
    assert (told.args[0] - QPoint(10, 20)).manhattanLength() <= 1


def test_preview_covers_the_picture_until_it_is_taken_away(canvas: Canvas) -> None:
    canvas.set_preview(flat(BLUE, 4))
    assert colour_at(canvas, at_image(canvas, 20, 20)) == BLUE
    canvas.set_preview(None)
    assert colour_at(canvas, at_image(canvas, 20, 20)) == RED


def test_spotlight_darkens_what_the_subject_is_not(canvas: Canvas) -> None:
    mask = QImage(2, 1, QImage.Format.Format_Grayscale8)
    mask.fill(0)
    mask.setPixelColor(0, 0, QColor("#ffffff"))
    canvas.set_heat(mask, QColor("#4fb3a0"))
    lit, dark = colour_at(canvas, at_image(canvas, 4, 20)), colour_at(canvas, at_image(canvas, 36, 20))
    assert dark.lightness() < RED.lightness()
    assert lit.lightness() > dark.lightness()
    canvas.set_heat(None)
    assert colour_at(canvas, at_image(canvas, 36, 20)) == RED


def test_patch_changes_only_its_rectangle(canvas: Canvas) -> None:
    tiles = ImageTiles(flat(RED), canvas)
    canvas.set_picture(TilePicture(tiles, 40, 40, canvas))
    canvas.zoom_actual()
    tiles.paint(flat(BLUE, 10))
    assert colour_at(canvas, at_image(canvas, 5, 5)) == BLUE
    assert colour_at(canvas, at_image(canvas, 30, 30)) == RED


def test_large_zoom_shows_sharp_pixels(canvas: Canvas) -> None:
    image = flat(RED)
    image.setPixelColor(20, 20, BLUE)
    canvas.set_picture(picture(canvas, image))
    canvas.viewport.zoom_to(16.0)
    assert colour_at(canvas, at_image(canvas, 20.1, 20.1)) == BLUE
    assert colour_at(canvas, at_image(canvas, 19.9, 20.5)) == RED


def test_wipe_is_caught_only_near_its_line() -> None:
    from PySide6.QtCore import QRectF

    target = QRectF(100, 100, 200, 200)
    assert wipe.is_hit(QPointF(205, 150), target, 0.5, 1.0)
    assert not wipe.is_hit(QPointF(230, 150), target, 0.5, 1.0)
    assert not wipe.is_hit(QPointF(200, 500), target, 0.5, 1.0)
