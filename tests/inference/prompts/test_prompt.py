"""Prompts: which token stands for which characters, lengths, and shifted embeddings."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.prompts.prompt import MOST_PIECES, Prompt
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


def content(prompt: Prompt, encoder: str) -> list[list[str]]:
    """The texts of the tokens of each piece, without start, end and padding."""
    spans = [[prompt.offsets[encoder][i] for i in piece] for piece in prompt.borders(encoder)]
    return [[prompt.text[a:b] for a, b in piece if b > a] for piece in spans]


@pytest.mark.parametrize("name", NAMES)
def test_a_long_prompt_is_read_in_pieces_that_are_encoded_apart(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    first, second = " ".join(["man"] * 75), "a cat and a dog"
    one, other = backbone.encode_prompt(first), backbone.encode_prompt(second)
    both = backbone.encode_prompt(f"{first} {second}")
    assert (one.length, both.length) == (1, 2)
    for encoder in (name for name in one.offsets if name != "t5"):
        assert content(both, encoder) == [["man"] * 75, second.split()]
        apart = torch.cat([one.embeddings[encoder], other.embeddings[encoder]], dim=1)
        assert (both.embeddings[encoder] - apart).abs().max() < 1e-5
        assert both.embeddings[encoder].shape[1] == 2 * 77
    if one.pooled is not None and both.pooled is not None:  # as A1111 and ComfyUI have it
        assert (both.pooled - one.pooled).abs().max() < 1e-5
    start = both.text.index("dog")
    found = both.tokens(start, start + 3)
    assert found["clip_l"] == (77 + 5,)
    if "t5" in found:
        assert found["t5"] == (79,)
        assert both.embeddings["t5"].shape[1] == 256


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_of_one_length_whichever_of_its_texts_is_longer(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    long = " ".join(["a", "cat", "and"] * 30)
    for prompt, negative in (
        (backbone.encode_prompt(long), backbone.negative_prompt("")),
        (backbone.encode_prompt("a man"), backbone.negative_prompt(long)),
    ):
        same, short = backbone.of_one_length(prompt, negative)
        assert same.length == short.length == 2
        assert (same is prompt) != (short is negative)
        level, noise = backbone.schedule.level_at(500), backbone.initial_noise(1, 64, 64)
        with torch.no_grad():
            together = backbone.predict(noise.repeat(2, 1, 1, 1), level, [negative, prompt])
            explicit = backbone.predict(noise.repeat(2, 1, 1, 1), level, [short, same])
        assert torch.equal(together.eps, explicit.eps)
    empty = backbone.encode_prompt("").embeddings["clip_l"]
    (lengthened, _) = backbone.of_one_length(backbone.encode_prompt("a man"), backbone.encode_prompt(long))
    assert torch.equal(lengthened.embeddings["clip_l"][:, 77:], empty)
    assert lengthened.tokens(2, 5)["clip_l"] == (2,)


def test_the_zeros_of_sdxl_are_lengthened_by_zeros(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sdxl"]
    negative, _ = backbone.of_one_length(
        backbone.negative_prompt(""), backbone.encode_prompt(" ".join(["man"] * 80))
    )
    assert negative.embeddings["clip_g"].shape[1] == 2 * 77
    assert not negative.embeddings["clip_g"].any()


def test_sd3_sees_the_same_in_the_usual_order_of_its_text(tiny_backbones: dict[str, Any]) -> None:
    """Elsewhere all pieces of CLIP come first, then T5."""
    backbone = tiny_backbones["tiny-sd3"]
    prompt = backbone.encode_prompt(" ".join(["a", "cat", "and"] * 40))
    level, noise = backbone.schedule.level_at(500), backbone.initial_noise(1, 64, 64)
    clip = torch.cat([prompt.embeddings["clip_l"], prompt.embeddings["clip_g"]], dim=-1)
    clip = torch.nn.functional.pad(clip, (0, T5 - clip.shape[-1]))
    with torch.no_grad():
        usual = backbone.parts.denoiser(
            hidden_states=noise,
            timestep=torch.tensor([level.timestep]),
            encoder_hidden_states=torch.cat([clip, prompt.embeddings["t5"]], dim=1),
            pooled_projections=prompt.pooled,
            return_dict=False,
        )[0]
        found = backbone.predict(noise, level, [prompt])
    expected = backbone.schedule.to_prediction(usual, noise, level)
    assert (found.eps - expected.eps).abs().max() < 1e-5


@given(st.lists(st.sampled_from(["man", "zebra", "cat,", "old-cat", "an.", "一个老人"]), max_size=80))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_word_is_cut_and_none_is_lost(tiny_backbones: dict[str, Backbone], parts: list[str]) -> None:
    text = " ".join(parts)
    prompt = tiny_backbones["tiny-sd1"].encode_prompt(text)
    assert [span for span in prompt.offsets["clip_l"] if span[1] > span[0]] == sorted(
        span for span in prompt.offsets["clip_l"] if span[1] > span[0]
    )
    pieces = content(prompt, "clip_l")
    assert all(len(piece) <= 75 for piece in pieces)
    borders = [prompt.borders("clip_l")[i][0] for i in range(1, len(pieces))]
    for border in borders:
        before = max(b for a, b in prompt.offsets["clip_l"][:border])
        after = min(a for a, b in prompt.offsets["clip_l"][border:] if b > a)
        assert before <= after
        between = text[before:after]
        assert between.isspace() or (text[before - 1] in "一个老人" and text[after] in "一个老人")
    covered = {i for a, b in prompt.offsets["clip_l"] for i in range(a, b)}
    assert covered == {i for i, sign in enumerate(text) if not sign.isspace()}


def test_a_piece_ends_at_a_comma_that_is_near(tiny_backbones: dict[str, Backbone]) -> None:
    encode = tiny_backbones["tiny-sd1"].encode_prompt
    near = content(encode("man " * 60 + "cat, " + "dog " * 20), "clip_l")
    assert [len(piece) for piece in near] == [62, 20]
    far = content(encode("man " * 40 + "cat, " + "dog " * 40), "clip_l")
    assert [len(piece) for piece in far] == [75, 7]
    numbers = content(encode("man " * 70 + "a,a,a,a " + "dog " * 20), "clip_l")
    assert [len(piece) for piece in numbers] == [70, 27]


def test_a_word_that_is_longer_than_a_piece_is_cut(tiny_backbones: dict[str, Backbone]) -> None:
    pieces = content(tiny_backbones["tiny-sd1"].encode_prompt("man " + "z" * 100), "clip_l")
    assert [len(piece) for piece in pieces] == [1, 75, 25]


@pytest.mark.parametrize("name", NAMES)
def test_a_text_that_is_no_prompt_is_refused(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones[name]
    fits = " ".join(["man"] * (75 * MOST_PIECES))
    with pytest.raises(EditorError, match="these words fell off: “cat dog”") as raised:
        backbone.encode_prompt(fits + " cat dog")
    assert "1200 tokens are read and the prompt has 1202" in raised.value.hint
    with pytest.raises(EditorError, match=r"The negative prompt is too long.*fell off: “cat dog”") as raised:
        backbone.negative_prompt(fits + " cat dog")
    assert "the negative prompt has 1202" in raised.value.hint


def test_t5_reads_whole_words_up_to_its_own_length(tiny_backbones: dict[str, Backbone]) -> None:
    prompt = tiny_backbones["tiny-sd3"].encode_prompt("man " * 254 + "zebra cat")
    assert prompt.unread == "zebra cat"
    assert content(prompt, "t5") == [["man"] * 254]
    assert prompt.length == 4
    assert tiny_backbones["tiny-sd3"].encode_prompt("man " * 254 + "cat").unread == ""


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
