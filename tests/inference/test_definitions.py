"""Definitions: brace groups, sentences, and what is refused."""

import time
from pathlib import Path

import pytest

from inference.definitions import (
    definition_from_bytes,
    definition_of,
    expand,
    read_definition,
    read_definitions,
    sentence,
    shipped_folder,
    subject_words,
)
from inference.errors import EditorError


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("a car", ("a car",)),
        ("a {,red} car", ("a car", "a red car")),
        (
            "{,a photo of,a portrait of} a {,beautiful}",
            (
                "a",
                "a beautiful",
                "a photo of a",
                "a photo of a beautiful",
                "a portrait of a",
                "a portrait of a beautiful",
            ),
        ),
        ("{a, a} car", ("a car",)),
        ("", ("",)),
    ],
)
def test_brace_groups_expand_in_order_without_repeats(text: str, expanded: tuple[str, ...]) -> None:
    assert expand(text) == expanded


@pytest.mark.parametrize(
    ("prefix", "phrase", "text"),
    [
        ("a", "old man", "an old man"),
        ("a photo of a", "orange tree", "a photo of an orange tree"),
        ("a photo of a", "young man", "a photo of a young man"),
        ("", "old man", "old man"),
        ("A", "old man", "An old man"),
    ],
)
def test_sentences_have_the_right_article(prefix: str, phrase: str, text: str) -> None:
    assert sentence(prefix, phrase) == text


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "definitions" / "x.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


HEAD = 'attribute = "age"\nsubject = "person"\nlabel = "Age"\nprefixes = ["a"]\n'
PAIR = '[[pairs]]\ntarget = "{,nice} man"\npositive = "{,nice} old man"\nnegative = "young man"\n'


def test_groups_of_a_pair_expand_in_step(tmp_path: Path) -> None:
    definition = read_definition(write(tmp_path, HEAD + PAIR))
    assert [(pair.positive, pair.negative) for pair in definition.pairs] == [
        ("old man", "young man"),
        ("nice old man", "young man"),
    ]
    assert (definition.name, definition.range, definition.scale) == ("person-age", (-2.0, 2.0), 0.5)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (HEAD, "lacks pairs"),
        (HEAD + 'colour = "red"\n' + PAIR, "unknown colour"),
        (HEAD + PAIR + 'negtive = "young man"\n', "A pair has the unknown negtive"),
        (HEAD + PAIR.replace("young man", "young woman"), "same noun"),
        (HEAD + PAIR.replace("{,nice} old man", "{,nice,big} old man"), "do not go together"),
        (HEAD + "range = [2, -2]\n" + PAIR, "from low to high"),
        (HEAD + "range = [-1e-320, 1e-320]\n" + PAIR, "from low to high"),
        ("attribute = ", "cannot be read"),
        (HEAD.replace('"age"', '" "') + PAIR, "the attribute's name"),
        (HEAD + "pairs = []\n", "it needs a prefix, a pair"),
        (HEAD + "pairs = 5\n", "pairs is 5"),
        (HEAD + 'pairs = ["man"]\n', "A pair is 'man'"),
        (HEAD + "pairs = [{}]\n", "target is None"),
        (HEAD.replace('"person"', "1") + PAIR, "subject is 1"),
        (HEAD + 'beside = ["a man"]\n' + PAIR, "needs one star"),
        (HEAD + "scale = 0\n" + PAIR, "scale of 0"),
    ],
)
def test_what_is_wrong_is_named_and_where(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(EditorError) as caught:
        read_definition(write(tmp_path, text))
    assert part in str(caught.value)
    assert "x.toml" in str(caught.value)
    assert caught.value.hint


def test_of_what_is_unknown_little_is_told(tmp_path: Path) -> None:
    many = "".join(f"{'x' * 1000}{number} = 1\n" for number in range(100))
    with pytest.raises(EditorError) as caught:
        read_definition(write(tmp_path, many + HEAD + PAIR))
    assert len(str(caught.value)) < 500


def test_shipped_definitions_cover_people_animals_and_things() -> None:
    names = {definition.name for definition in read_definitions(shipped_folder() / "definitions")}
    assert {"person-age", "person-smile", "person-hair-colour", "person-shirt-colour"} <= names
    assert {"thing-size", "thing-colour", "animal-size", "animal-colour", "plant-size"} <= names


def test_shipped_definitions_use_words_of_the_mini_world() -> None:
    from inference.miniworld.vocabulary import WORDS

    for definition in read_definitions(shipped_folder() / "definitions"):
        for prefix in definition.prefixes:
            for pair in definition.pairs:
                used = sentence(prefix, pair.positive).replace("-", " - ").split()
                assert set(used) <= set(WORDS), definition.name


def test_every_subject_class_has_words() -> None:
    words = subject_words(shipped_folder())
    assert {"man", "woman"} <= set(words["person"])
    for definition in read_definitions(shipped_folder() / "definitions"):
        assert {pair.noun for pair in definition.pairs} <= set(definition.subjects)


def test_brace_groups_that_stand_for_too_many_texts_are_refused_before_they_are_made() -> None:
    with pytest.raises(EditorError, match=f"{2**40} texts: allowed are 10000"):
        expand("{a,b}" * 40)
    values = {"attribute": "a", "subject": "person", "label": "A", "prefixes": ["{a,b}" * 8]}
    pair = dict.fromkeys(("target", "positive", "negative"), "{c,d}" * 6 + " man")
    with pytest.raises(EditorError, match="more than 10000 texts"):
        definition_of({**values, "pairs": [pair]}, "a.toml")


def test_a_phrase_without_a_noun_is_refused() -> None:
    values = {"attribute": "a", "subject": "person", "label": "A", "prefixes": ["a"]}
    with pytest.raises(EditorError, match="same noun"):
        definition_of({**values, "pairs": [{"target": "", "positive": "", "negative": ""}]}, "a.toml")


def test_the_cost_of_parsing_is_bounded() -> None:
    key = ".".join(["a"] * 200_000)
    started = time.process_time()
    with pytest.raises(EditorError, match="199999 full stops"):
        definition_from_bytes(f"{key} = 1".encode())
    assert time.process_time() - started < 0.5
