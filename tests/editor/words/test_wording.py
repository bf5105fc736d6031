"""Names in the user's words."""

import pytest

from editor.words.wording import quoted_change


@pytest.mark.parametrize(
    ("text", "before", "said"),
    [
        ("a photo of a cat", "a photo of a man", "“a photo of a cat”"),
        (
            "a photo of a woman and a man in a green shirt on the beach",
            "a photo of a woman and a man on the beach",
            "“…in a green shirt on th…”",
        ),
        ("a painting of a woman and a man", "a photo of a woman and a man", "“…painting of a woman an…”"),
        ("two women and a man on the beach", "a photo of a woman", "“two women and a man on…”"),
        (
            "a photo of a woman and a man",
            "a photo of a woman and a man on the beach",
            "“a photo of a woman and…”",
        ),
    ],
)
def test_a_long_sentence_is_quoted_from_what_is_new_in_it(text: str, before: str, said: str) -> None:
    assert quoted_change(text, before, 24) == said
