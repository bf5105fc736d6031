"""Words that describe a noun from behind are told, since phrases are made by putting words before it."""

import pytest

from editor.generating.lessons import Lesson, comes_after
from inference.errors import EditorError


@pytest.mark.parametrize(
    "words",
    [
        "with glasses",
        "wearing a red hat",
        "covered in snow",
        "made of wood",
        "Smiling at the camera",
        "on fire",
    ],
)
def test_these_stand_after_a_noun(words: str) -> None:
    assert comes_after(words)
    with pytest.raises(EditorError, match="would stand after “man”"):
        Lesson(subject="man", lower="plain", higher=words).definition()
    with pytest.raises(EditorError, match="would stand after “man”"):
        Lesson(subject="man", lower=words, higher="plain").definition()


@pytest.mark.parametrize("words", ["tired", "very old", "smiling", "interesting", "inner", "off-road", ""])
def test_these_stand_before_it(words: str) -> None:
    assert not comes_after(words)


def test_what_the_model_is_shown() -> None:
    lesson = Lesson(subject="man, old woman", lower="shaven", higher="bearded")
    assert lesson.phrases() == (("shaven man", "bearded man"), ("shaven old woman", "bearded old woman"))
