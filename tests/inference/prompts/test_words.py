"""Words as people see them, and finding a subject."""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import EditorError
from inference.prompts.words import find_names, find_subject, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a photo of a man, and a woman.", ["a", "photo", "of", "a", "man", "and", "a", "woman"]),
        ("A Man's red-haired dog", ["A", "Man's", "red-haired", "dog"]),
        ("one - two -- 'three'", ["one", "two", "three"]),
        ("niño con café", ["niño", "con", "café"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("一个老人和一只狗", ["一个老人和一只狗"]),
        ("一个老人，和一只狗 in snow", ["一个老人", "和一只狗", "in", "snow"]),
        ("photo老人photo", ["photo", "老人", "photo"]),
        ("カタカナとひらがな", ["カタカナとひらがな"]),
        ("늙은 남자", ["늙은", "남자"]),
        ("एक आदमी", ["एक", "आदमी"]),
        ("3 cats 🐱", ["3", "cats", "🐱"]),
        ("", []),
        (" ,. ", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert [word.text for word in words(text)] == expected


@given(st.text())
def test_words_are_pieces_of_the_text_in_order(text: str) -> None:
    found = words(text)
    assert all(text[word.start : word.end] == word.text != "" for word in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    covered = {i for word in found for i in range(word.start, word.end)}
    assert all(i in covered for i, character in enumerate(text) if character.isalnum())


@pytest.mark.parametrize(
    ("text", "phrase", "occurrence", "expected"),
    [
        ("a man and a woman", "man", 0, "man"),
        ("a woman and a man", "man", 0, "man"),
        ("A MAN", "man", 0, "MAN"),
        ("an old  man", "old man", 0, "old  man"),
        ("a red car and a blue car", "car", 1, "car"),
        ("a CAFÉ", "cafe\u0301", 0, "CAFÉ"),
        ("Straße", "STRASSE", 0, "Straße"),
        ("一个老人和一只狗", "老人", 0, "老人"),
        ("a photo of 老人", "老人", 0, "老人"),
    ],
)
def test_a_subject_is_found(text: str, phrase: str, occurrence: int, expected: str) -> None:
    start, end = find_subject(text, phrase, occurrence)
    assert text[start:end] == expected


def test_whole_words_only_and_in_order() -> None:
    assert find_subject("a woman and a man", "man") == (14, 17)
    assert find_subject("a red car and a blue car", "car", 1) == (21, 24)
    with pytest.raises(EditorError):
        find_subject("man old", "old man")


def test_a_missing_subject_names_the_words_there_are() -> None:
    with pytest.raises(EditorError, match=r"“dog” is not in the prompt.*a, man, and, woman\.") as raised:
        find_subject("a man and a woman", "dog")
    assert raised.value.hint == "The prompt's words are: a, man, and, woman."
    with pytest.raises(EditorError, match="empty"):
        find_subject("", "dog")
    with pytest.raises(EditorError):
        find_subject("a man", ",")


def test_too_high_an_occurrence_says_how_many_there_are() -> None:
    with pytest.raises(EditorError, match=r"number 2.*once"):
        find_subject("a man", "man", 1)
    with pytest.raises(EditorError, match=r"number 3.*2 times"):
        find_subject("a man, a man", "man", 2)


def test_words_and_catalogue_load_no_torch() -> None:
    code = "import sys, inference.prompts.words, inference.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("a toy, Toys and the toy's box", ("toy",), ["toy", "toy"]),
        ("a <Toy>!", ("<toy>",), ["<Toy>"]),
        ("x<toy>y", ("<toy>",), ["<toy>"]),
        ("toybox toy", ("toy", "toybox"), ["toybox", "toy"]),
        ("toybox toy", ("toy",), ["toy"]),
        ("小明和小明明", ("小明",), ["小明", "小明"]),
        ("a ıI", ("i",), []),
        ("an (a.b) and acb", ("a.b",), ["a.b"]),
        ("toy2 toy 2toy", ("toy",), ["toy"]),
        ("any", (), []),
    ],
)
def test_names_are_found_as_whole_words(text: str, names: tuple[str, ...], found: list[str]) -> None:
    places = find_names(text, names)
    assert [text[start:end] for start, end, _ in places] == found
    assert all(names[index].casefold() == text[start:end].casefold() for start, end, index in places)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 🐱 on a 🛋️", ["a", "🐱", "on", "a", "🛋️"]),
        ("🐱🐶", ["🐱", "🐶"]),
        ("a man👍🏽", ["a", "man", "👍🏽"]),
        ("👩‍👩‍👧‍👦 in 🇩🇪🇫🇷", ["👩‍👩‍👧‍👦", "in", "🇩🇪", "🇫🇷"]),
        ("❤️ 1️⃣ ☀", ["❤️", "1️⃣", "☀"]),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", ["🏴󠁧󠁢󠁥󠁮󠁧󠁿"]),
        ("<my-🐱> 3", ["<my-🐱>", "3"]),
        ("一只🐱狗", ["一只", "🐱", "狗"]),
    ],
)
def test_an_emoji_is_a_word(text: str, expected: list[str]) -> None:
    assert [word.text for word in words(text)] == expected
    for word in words(text):
        assert find_subject(text, word.text)[1] <= word.end
