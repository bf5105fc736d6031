"""Metrics against figures worked out by hand, and against SciPy."""

import json
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from inference.metrics.attribute_control import Slider, along, measure, spearman, summary
from inference.metrics.psnr import IDENTICAL_DB, psnr
from inference.metrics.tiam import Share, Wanted, all_right, matched, overlap, tiam, wilson_interval

RIGHT = (0.5, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Found:
    kind: str
    score: float = 1.0
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.5, 1.0)
    attributes: dict[str, float] = field(default_factory=dict)
    colours: dict[str, Any] = field(default_factory=dict)


class TestPsnr:
    def test_one_grey_level_everywhere_is_48_db(self) -> None:
        image = np.full((8, 8, 3), 100, np.uint8)
        assert psnr(image, image + 1) == pytest.approx(20 * math.log10(255))

    def test_identical_pictures_count_as_the_ceiling(self) -> None:
        image = np.zeros((8, 8, 3), np.uint8)
        assert psnr(image, image) == IDENTICAL_DB

    def test_only_the_mask_counts(self) -> None:
        first = np.zeros((4, 4, 3), np.uint8)
        second = first.copy()
        second[:2] = 255
        mask = np.zeros((4, 4), np.bool_)
        mask[2:] = True
        assert psnr(first, second, mask) == IDENTICAL_DB
        assert psnr(first, second, ~mask) == 0

    def test_what_cannot_be_compared(self) -> None:
        image = np.zeros((4, 4, 3), np.uint8)
        with pytest.raises(ValueError):
            psnr(image, image[:2])
        with pytest.raises(ValueError):
            psnr(image, image, np.zeros((4, 4), np.bool_))


class TestTiam:
    def test_every_subject_needs_its_own_detection(self) -> None:
        cat, dog = Wanted(kind="cat"), Wanted(kind="dog")
        assert all_right([Found("dog"), Found("cat", box=RIGHT)], [cat, dog])
        assert not all_right([Found("cat"), Found("cat", box=RIGHT)], [cat, dog])

    def test_one_of_a_kind_is_enough_unless_each_needs_its_own(self) -> None:
        """The authors' way, and ours."""
        cat, red_cat = Wanted(kind="cat"), Wanted(kind="cat", colours={"colour": "red"})
        one, red = Found("cat"), Found("cat", colours={"colour": "red"})
        assert all_right([one], [cat, cat])
        assert not all_right([one], [cat, cat], one_each=True)
        assert all_right([one, one], [cat, cat], one_each=True)
        assert matched([red], [cat, red_cat]) == (True, True)
        assert matched([red], [cat, red_cat], one_each=True) == (False, True)
        assert tiam([[one]], [[cat, cat]]).hits == 1
        assert tiam([[one]], [[cat, cat]], one_each=True).hits == 0

    def test_kinds_in_one_box_are_a_mixture_and_count_for_none(self) -> None:
        cat, dog = Wanted(kind="cat"), Wanted(kind="dog")
        # 0.5 of 0.52 wide: an overlap of 0.962; of 0.53: 0.943
        mixed = [Found("cat"), Found("dog", box=(0.0, 0.0, 0.52, 1.0))]
        apart = [Found("cat"), Found("dog", box=(0.0, 0.0, 0.53, 1.0))]
        assert matched(mixed, [cat, dog]) == (False, False)
        assert matched(apart, [cat, dog]) == (True, True)
        assert matched(mixed, [cat, dog], one_each=True) == (True, True)
        # another detection of the kind still counts, and two of one kind in a box are no mixture
        assert matched([*mixed, Found("cat", box=RIGHT)], [cat, dog]) == (True, False)
        assert matched([Found("cat"), Found("cat")], [cat]) == (True,)

    @given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=2, max_size=2))
    def test_overlap_is_a_share_and_symmetric(self, corners: list[list[float]]) -> None:
        a, b = ((min(x, u), min(y, v), max(x, u), max(y, v)) for x, y, u, v in corners)
        assert 0 <= overlap(a, b) <= 1 + 1e-9
        assert overlap(a, b) == pytest.approx(overlap(b, a))
        assert overlap((0, 0, 2, 1), (1, 0, 3, 1)) == pytest.approx(1 / 3)

    def test_colours_belong_to_their_subject(self) -> None:
        wishes = [
            Wanted(kind="cat", colours={"colour": "red"}),
            Wanted(kind="dog", colours={"colour": "blue"}),
        ]
        red, blue = {"colour": "red"}, {"colour": "blue"}
        right = [Found("cat", colours=red), Found("dog", box=RIGHT, colours=blue)]
        swapped = [Found("cat", colours=blue), Found("dog", box=RIGHT, colours=red)]
        assert all_right(right, wishes)
        assert not all_right(swapped, wishes)

    def test_the_stricter_wish_is_served_first(self) -> None:
        wishes = [Wanted(kind="cat"), Wanted(kind="cat", colours={"colour": "red"})]
        assert all_right([Found("cat", colours={"colour": "red"}), Found("cat")], wishes, one_each=True)
        assert not all_right([Found("cat", colours={"colour": "blue"}), Found("cat")], wishes)

    def test_share(self) -> None:
        share = tiam([[Found("cat")], [], [Found("cat")]], [[Wanted(kind="cat")]] * 3)
        assert (share.hits, share.total) == (2, 3)

    def test_wilson_interval_of_a_textbook(self) -> None:
        low, high = wilson_interval(8, 10)
        assert (low, high) == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))
        assert wilson_interval(0, 0) == (0.0, 1.0)
        assert wilson_interval(200, 200)[1] == 1.0

    @given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_the_interval_holds_the_share(self, counts: tuple[int, int]) -> None:
        share = Share(hits=counts[0], total=counts[1])
        low, high = share.interval
        assert 0 <= low <= share.value + 1e-12
        assert share.value - 1e-12 <= high <= 1


