"""Which tokens get whose attention, against matrices written by hand."""

import pytest
import torch

from inference.attention import TextPart
from inference.backbones.base import Backbone
from inference.methods.prompt_to_prompt.alignment import Alignment, Wording, alignments
from inference.prompts.learnt_words import LearntWord
from inference.prompts.prompt import Offset, Prompt

PLAIN = Wording(weights={})


def prompt(text: str, tokens: int = 12, pieces: dict[str, int] | None = None) -> Prompt:
    """Start, one token a word (or several pieces), end and padding."""
    offsets: list[Offset] = [(0, 0)]
    place = 0
    for word in text.split():
        start = text.index(word, place)
        place = start + len(word)
        count = (pieces or {}).get(word, 1)
        if word.startswith("<"):
            offsets += [(start, place)] * count
        else:
            cut = len(word) // count
            offsets += [
                (start + i * cut, place if i == count - 1 else start + (i + 1) * cut) for i in range(count)
            ]
    offsets += [(0, 0)] * (tokens - len(offsets))
    return Prompt(text=text, embeddings={}, pooled=None, offsets={"clip_l": tuple(offsets)})


def one(source: Prompt, target: Prompt, wording: Wording = PLAIN) -> Alignment:
    (found,) = alignments(source, target, {"clip": TextPart(("clip_l",), 0)}, wording)
    return found


def sources(found: Alignment) -> list[int | None]:
    """For each target token the one source token that it takes, None for its own."""
    return [
        int(column.argmax()) if taken else None
        for column, taken in zip(found.carried.T, found.taken, strict=True)
    ]


def test_a_new_word_keeps_its_own_and_all_others_find_theirs() -> None:
    found = one(prompt("a cat and a dog"), prompt("a black cat and a dog"))
    assert sources(found)[:8] == [0, 1, None, 2, 3, 4, 5, 6]
    # one place of padding less: the last takes both, so the sum stays
    torch.testing.assert_close(found.carried.sum(1), torch.ones(12))


def test_a_replaced_word_of_several_tokens_shares_what_the_old_one_had() -> None:
    source, target = prompt("a cat and a dog"), prompt("a <toy> and a dog", pieces={"<toy>": 3})
    found = one(source, target, Wording(weights={}, replace=True))
    torch.testing.assert_close(found.carried[2, 2:5], torch.full((3,), 1 / 3))
    # whatever follows is found by its own characters, not by counting on
    assert sources(found)[5:8] == [3, 4, 5]
    assert sources(one(source, target))[:6] == [0, 1, None, None, None, 3]


def test_the_same_word_of_several_tokens_goes_token_by_token() -> None:
    source = prompt("a <toy> and a dog", pieces={"<toy>": 3})
    found = one(source, prompt("a <toy> and a cat", pieces={"<toy>": 3}))
    assert sources(found)[:8] == [0, 1, 2, 3, 4, 5, 6, None]


def test_unequal_numbers_of_words_are_not_replaced() -> None:
    found = one(prompt("a cat and"), prompt("a small dog and"), Wording(weights={}, replace=True))
    assert sources(found)[:5] == [0, 1, None, None, 3]


def test_fewer_words_leave_more_padding_which_shares_the_last_ones() -> None:
    found = one(prompt("a cat and a dog"), prompt("a cat"))
    assert sources(found)[:3] == [0, 1, 2]
    torch.testing.assert_close(found.carried[:3].sum(1), torch.ones(3))
    torch.testing.assert_close(found.carried[6:].sum(1), torch.ones(6))
    torch.testing.assert_close(found.carried[-1, -4:], torch.full((4,), 0.25))


def test_weights_and_corrections() -> None:
    source = prompt("a cat and a dog")
    found = one(source, prompt("a cat and a dog"), Wording(weights={(2, 5): 2.0}, changed=[(12, 15)]))
    assert found.weights[2] == 2
    assert (found.weights != 1).sum() == 1
    assert sources(found)[:7] == [0, 1, 2, 3, 4, None, 6]
    assert not found.is_neutral
    assert one(source, prompt("a cat and a dog")).is_neutral


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def test_real_tokenizers_with_a_learnt_word(name: str, tiny_backbones: dict) -> None:
    backbone: Backbone = tiny_backbones[name]
    vectors = {encoder: torch.randn(2, width) for encoder, width in backbone.token_widths.items()}
    toy = LearntWord(word="<toy>", vectors={k: v for k, v in vectors.items() if k != "t5"}, plain="cat")
    source = backbone.encode_prompt("a photo of a man and a woman")
    target = backbone.encode_prompt("a photo of a <toy> and a woman", [toy])
    found = alignments(source, target, backbone.text_parts, Wording(weights={}, replace=True))
    assert [part.columns[0] for part in found] == [part.start for part in backbone.text_parts.values()][
        : len(found)
    ]
    for part in found:
        torch.testing.assert_close(part.carried.sum(1), torch.ones(len(part.carried)))
        assert bool((part.taken == 1).all())


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def test_words_that_move_into_another_piece_are_found_there(name: str, tiny_backbones: dict) -> None:
    backbone: Backbone = tiny_backbones[name]
    words = ["man", "cat", "dog", "and"] * 18 + ["photo", "of", "a", "man"]
    source = backbone.encode_prompt(" ".join(words))
    target = backbone.encode_prompt(" ".join(["old", "old", "old", *words]))
    source, target = backbone.of_one_length(source, target)
    found = alignments(source, target, backbone.text_parts, PLAIN)[0]
    start = target.text.index("photo")
    (there,), (here,) = (
        one.tokens(one.text.index("photo"), one.text.index("photo") + 5)["clip_l"] for one in (target, source)
    )
    assert (here, there) == (73, 77 + 1)  # behind the second piece's start
    assert target.offsets["clip_l"][there] == (start, start + 5)
    assert found.carried[here, there] == 1
    torch.testing.assert_close(found.carried.sum(1), torch.ones(2 * 77))
    assert bool((found.taken == 1).sum() == 2 * 77 - 3)
    assert sorted({*found.columns}) == list(found.columns)
    assert (77 in found.columns) == (name != "tiny-sd3")  # T5's
