"""Marks of weights, against what the tools read that brought them up, and what becomes of embeddings."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.operations import Generate
from inference.prompts.weights import check_marks, literal, read, understood
from inference.prompts.words import words


def segments(text: str) -> list[tuple[str, float]]:
    """Signs in a row of one weight, rounded."""
    found: list[tuple[str, float]] = []
    weighted = read(text)
    for sign, weight in zip(text, weighted.weights, strict=True):
        if weight is None:
            continue
        if found and abs(found[-1][1] - weight) < 1e-9:
            found[-1] = (found[-1][0] + sign, weight)
        else:
            found.append((sign, weight))
    return [(part, round(weight, 4)) for part, weight in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # the examples of A1111's own parser, where they are no mistakes
        ("normal text", [("normal text", 1.0)]),
        ("an (important) word", [("an ", 1.0), ("important", 1.1), (" word", 1.0)]),
        (r"\(literal\]", [("(literal]", 1.0)]),
        ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky)))).",
            [
                ("a ", 1.0),
                ("house", 1.573),
                (" ", 1.1),
                ("on", 1.0),
                (" a ", 1.1),
                ("hill", 0.55),
                (", sun, ", 1.1),
                ("sky", 1.4641),
                (".", 1.0),
            ],
        ),
        ("[[dark]] (cat:0)", [("dark", 0.8264), (" ", 1.0), ("cat", 0.0)]),
        ("(a: b) c:1.5", [("a: b", 1.1), (" c:1.5", 1.0)]),
        ("(ratio 3:x)", [("ratio 3:x", 1.1)]),
        ("(a :  1.25 )", [("a ", 1.25)]),
        ("(a:.5)(b:2.)", [("a", 0.5), ("b", 2.0)]),
        ("a\\b \\\\(c)", [("a\\b \\", 1.0), ("c", 1.1)]),
        ("", []),
    ],
)
def test_marks_are_read(text: str, expected: list[tuple[str, float]]) -> None:
    assert segments(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a (cat", "The “(” at sign 3 of the prompt has no “)”"),
        ("a cat)", "The “)” at sign 6 of the prompt has no “(”"),
        ("a [cat)", "The “)” at sign 7 of the prompt has no “(”"),
        ("[cat", "The “[” at sign 1"),
        ("(cat:1,2)", "“1,2” in “(cat:1,2)” is no weight"),
        ("(cat:)", "“” in “(cat:)” is no weight"),
        ("(cat:-1)", "“-1” in “(cat:-1)” is no weight"),
        ("(cat:11)", "“11” in “(cat:11)” is no weight"),
        ("[cat:dog:0.5]", "Square brackets take no number: “[cat:dog:0.5]”"),
        ("a (cat\\)", "The “(” at sign 3"),
        ("a ((cat:10):2) on grass", "The brackets around “cat"),
        ("(" * 3000 + "cat" + ")" * 3000, "a weight of more than 10"),
    ],
)
def test_mistakes_are_said(text: str, said: str) -> None:
    with pytest.raises(EditorError) as raised:
        read(text)
    assert said in str(raised.value)
    assert raised.value.hint
    assert understood(text, weighted=True) == literal(text)


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
def test_marks_are_looked_at_before_all_work(name: str) -> None:
    values = {"prompt": "a cat"} | {name: "a (cat"}
    check_marks(Generate(**values))
    with pytest.raises(EditorError, match="has no"):
        check_marks(Generate(**values, weighted=True))


def test_words_stay_where_they_are_and_are_shown_without_marks() -> None:
    text = r"an (old:1.2) [red-haired] ((man's)) \(hat\) (a)(b)"
    found = read(text)
    assert [word.text for word in words(found.text)] == ["an", "old", "red-haired", "man's", "hat", "a", "b"]
    assert all(text[word.start : word.end] == word.text for word in words(found.text))
    assert len(found.shown) == len(found.text) == len(text)
    visible = found.shown.replace("\u2060", "")
    assert visible == "an old red-haired man's (hat) a b"


@given(st.text("ab ()[]:.1\\", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except EditorError:
        return
    assert len(found.weights) == len(text)
    left = [sign for index, sign in enumerate(found.text) if index not in found.superfluous]
    assert "".join(left).split() == found.text.split()
    plain = "".join(left)
    assert "  " not in plain or "  " in text.replace("\\", "")


# embeddings


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def test_embeddings_are_multiplied_word_by_word(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones[name]
    text = "a (man:1.5) and [cat], (an old:0.5) dog"
    found = backbone.encode_prompt(text, weighted=True)
    plain = backbone.encode_prompt("a man and cat , an old dog")
    for encoder, before in plain.embeddings.items():
        after, factors = found.embeddings[encoder][0], torch.ones(before.shape[1])
        for word, weight in (("man", 1.5), ("cat", 1 / 1.1), ("an", 0.5), ("old", 0.5)):
            start = text.index(word) if word != "an" else text.index("an old")
            tokens = found.tokens(start, start + len(word))[encoder]
            own = plain.text.index(word) if word != "an" else plain.text.index("an old")
            assert tokens == plain.tokens(own, own + len(word))[encoder]
            factors[list(tokens)] = weight
        expected = before[0] * factors[:, None]
        torch.testing.assert_close(after, expected, rtol=1e-3, atol=1e-4)
        assert (after - before[0]).abs().max() > 0.01
    if found.pooled is not None and plain.pooled is not None:
        assert torch.equal(found.pooled, plain.pooled)
    start = text.index("dog")
    assert found.tokens(start, len(text)) == plain.tokens(len(plain.text) - 3, len(plain.text))


def test_each_piece_gets_its_mean_back_where_there_is_one_encoder(tiny_backbones: dict[str, Any]) -> None:
    """As A1111 does it; the mean of the tiny encoders' own embeddings is zero, and so left alone."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, 3, 8, generator=generator) + torch.tensor([0.5, -1.0])[:, None, None]
    weights = (1.0, 2.0, 1.0, 0.5, 1.0, 1.0)
    product = hidden * torch.tensor(weights).reshape(2, 3, 1)
    found = tiny_backbones["tiny-sd1"]._weighed(hidden, weights)
    for piece in range(2):
        expected = product[piece] * (hidden[piece].mean() / product[piece].mean())
        torch.testing.assert_close(found[piece], expected)
    torch.testing.assert_close(tiny_backbones["tiny-sdxl"]._weighed(hidden, weights), product)


