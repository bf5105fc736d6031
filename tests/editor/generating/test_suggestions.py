"""A description made of what a detector finds."""

import pytest

from editor.generating.suggestions import question, sentence


def test_each_kind_is_asked_for_twice_where_there_is_room() -> None:
    prompt, spans = question(("man", "apple"), 64)
    assert prompt == "a man, a man, an apple, an apple"
    assert [prompt[start:end] for start, end in spans] == ["man", "man", "apple", "apple"]
    prompt, spans = question(("man", "apple"), 3)
    assert [prompt[start:end] for start, end in spans] == ["man", "apple"]
    assert len(question([str(n) for n in range(100)], 64)[1]) == 64


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], ""),
        (["man"], "a photo of a man"),
        (["man", "woman"], "a photo of a man and a woman"),
        (["man", "man", "owl"], "a photo of a man, a man and an owl"),
    ],
)
def test_what_was_found_becomes_a_sentence(found: list[str], said: str) -> None:
    assert sentence(found) == said
