"""Even spacing of a slider's track, and where it ends."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.sliders.spacing import LEAST_BREAK, Track, distance, linear, track_of

VALUES = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)


def test_even_changes_give_a_linear_track() -> None:
    track = track_of(VALUES, [2.0] * 8, 9)
    assert track.range == (-2.0, 2.0)
    assert track.breaks == ()
    assert track.positions(9) == VALUES


def test_places_follow_the_change_of_the_picture() -> None:
    """All that changes between 0 and 0.5 gets most of the right half."""
    track = track_of(VALUES, [1, 1, 1, 1, 3, 0.2, 0.2, 0.2], 9)
    assert track.place_of(0.5) - track.place_of(0.0) > 2 * (track.place_of(2.0) - track.place_of(1.0))
    for value in np.linspace(-2, 2, 23):
        assert track.value_at(track.place_of(value)) == pytest.approx(value, abs=1e-9)


def test_at_even_places_neighbours_are_equally_far_apart() -> None:
    """A picture whose change is known for every value: how far it moved is the square of the value."""
    moved = {value: np.sign(value) * value**2 for value in VALUES}
    steps = [moved[b] - moved[a] for a, b in itertools.pairwise(VALUES)]
    even, plain = track_of(VALUES, steps, 9).positions(9), VALUES

    def spread(values: tuple[float, ...]) -> float:
        found = [np.sign(b) * b * b - np.sign(a) * a * a for a, b in itertools.pairwise(values)]
        return float(np.std(found) / np.mean(found))

    assert spread(even) < 0.5 * spread(plain)


def test_a_jump_is_a_break_and_ends_the_track() -> None:
    track = track_of(VALUES, [1, 1, 1, 1, 1, 1, 20, 1], 9)
    assert track.breaks == (1.25,)
    assert track.range == (-2.0, 1.5)


def test_breaks_on_both_sides_leave_what_is_around_rest() -> None:
    track = track_of(VALUES, [30, 1, 1, 1, 1, 1, 1, 30], 9)
    assert track.breaks == (-1.75, 1.75)
    assert track.range == (-2.0, 2.0)
    inner = track.place_of(1.5) - track.place_of(1.0)
    assert track.place_of(2.0) - track.place_of(1.5) == pytest.approx(inner, rel=0.01)


def test_what_nobody_sees_breaks_nothing() -> None:
    steps = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, LEAST_BREAK * 0.9, 0.1]
    assert track_of(VALUES, steps, 9).breaks == ()


def test_a_slider_that_changes_nothing_stays_linear() -> None:
    assert track_of(VALUES, [0.0] * 8, 9).positions(9) == VALUES


def test_values_beyond_the_track_lie_at_its_end() -> None:
    track = track_of(VALUES, [1, 1, 1, 1, 1, 1, 20, 1], 9)
    assert track.place_of(2.0) == 1.0
    assert linear(0.0, 3.0).value_at(0.5) == 1.5


@pytest.mark.parametrize(("values", "steps"), [((0.0,), []), ((0.0, 1.0), [1.0, 2.0])])
def test_distances_are_those_between_the_values(values: tuple[float, ...], steps: list[float]) -> None:
    with pytest.raises(ValueError, match="distances"):
        track_of(values, steps, 9)


@given(st.lists(st.floats(0, 60), min_size=8, max_size=8))
def test_any_distances_give_a_rising_track_with_zero_on_it(steps: list[float]) -> None:
    track = track_of(VALUES, steps, 9)
    assert track.places[0] == 0
    assert track.places[-1] == pytest.approx(1)
    assert all(b > a for a, b in itertools.pairwise(track.places))
    found = track.positions(9)
    assert 0.0 in found
    assert list(found) == sorted(found)
    low, high = track.range
    assert all(low <= value <= high for value in found)
    assert track.value_at(round(track.place_of(0.0) * 8) / 8) == pytest.approx(0, abs=1e-9)


def test_the_distance_is_what_an_eye_sees() -> None:
    rng = np.random.default_rng(0)
    grey = np.full((48, 36, 3), 128, np.uint8)
    noise = np.clip(grey + rng.normal(0, 4, grey.shape), 0, 255).astype(np.uint8)
    lighter = (grey + 20).astype(np.uint8)
    assert distance(grey, grey) == 0
    assert distance(grey, noise) < 0.4 * distance(grey, lighter)
    assert distance(grey, lighter) == pytest.approx(distance(lighter, grey))


def test_a_track_is_a_value() -> None:
    assert linear(-1, 1) == Track((-1, 1), (0.0, 1.0))


def test_where_the_subject_is_lost_the_track_ends() -> None:
    lost = [False] * 7 + [True] * 2
    track = track_of(VALUES, [2.0] * 8, 9, lost)
    assert track.breaks == (1.25,)
    assert track.range == (-2.0, 1.5)
    assert track_of(VALUES, [2.0] * 8, 9, [True] * 9) == track_of(VALUES, [2.0] * 8, 9)
    not_at_rest = [index != 0 for index in range(9)]
    assert track_of(VALUES, [2.0] * 8, 9, not_at_rest).breaks == ()