def test_marks_without_an_effect_change_no_bit(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sdxl"]
    plain = backbone.encode_prompt("a (cat:1.2)")
    assert plain.text == "a (cat:1.2)"
    assert any(plain.text[a:b] == "(" for a, b in plain.offsets["clip_l"])  # off: read as it is written
    same = backbone.encode_prompt("a (cat:1)", weighted=True)
    assert torch.equal(same.embeddings["clip_g"], backbone.encode_prompt("a cat").embeddings["clip_g"])


def test_weights_hold_in_every_piece_and_of_learnt_words(tiny_backbones: dict[str, Any]) -> None:
    from inference.prompts.learnt_words import LearntWord

    backbone = tiny_backbones["tiny-sdxl"]
    vectors = {name: torch.randn(2, width) for name, width in backbone.token_widths.items()}
    toy = LearntWord(word="<toy>", vectors=vectors)
    text = "man " * 75 + "a (<toy>:2) and (cat:3)"
    found = backbone.encode_prompt(text, [toy], weighted=True)
    plain = backbone.encode_prompt("man " * 75 + "a <toy> and cat", [toy])
    assert found.length == plain.length == 2
    ratio = (found.embeddings["clip_g"] / plain.embeddings["clip_g"])[0].median(-1).values
    toys, cats = (
        found.tokens(start, start + 3)["clip_g"] for start in (text.index("<toy>"), text.index("cat"))
    )
    assert toys == (77 + 2, 77 + 3)
    expected = torch.ones(2 * 77)
    expected[list(toys)], expected[list(cats)] = 2, 3
    torch.testing.assert_close(ratio, expected, rtol=1e-3, atol=1e-3)


def test_wrong_marks_of_a_negative_prompt_are_refused(tiny_backbones: dict[str, Backbone]) -> None:
    with pytest.raises(EditorError, match="has no"):
        tiny_backbones["tiny-sd1"].negative_prompt("a (cat", weighted=True)
    assert tiny_backbones["tiny-sd1"].negative_prompt("a (cat").text == "a (cat"