class TestSpearman:
    @given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=20))
    def test_as_scipy(self, pairs: list[tuple[int, int]]) -> None:
        first, second = [a for a, _ in pairs], [b for _, b in pairs]
        if len(set(first)) == 1 or len(set(second)) == 1:
            assert spearman(first, second) == 0
        else:
            assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)


ALPHAS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def slider(edited: tuple[float, ...], other: tuple[float, ...]) -> Slider:
    return Slider(alphas=ALPHAS, edited=edited, other=other, background_db=(30.0, 32.0, 34.0, 36.0))


class TestSlider:
    def test_measures_people_and_background_apart(self) -> None:
        images = [np.full((10, 10, 3), 50, np.uint8) for _ in ALPHAS]
        for index, image in enumerate(images):
            image[:, :5] = 20 * index
        images[4][:, 9] += 10
        found = [
            [Found("man", attributes={"age": 0.1 * i}), Found("woman", 1.0, (0.5, 0, 1, 1), {"age": 0.5})]
            for i in range(5)
        ]
        one = measure(images, found, ALPHAS, edited="man", other="woman", value=lambda f: f.attributes["age"])
        assert one.spearman == pytest.approx(1)
        assert one.edited_change == pytest.approx(0.15)
        assert one.other_change == 0
        assert one.background_db[:3] == (IDENTICAL_DB,) * 3
        assert one.background_db[3] == pytest.approx(10 * math.log10(255**2 / (100 / 5)))

    def test_where_a_person_covers_the_picture_nothing_is_beside_them(self) -> None:
        """A picture that broke at the slider's end stopped the whole evaluation, each time it went on."""
        images = [np.full((10, 10, 3), 50, np.uint8) for _ in ALPHAS]
        boxes = [(0, 0, 1, 1), *[(0, 0, 0.5, 1)] * 4]
        found = [
            [Found("man", 1.0, box, {"age": 0.1}), Found("woman", 1.0, (0.5, 0, 1, 1), {"age": 0.5})]
            for box in boxes
        ]
        one = measure(images, found, ALPHAS, edited="man", other="woman", value=lambda f: f.attributes["age"])
        assert math.isnan(one.background_db[0])
        assert one.mean_background_db == IDENTICAL_DB
        assert "NaN" not in json.dumps(one.to_json())
        assert summary([one, Slider.from_json(one.to_json())])["background_db"]["mean"] == IDENTICAL_DB
        hidden = replace(one, background_db=(math.nan,) * 4)
        assert summary([one, hidden])["background_db"]["mean"] == IDENTICAL_DB

    def test_a_colour_is_its_place_on_the_way(self) -> None:
        assert along((5, 0, 0), (0, 0, 0), (10, 0, 0)) == pytest.approx(0.5)
        assert along((5, 7, 7), (0, 0, 0), (10, 0, 0)) == pytest.approx(0.5), (
            "what lies beside it does not count"
        )

    def test_a_lost_person_counts(self) -> None:
        nan = math.nan
        one = slider((0.1, 0.2, 0.3, nan, nan), (0.5,) * 5)
        assert (one.lost, one.present_at_zero, one.spearman) == (2, True, 0.0)
        assert not slider((0.1, 0.2, nan, 0.3, 0.4), (0.5,) * 5).present_at_zero

    def test_json_both_ways(self) -> None:
        one = slider((0.1, 0.2, 0.3, math.nan, 0.4), (0.5,) * 5)
        assert repr(Slider.from_json(one.to_json())) == repr(one)

    def test_summary_counts_what_it_leaves_out(self) -> None:
        kept = slider((0.1, 0.2, 0.3, 0.4, 0.5), (0.5, 0.5, 0.5, 0.5, 0.52))
        missing = slider((0.1, 0.2, math.nan, 0.4, 0.5), (0.5,) * 5)
        table = summary([kept, missing])
        assert (table["pairs"], table["missing_at_zero"], table["measured"]) == (2, 1, 1)
        assert table["spearman"]["mean"] == pytest.approx(1)
        assert table["other_to_edited"] == pytest.approx(0.005 / 0.15)
        assert [row["alpha"] for row in table["by_alpha"]] == list(ALPHAS)

    def test_summary_of_nothing(self) -> None:
        assert summary([])["spearman"]["mean"] is None
