"""Prompts: which token stands for which characters, lengths, and shifted embeddings."""

import numpy as np
import pytest
import torch

from inference.backbones.base import Backbone
from inference.errors import EditorError
from tests.helpers.tiny_models import CLIP_G, CLIP_L, NAMES, T5

ENCODERS = {
    "tiny-sd1": {"clip_l": (77, CLIP_L)},
    "tiny-sdxl": {"clip_l": (77, CLIP_L), "clip_g": (77, CLIP_G)},
    "tiny-sd3": {"clip_l": (77, CLIP_L), "clip_g": (77, CLIP_G), "t5": (256, T5)},
    "tiny-sd35": {"clip_l": (77, CLIP_L), "clip_g": (77, CLIP_G)},
}


def texts_of(backbone: Backbone, text: str, part: str, start: int = 0) -> dict[str, list[str]]:
    """Per encoder, the characters of each token that stands for `part`."""
    prompt = backbone.encode_prompt(text)
    begin = text.index(part, start)
    found = prompt.tokens(begin, begin + len(part))
    return {
        encoder: [text[slice(*prompt.offsets[encoder][token])] for token in tokens]
        for encoder, tokens in found.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_embeddings_and_offsets_of_every_encoder(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones[name]
    prompt = backbone.encode_prompt("a photo of a man")
    shapes = {encoder: tuple(value.shape[1:]) for encoder, value in prompt.embeddings.items()}
    assert shapes == ENCODERS[name]
    assert {encoder: len(offsets) for encoder, offsets in prompt.offsets.items()} == {
        encoder: length for encoder, (length, _) in ENCODERS[name].items()
    }
    assert dict(backbone.token_widths) == {e: width for e, (_, width) in ENCODERS[name].items()}
    assert (prompt.pooled is None) == (name == "tiny-sd1")
    assert backbone.encode_prompt("a photo of a man") is prompt


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("text", "part", "start"),
    [
        ("a photo of a man and a woman", "man", 0),
        ("a man and a man", "man", 5),
        ("A PHOTO of an Old Man", "Old Man", 0),
        ("a zebra", "zebra", 0),  # spelt in several tokens
        ("a niño con café", "niño", 0),
        ("a cafe\u0301 man", "cafe\u0301", 0),
        ("一个老人和一只狗", "老人", 0),
        ("  a   man  ", "man", 0),
    ],
)
def test_tokens_cover_exactly_the_characters(
    name: str, text: str, part: str, start: int, tiny_backbones: dict[str, Backbone]
) -> None:
    prompt = tiny_backbones[name].encode_prompt(text)
    begin = text.index(part, start)
    found = prompt.tokens(begin, begin + len(part))
    assert set(found) == set(ENCODERS[name])
    for encoder, tokens in found.items():
        spans = [prompt.offsets[encoder][token] for token in tokens]
        assert tokens, f"{encoder} has no token for “{part}”"
        assert min(a for a, _ in spans) <= begin
        assert max(b for _, b in spans) >= begin + len(part)
        others = set(range(len(prompt.offsets[encoder]))) - set(tokens)
        for a, b in (prompt.offsets[encoder][other] for other in others):
            assert b <= begin or a >= begin + len(part) or a == b


def test_known_words_are_one_token_and_repeated_ones_their_own(tiny_backbones: dict[str, Backbone]) -> None:
    prompt = tiny_backbones["tiny-sd3"].encode_prompt("a man and a man")
    first, second = prompt.tokens(2, 5), prompt.tokens(12, 15)
    assert first == {"clip_l": (2,), "clip_g": (2,), "t5": (1,)}  # T5 has no start token
    assert second == {"clip_l": (5,), "clip_g": (5,), "t5": (4,)}


def test_a_phrase_has_the_tokens_of_its_words(tiny_backbones: dict[str, Backbone]) -> None:
    found = texts_of(tiny_backbones["tiny-sdxl"], "a photo of the old man", "old man")
    assert found == {"clip_l": ["old", "man"], "clip_g": ["old", "man"]}


@pytest.mark.parametrize("name", NAMES)
def test_characters_without_a_token_are_refused(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    prompt = tiny_backbones[name].encode_prompt("a man")
    for start, end in ((1, 2), (5, 9), (100, 200)):
        with pytest.raises(EditorError, match="stand for no word"):
            prompt.tokens(start, end)
    with pytest.raises(EditorError):
        tiny_backbones[name].negative_prompt("").tokens(0, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_that_just_fits_and_one_that_does_not(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    fits = " ".join(["man"] * 75)
    assert sum(b > a for a, b in backbone.encode_prompt(fits).offsets["clip_l"]) == 75
    with pytest.raises(EditorError, match="these words fell off: “cat dog”") as raised:
        backbone.encode_prompt(fits + " cat dog")
    assert "75 tokens and the prompt has 77" in raised.value.hint
    with pytest.raises(EditorError, match=r"The negative prompt is too long.*fell off: “cat dog”") as raised:
        backbone.negative_prompt(fits + " cat dog")
    assert "75 tokens and the negative prompt has 77" in raised.value.hint


def test_a_word_cut_in_two_counts_as_fallen_off(tiny_backbones: dict[str, Backbone]) -> None:
    with pytest.raises(EditorError, match="fell off: “zebra”"):
        tiny_backbones["tiny-sd1"].encode_prompt(" ".join(["man"] * 72) + " zebra")


def test_the_negative_of_sdxl_is_zeros(tiny_backbones: dict[str, Backbone]) -> None:
    negative = tiny_backbones["tiny-sdxl"].negative_prompt("")
    assert negative.pooled is not None
    assert all(not value.any() for value in (*negative.embeddings.values(), negative.pooled))
    assert tiny_backbones["tiny-sdxl"].negative_prompt("a dog").embeddings["clip_l"].any()
    assert tiny_backbones["tiny-sdxl"].encode_prompt("").embeddings["clip_l"].any()
    assert tiny_backbones["tiny-sd1"].negative_prompt("").embeddings["clip_l"].any()


def test_a_shift_moves_its_tokens_only_and_lets_gradients_through(
    tiny_backbones: dict[str, Backbone],
) -> None:
    prompt = tiny_backbones["tiny-sdxl"].encode_prompt("a photo of a man")
    tokens = prompt.tokens(13, 16)
    before = {encoder: value.clone() for encoder, value in prompt.embeddings.items()}
    vector = torch.ones(CLIP_L, requires_grad=True)
    shifted = prompt.shifted({"clip_l": dict.fromkeys(tokens["clip_l"], 2 * vector), "clip_g": {}})
    moved = (shifted.embeddings["clip_l"] - before["clip_l"]).abs().sum(-1)[0].detach()
    assert [i for i, amount in enumerate(moved.tolist()) if amount] == list(tokens["clip_l"])
    assert moved.max() == pytest.approx(2 * CLIP_L)
    assert torch.equal(shifted.embeddings["clip_g"], before["clip_g"])
    assert torch.equal(prompt.embeddings["clip_l"], before["clip_l"])
    assert shifted.pooled is prompt.pooled
    assert shifted.offsets == prompt.offsets
    shifted.embeddings["clip_l"].sum().backward()
    assert vector.grad is not None
    assert np.allclose(vector.grad, 2)


def test_shifts_that_do_not_fit_are_refused(tiny_backbones: dict[str, Backbone]) -> None:
    prompt = tiny_backbones["tiny-sd1"].encode_prompt("a man")
    with pytest.raises(EditorError, match="768 numbers, the model's tokens have 16"):
        prompt.shifted({"clip_l": {2: torch.zeros(768)}})
    with pytest.raises(EditorError, match="no text encoder “clip_g”"):
        prompt.shifted({"clip_g": {2: torch.zeros(CLIP_G)}})
