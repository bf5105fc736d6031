"""Where on a slider a picture stands: what is compared, what is found, and what a value then means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.methods.inversion.standing import lowest, places, reached

ENDS = (-2.0, 3.0)


def test_both_ends_and_the_middle_are_compared() -> None:
    assert places(ENDS) == (-2.0, -1.0, 0.0, 1.5, 3.0)


@given(st.floats(-1.9, 1.9))
def test_the_lowest_place_of_a_parabola_is_found(place: float) -> None:
    positions = (-2.0, -1.0, 0.0, 1.0, 2.0)
    values = [(position - place) ** 2 for position in positions]
    at_an_end = int(np.argmin(values)) in (0, 4)
    assert lowest(positions, values) == pytest.approx(2 * np.sign(place) if at_an_end else place, abs=1e-6)


def test_values_that_say_nothing_are_the_first_place_or_one_between() -> None:
    assert -2 <= lowest((-2.0, -1.0, 0.0, 1.0, 2.0), [1.0] * 5) <= 2


@pytest.mark.parametrize("end", [1.0, 1e-90, 1e-200, 1e-320])
def test_places_may_lie_very_near_to_each_other(end: float) -> None:
    """A delta's file may name any ends."""
    positions = (-100.0, -50.0, 0.0, end / 2, end)
    assert lowest(positions, [3.0, 2.0, 1.5, 1.0, 3.0]) == pytest.approx(0.35 * end, rel=1e-3)
    assert lowest(positions, [3.0, 2.0, 1.0, 2.0, 3.0]) <= 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_the_least(bad: float) -> None:
    positions = (-2.0, -1.0, 0.0, 1.0, 2.0)
    assert lowest(positions, [bad, 3.0, 2.0, 1.0, bad]) == 1.0
    assert lowest(positions, [3.0, 2.0, 1.0, bad, 2.0]) == 0.0
    assert lowest(positions, [bad] * 5) == 0.0


@given(st.floats(-1.5, 2.25), st.floats(-3, 4), st.floats(-3, 4))
def test_a_slider_begins_at_the_place_and_reaches_its_ends(place: float, one: float, other: float) -> None:
    assert reached(0.0, place, ENDS) == place
    assert [reached(end, place, ENDS) for end in ENDS] == pytest.approx(ENDS)
    if one < other - 1e-6:
        assert reached(one, place, ENDS) < reached(other, place, ENDS)
