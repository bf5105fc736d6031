"""Differences between two prompts, and the alignment that finds them."""

import tracemalloc
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.prompts.differences import Pair, aligned, differences, in_common, one_at_a_time


def said(source: str, target: str, *names: str) -> list[tuple[list[str], list[str]]]:
    return [
        ([word.text for word in one.source], [word.text for word in one.target])
        for one in differences(source, target, names)
    ]


def test_words_that_stand_in_the_place_of_others() -> None:
    assert said("a photo of a man and a cat", "a photo of a man and a black dog") == [
        (["cat"], ["black", "dog"])
    ]
    assert said("a man", "A man") == []
    assert said("a cafe\u0301", "a Caf\u00e9") == [], "some systems write an accent apart"
    assert said("a man and a cat", "a man") == [(["and", "a", "cat"], [])]
    assert said("a red car, a cat", "a blue car, a dog") == [(["red"], ["blue"]), (["cat"], ["dog"])]


def test_learnt_words_are_one_word_with_their_signs() -> None:
    assert said("a photo of a cat", "a photo of a <cat>", "<cat>") == [(["cat"], ["<cat>"])]


def test_scripts_without_spaces_differ_sign_by_sign() -> None:
    assert said("一只猫在草地上", "一只狗在草地上") == [(["猫"], ["狗"])]


def test_words_in_common() -> None:
    assert in_common("a cat", "two dogs") == 0
    assert in_common("a cat on grass", "a dog on grass") == 3


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_the_alignment_is_a_longest_one_and_in_order(source: str, target: str) -> None:
    pairs = aligned(source, target)
    assert [pair.source for pair in pairs if pair.source is not None] == list(range(len(source)))
    assert [pair.target for pair in pairs if pair.target is not None] == list(range(len(target)))
    both = [Pair(*pair) for pair in pairs if pair.source is not None and pair.target is not None]
    assert all(source[pair.source] == target[pair.target] for pair in both)  # type: ignore[index]
    common = {"".join(c) for n in range(len(source) + 1) for c in combinations(source, n)} & {
        "".join(c) for n in range(len(target) + 1) for c in combinations(target, n)
    }
    assert len(both) == max(map(len, common))


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (
            "a sad man and an orange car, at night",
            "a smiling man and a red car, at night",
            ("a smiling man and an orange car, at night", "a sad man and a red car, at night"),
        ),
        ("a man", "a man and a dog", ("a man and a dog",)),
        ("a man and a dog in snow", "a tall man in rain", None),
        ("a man", "a man", ()),
        ("红色的猫和狗", "黑色的猫和马", ("黑色的猫和狗", "红色的猫和马")),
    ],
)
def test_each_change_alone(source: str, target: str, expected: tuple[str, ...] | None) -> None:
    if expected is None:
        expected = ("a tall man and a dog in snow", "a man in snow", "a man and a dog in rain")
    assert one_at_a_time(source, target) == expected


def test_long_texts_take_a_bit_for_each_pair_of_signs() -> None:
    """The window looks for differences with each key: of what was pasted by mistake, too."""
    texts = ["男女猫狗" * 500, "红蓝女大小" * 400]
    tracemalloc.start()
    try:
        differences(*texts)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
