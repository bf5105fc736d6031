"""What is said to teach an attribute becomes a definition."""

import pytest

from editor.generating.lessons import LONGEST, Lesson
from inference.definitions import Definition, definition_from_bytes
from inference.errors import EditorError


def taught(**values: str | tuple[str, ...]) -> Definition:
    said = {"subject": "man, woman", "lower": "rested", "higher": "very  tired", **values}
    return definition_from_bytes(Lesson(**said).definition())  # type: ignore[arg-type]


def test_words_become_pairs() -> None:
    made = taught()
    assert (made.attribute, made.label, made.subject) == ("very-tired", "Very tired", "person")
    assert [(pair.target, pair.positive, pair.negative, pair.noun) for pair in made.pairs] == [
        ("man", "very tired man", "rested man", "man"),
        ("woman", "very tired woman", "rested woman", "woman"),
    ]
    assert made.prefixes == ("a", "a photo of a", "a portrait of a")
    assert "woman" in made.subjects


def test_a_word_of_no_kind_is_one_of_its_own() -> None:
    made = taught(subject="Zeppelin；airship", label="Größe “XL”", prefixes=("one",))
    assert (made.subject, made.subjects, made.label) == ("zeppelin", ("zeppelin", "airship"), "Größe “XL”")
    assert made.prefixes == ("one",)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"subject": " , "}, "subject is missing"),
        ({"lower": " "}, "one end is missing"),
        ({"lower": "Very Tired"}, "Both ends are"),
        ({"higher": "x" * (LONGEST + 1)}, "too long"),
        ({"label": "a\x00b"}, "control characters"),
        ({"prefixes": ("{a,b" * 40,), "subject": "man"}, ""),
    ],
)
def test_what_cannot_be_learnt_is_said(values: dict[str, str], problem: str) -> None:
    if not problem:
        assert taught(**values)
        return
    with pytest.raises(EditorError, match=problem):
        taught(**values)


def test_quotes_and_backslashes_stay_text() -> None:
    assert taught(label='a "b" \\ c').label == 'a "b" \\ c'


@pytest.mark.parametrize(
    "lesson",
    [
        Lesson(subject="man, woman", lower="well rested", higher="tired"),
        Lesson(subject="toy", lower="new", higher="old", label="Wear", prefixes=("a {,small}", "one")),
    ],
)
def test_a_lesson_is_read_back_from_its_definition(lesson: Lesson) -> None:
    assert Lesson.of(lesson.definition()) == lesson


def test_what_says_more_than_a_lesson_is_none() -> None:
    content = Lesson(subject="man, woman", lower="young", higher="old").definition()
    assert Lesson.of(content.replace(b"old woman", b"aged woman")) is None
    assert Lesson.of(content.replace(b"old man", b"man").replace(b"old woman", b"woman")) is None
    for more in (
        b"range = [-1.0, 1.0]",
        b"scale = 0.4",
        b'beside = ["a * and a dog"]',
        b'subjects = ["boss"]',
    ):
        assert Lesson.of(more + b"\n" + content) is None
    assert Lesson.of(content.replace(b'attribute = "old"', b'attribute = "age"')) is None
    with pytest.raises(EditorError):
        Lesson.of(b"attribute = 3")
