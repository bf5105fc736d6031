"""Zoom and pan geometry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF

from widgets.canvas.viewport import MAX_ZOOM, MIN_ZOOM, Viewport


def fitted(width: int = 100, height: int = 50) -> Viewport:
    viewport = Viewport()
    viewport.resize_view(800, 600)
    viewport.resize_image(width, height)
    return viewport


def test_fit_shows_the_whole_picture_in_the_middle() -> None:
    target = fitted().target()
    assert QRectF(0, 0, 800, 600).contains(target)
    assert target.center().x() == pytest.approx(400, abs=1)
    assert target.center().y() == pytest.approx(300, abs=1)


def test_a_fitted_picture_stays_fitted_when_the_view_changes() -> None:
    viewport = fitted()
    viewport.resize_view(400, 300)
    assert QRectF(0, 0, 400, 300).contains(viewport.target())


def test_a_zoomed_picture_keeps_its_zoom_when_the_view_changes() -> None:
    viewport = fitted()
    viewport.zoom_to(2.0)
    viewport.resize_view(400, 300)
    assert viewport.zoom == 2.0


@given(
    zoom=st.floats(0.05, 30),
    factor=st.floats(0.2, 5),
    x=st.floats(200, 600),
    y=st.floats(200, 400),
)
def test_the_point_under_the_pointer_stays_when_zooming(
    zoom: float, factor: float, x: float, y: float
) -> None:
    viewport = fitted(4000, 3000)
    viewport.zoom_to(zoom)
    anchor = QPointF(x, y)
    # inside the picture only: outside, the picture may have to move to stay in view
    if not viewport.target().adjusted(50, 50, -50, -50).contains(anchor):
        return
    before = viewport.to_image(anchor)
    viewport.zoom_to(zoom * factor, anchor)
    after = viewport.to_image(anchor)
    # the corner lies on a device pixel, so a point may move by one of those
    tolerance = 1.5 / min(zoom, viewport.zoom)
    assert after.x() == pytest.approx(before.x(), abs=tolerance)
    assert after.y() == pytest.approx(before.y(), abs=tolerance)


@given(moves=st.lists(st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)), max_size=8))
def test_panning_never_loses_the_picture(moves: list[tuple[float, float]]) -> None:
    viewport = fitted()
    for dx, dy in moves:
        viewport.pan(dx, dy)
    assert viewport.target().intersects(QRectF(0, 0, 800, 600))


def test_zoom_steps_go_up_and_down_the_same_way() -> None:
    viewport = fitted()
    viewport.zoom_to(1.0)
    viewport.step_zoom(1)
    assert viewport.zoom == 1.5
    viewport.step_zoom(-1)
    assert viewport.zoom == 1.0


def test_zoom_is_held_within_its_limits() -> None:
    viewport = fitted()
    viewport.zoom_to(1e9)
    assert viewport.zoom == MAX_ZOOM
    viewport.zoom_to(0)
    assert viewport.zoom == MIN_ZOOM


def test_visible_pixels_are_those_under_the_exposed_part() -> None:
    viewport = fitted()
    viewport.zoom_to(10.0, QPointF(0, 0))
    viewport.left = viewport.top = 0
    part = viewport.visible_pixels(QRectF(100, 100, 50, 50))
    assert (part.left(), part.top()) == (9, 9)
    assert (part.right(), part.bottom()) == (15, 15)


@given(
    angle=st.floats(-180, 180),
    zoom=st.floats(0.05, 30),
    x=st.floats(-500, 5000),
    y=st.floats(-500, 5000),
)
def test_a_turned_view_maps_both_ways_exactly(angle: float, zoom: float, x: float, y: float) -> None:
    viewport = fitted(4000, 3000)
    viewport.zoom_to(zoom)
    viewport.rotate_to(angle)
    point = QPointF(x, y)
    seen = viewport.to_view(point)
    back = viewport.to_image(seen)
    assert back.x() == pytest.approx(x, abs=1e-6)
    assert back.y() == pytest.approx(y, abs=1e-6)
    mapped = viewport.transform().map(point)
    assert mapped.x() == pytest.approx(seen.x(), abs=1e-4)
    assert mapped.y() == pytest.approx(seen.y(), abs=1e-4)


@given(angle=st.floats(-179, 179), zoom=st.floats(0.5, 8))
def test_turning_keeps_what_is_in_the_middle(angle: float, zoom: float) -> None:
    viewport = fitted(4000, 3000)
    viewport.zoom_to(zoom)
    before = viewport.to_image(QPointF(400, 300))
    viewport.rotate_to(angle)
    after = viewport.to_image(QPointF(400, 300))
    assert after.x() == pytest.approx(before.x(), abs=1.5 / zoom)
    assert after.y() == pytest.approx(before.y(), abs=1.5 / zoom)


def test_a_turned_picture_fits_with_all_corners() -> None:
    viewport = fitted(400, 100)
    viewport.rotate_to(90)
    viewport.fit()
    assert QRectF(0, 0, 800, 600).contains(viewport.bounds())
    assert viewport.bounds().height() > viewport.bounds().width()


def test_a_rectangle_of_the_picture_fills_the_view() -> None:
    viewport = fitted(4000, 3000)
    viewport.show_rect(QRectF(1000, 1000, 100, 20))
    seen = viewport.visible_rect()
    assert seen.contains(QRectF(1000, 1000, 100, 20))
    assert seen.width() == pytest.approx(100, rel=0.15)


def test_panels_below_move_a_fitted_picture_and_do_not_zoom_it() -> None:
    view = Viewport(image_width=400, image_height=300)
    view.resize_view(1000, 700)
    zoom, top = view.zoom, view.top
    view.resize_view(1000, 630, by_panels=True)
    assert (view.zoom, view.fitted) == (zoom, True)
    assert view.top == pytest.approx(top - 35)
    view.resize_view(1000, 700, by_panels=True)
    assert (view.zoom, view.top) == (zoom, top)
    view.resize_view(1000, 400, by_panels=True)
    assert view.zoom < zoom, "much would be hidden"
    view.resize_view(1000, 420)
    assert view.fitted_height == 420
