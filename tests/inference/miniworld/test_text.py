"""Vocabulary, tokenizers and the training of the text encoders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from inference.miniworld.captions import describe
from inference.miniworld.fitting import Budget
from inference.miniworld.scene import sample_scene
from inference.miniworld.text_encoders import (
    INDEPENDENT_CODES,
    WIDTHS,
    EncoderName,
    clip_ids,
    code_book,
    new_encoder,
    new_tokenizer,
    t5_ids,
    target_of,
    train_encoder,
)
from inference.miniworld.vocabulary import CODES, WORDS, byte_pair_vocabulary

NAMES: tuple[EncoderName, ...] = ("clip_l", "clip_g", "t5")


@pytest.mark.parametrize("name", NAMES)
def test_every_world_word_is_one_token(name: EncoderName) -> None:
    tokenizer = new_tokenizer(name)
    for word in WORDS:
        assert len(tokenizer(word, add_special_tokens=False).input_ids) == 1, word


@pytest.mark.parametrize("name", NAMES)
def test_captions_round_trip(name: EncoderName, tmp_path: Path) -> None:
    new_tokenizer(name).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    for seed in range(100):
        caption = describe(sample_scene(seed))
        expected = t5_ids(caption.words) if name == "t5" else clip_ids(caption.words)
        assert tokenizer(caption.text).input_ids == expected


def test_unknown_words_fall_to_characters() -> None:
    tokenizer = new_tokenizer("clip_l")
    ids = tokenizer("zebra", add_special_tokens=False).input_ids
    assert len(ids) > 1
    assert tokenizer.decode(ids).strip() == "zebra"


def test_clip_g_pads_with_an_exclamation_mark() -> None:
    vocabulary, _ = byte_pair_vocabulary()
    padded = new_tokenizer("clip_g")("a man", padding="max_length").input_ids
    assert len(padded) == 77
    assert padded[-1] == vocabulary["!"] == 0


@pytest.mark.parametrize("width", sorted(WIDTHS.values()))
def test_codes_of_attributes_are_orthogonal(width: int) -> None:
    own = code_book(width)[:INDEPENDENT_CODES]
    assert torch.allclose(own @ own.T, torch.eye(len(own)), atol=1e-5)
    assert code_book(width).shape == (len(CODES), width)


def test_opposite_attributes_move_a_noun_to_opposite_sides() -> None:
    noun, up, down = (target_of((("kind:man", 1.5), ("age", value)), 96) for value in (0.0, 0.72, -0.72))
    assert torch.cosine_similarity(up - noun, down - noun, dim=0) < 0
    assert torch.isclose(noun.pow(2).mean(), torch.tensor(1.0))


@pytest.mark.parametrize("name", NAMES)
def test_training_runs_and_resumes(name: EncoderName, tmp_path: Path) -> None:
    train_encoder(name, tmp_path, Budget(steps=2))
    model = train_encoder(name, tmp_path, Budget(steps=3))
    state = torch.load(tmp_path / f"{name}.pt", weights_only=True)
    assert state["step"] == 3
    start = new_encoder(name).state_dict()
    assert model.state_dict().keys() == start.keys()
