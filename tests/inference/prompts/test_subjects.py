"""Suggested subjects: nouns, compounds, modifiers, settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.prompts.subjects import subjects_beside, subjects_of, suggest, surroundings
from inference.prompts.words import find_subject


def read(prompt: str) -> list[str]:
    """Suggestions as text: "car(red)", settings with a star."""
    found = []
    for one in suggest(prompt):
        modifiers = " ".join(prompt[a:b] for a, b in one.modifiers)
        text = prompt[one.start : one.end] + (f"({modifiers})" if modifiers else "")
        found.append(text + "*" * one.is_setting)
    return found


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a photo of a cat and a dog and a red car", ["cat", "dog", "car(red)"]),
        ("A Photo Of A CAT And A Red CAR", ["CAT", "CAR(Red)"]),
        ("a cat and another cat", ["cat", "cat"]),
        ("a photo of a red car and two old men on the beach", ["car(red)", "men(old)", "beach*"]),
        ("a teddy bear next to a big, shiny fire truck", ["teddy bear", "fire truck(big shiny)"]),
        ("a cat sitting on a wooden bench", ["cat", "bench(wooden)*"]),
        ("the car is red", ["car(red)"]),
        ("a red-haired woman with a blue bow tie", ["woman(red-haired)", "bow tie(blue)"]),
        ("a portrait of a very old smiling man at night", ["man(old smiling)", "night*"]),
        ("an orange and a glass", ["orange", "glass"]),
        ("an orange ball", ["ball(orange)"]),
        ("a tall building in the snow", ["building(tall)", "snow*"]),
        ("a dog, a cat, a tree", ["dog", "cat", "tree"]),
        ("oil painting", []),
        ("", []),
        ("of the and", []),
    ],
)
def test_suggestions(prompt: str, expected: list[str]) -> None:
    assert read(prompt) == expected


def test_subjects_take_the_modifiers_that_stand_outside_of_them() -> None:
    prompt = "a photo of a red car and a cat"
    car, red_car = find_subject(prompt, "car"), find_subject(prompt, "red car")
    assert [s.modifiers for s in subjects_of(prompt, [car])] == [((13, 16),)]
    assert [s.modifiers for s in subjects_of(prompt, [red_car])] == [()]
    assert [(s.start, s.end) for s in subjects_of(prompt)] == [car, find_subject(prompt, "cat")]


def test_settings_are_not_chosen_by_default() -> None:
    prompt = "a ball on the beach"
    assert [prompt[s.start : s.end] for s in subjects_of(prompt)] == ["ball"]


@given(st.text(max_size=80))
def test_any_text_gives_spans_inside_it(prompt: str) -> None:
    for one in suggest(prompt):
        for start, end in ((one.start, one.end), *one.modifiers):
            assert 0 <= start < end <= len(prompt)
            assert prompt[start:end].strip()


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a photo of a man and a cat on the beach", "a photo on the beach"),
        ("two old friends on a beach at sunset", "on a beach at sunset"),
        ("a photo of <my-cat> and a dog in a garden", "a photo in a garden"),
        ("a photo of a smiling woman", "a photo"),
        ("a red car", ""),
        ("", ""),
    ],
)
def test_surroundings_are_what_is_said_beside_the_subjects(prompt: str, expected: str) -> None:
    assert surroundings(prompt) == expected


def test_subjects_beside_others() -> None:
    prompt = "a photo of an old man and a cat on the beach"
    man, cat = (prompt.index(word) for word in ("man", "cat"))

    def nouns(*spans: tuple[int, int]) -> list[str]:
        return [prompt[one.start : one.end] for one in subjects_beside(prompt, spans)]

    assert nouns() == ["man", "cat"]
    assert nouns((man, man + 3)) == ["cat"]
    assert nouns((man - 4, man - 1)) == ["man", "cat"], "its adjective is not the man"
    assert nouns((man + 1, cat + 1)) == []
