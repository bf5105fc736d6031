"""The picture made of tiles: right pixels at every zoom, and something to see before they are there."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from tests.helpers.image_tiles import ImageTiles
from widgets.canvas.tile_picture import TilePicture, level_for
from widgets.canvas.viewport import Viewport

SIZE = 1500, 900
RED, BLUE = QColor("#cc2020"), QColor("#2040cc")


def striped() -> QImage:
    """Blue right of x = 1000."""
    image = QImage(*SIZE, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(RED)
    painter = QPainter(image)
    painter.fillRect(1000, 0, 500, 900, BLUE)
    painter.end()
    return image


@pytest.fixture
def viewport() -> Viewport:
    made = Viewport()
    made.resize_view(640, 480)
    made.resize_image(*SIZE)
    return made


@pytest.fixture
def tiles(qtbot: QtBot) -> ImageTiles:
    return ImageTiles(striped(), slow=True)


@pytest.fixture
def picture(tiles: ImageTiles) -> Iterator[TilePicture]:
    made = TilePicture(tiles, *SIZE)
    yield made
    made.close()


def painted(picture: TilePicture, viewport: Viewport) -> QImage:
    image = QImage(640, 480, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    painter = QPainter(image)
    picture.paint(painter, viewport)
    painter.end()
    return image


def colour(picture: TilePicture, viewport: Viewport, x: float, y: float) -> QColor:
    place = viewport.to_view(QPointF(x, y))
    return painted(picture, viewport).pixelColor(round(place.x()), round(place.y()))


@pytest.mark.parametrize(
    ("zoom", "level"), [(1.0, 0), (3.0, 0), (0.51, 0), (0.5, 1), (0.3, 1), (0.25, 2), (0.01, 6)]
)
def test_the_level_has_at_least_the_pixels_of_the_screen(zoom: float, level: int) -> None:
    assert level_for(zoom) == level


@pytest.mark.parametrize("zoom", [0.1, 0.3, 0.5, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("angle", [0, 90, 30])
def test_shows_the_right_pixels_at_every_zoom_and_angle(
    picture: TilePicture, tiles: ImageTiles, viewport: Viewport, zoom: float, angle: float
) -> None:
    viewport.zoom_to(zoom)
    viewport.rotate_to(angle)
    viewport.pan(*(QPointF(320, 240) - viewport.to_view(QPointF(1000, 450))).toTuple())
    picture.look_at(viewport)
    tiles.finish()
    assert colour(picture, viewport, 1000 - 8 / zoom, 450) == RED
    assert colour(picture, viewport, 1000 + 8 / zoom, 450) == BLUE


def test_asks_for_the_middle_of_the_view_first(
    picture: TilePicture, tiles: ImageTiles, viewport: Viewport
) -> None:
    viewport.zoom_to(1.0)
    picture.look_at(viewport)
    middle = viewport.to_image(QPointF(320, 240))
    level, asked = tiles.asked
    assert level == 0
    assert asked[0] == (int(middle.x()) // 256, int(middle.y()) // 256)


def test_shows_another_level_until_the_sharp_tiles_come(
    picture: TilePicture, tiles: ImageTiles, viewport: Viewport
) -> None:
    viewport.zoom_to(0.25)
    picture.look_at(viewport)
    tiles.finish()
    viewport.zoom_to(1.0)
    viewport.pan(*(QPointF(320, 240) - viewport.to_view(QPointF(1000, 450))).toTuple())
    assert colour(picture, viewport, 960, 450) == RED
    assert colour(picture, viewport, 1040, 450) == BLUE


def test_panning_keeps_the_tiles_that_are_there(
    picture: TilePicture, tiles: ImageTiles, viewport: Viewport
) -> None:
    viewport.zoom_to(1.0)
    picture.look_at(viewport)
    tiles.finish()
    viewport.pan(-500, 0)
    middle = viewport.to_image(QPointF(100, 240))
    tiles.ready.clear()  # what is seen now was copied, not asked for again
    assert colour(picture, viewport, middle.x(), middle.y()) == (RED if middle.x() < 1000 else BLUE)


def test_says_which_part_looks_different(
    picture: TilePicture, tiles: ImageTiles, viewport: Viewport, qtbot: QtBot
) -> None:
    viewport.zoom_to(1.0)
    picture.look_at(viewport)
    with qtbot.waitSignal(picture.changed) as told:
        tiles.ready.add((0, 3, 1))
        tiles.tiles_ready.emit(0, ((3, 1),))
    assert told.args == [QRectF(768, 256, 256, 256)]


def test_tiles_of_another_level_change_nothing(
    picture: TilePicture, tiles: ImageTiles, viewport: Viewport, qtbot: QtBot
) -> None:
    viewport.zoom_to(1.0)
    picture.look_at(viewport)
    with qtbot.assertNotEmitted(picture.changed):
        tiles.tiles_ready.emit(2, ((0, 0),))


def test_the_edge_of_the_picture_is_not_mixed_with_what_lies_beyond(
    picture: TilePicture, tiles: ImageTiles, viewport: Viewport
) -> None:
    viewport.zoom_to(0.7)
    viewport.pan(-10_000, -10_000)
    picture.look_at(viewport)
    tiles.finish()
    image = painted(picture, viewport)
    edge = viewport.to_view(QPointF(1500, 900))
    assert image.pixelColor(int(edge.x()) - 2, int(edge.y()) - 2) == BLUE
