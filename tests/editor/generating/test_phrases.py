"""Where English puts words that describe a noun."""

import pytest

from editor.generating.lessons import Lesson, comes_after, phrase


@pytest.mark.parametrize(
    ("words", "noun", "said"),
    [
        ("tired", "man", "tired man"),
        ("very old", "woman", "very old woman"),
        ("with glasses", "man", "man with glasses"),
        ("wearing a red hat", "woman", "woman wearing a red hat"),
        ("covered in snow", "car", "car covered in snow"),
        ("made of wood", "house", "house made of wood"),
        ("smiling", "man", "smiling man"),
        ("smiling at the camera", "man", "man smiling at the camera"),
    ],
)
def test_words_stand_where_they_belong(words: str, noun: str, said: str) -> None:
    assert phrase(words, noun) == said


def test_what_opens_a_phrase_comes_after() -> None:
    assert comes_after("looking at the camera")
    assert not comes_after("interesting")
    assert not comes_after("")


def test_each_end_is_placed_by_itself() -> None:
    lesson = Lesson(subject="man, old woman", lower="bearded", higher="without a beard")
    assert lesson.phrases() == (
        ("bearded man", "man without a beard"),
        ("bearded old woman", "old woman without a beard"),
    )
    assert b"man without a beard" in lesson.definition()
