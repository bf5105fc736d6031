"""Naive deltas against the formula, and what shifting does to a prompt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.definitions import Definition, Pair, sentence
from inference.deltas import Delta, DeltaLibrary
from inference.errors import EditorError
from inference.methods.attribute_control import shifted
from inference.methods.naive_delta import learn_naive, learn_shipped
from inference.operations import SubjectEdit
from tests.helpers.stub_backbone import WIDTHS, StubBackbone

PROMPT = "a photo of a man and a woman"
PAIRS = (
    Pair(target="man", positive="old man", negative="young man", noun="man"),
    Pair(target="woman", positive="old woman", negative="young woman", noun="woman"),
)


@pytest.fixture
def definition() -> Definition:
    return Definition(
        attribute="age",
        subject="person",
        label="Age",
        subjects=("man", "woman"),
        range=(-2.0, 2.0),
        scale=0.5,
        prefixes=("a", "a photo of a"),
        pairs=PAIRS,
    )


@pytest.fixture
def delta(definition: Definition) -> Delta:
    return learn_naive(StubBackbone(), definition)


def test_words_that_are_read_alike_are_refused(definition: Definition) -> None:
    """A direction of zeros would be a slider that does nothing."""
    alike = replace(PAIRS[0], negative=PAIRS[0].positive)
    with pytest.raises(EditorError, match="reads “old man” and “old man” alike"):
        learn_naive(StubBackbone(), replace(definition, pairs=(alike,)))


def test_it_is_half_the_mean_difference_at_the_noun(definition: Definition, delta: Delta) -> None:
    backbone = StubBackbone()
    for encoder, vector in delta.vectors.items():
        differences = [
            noun_row(backbone, encoder, sentence(prefix, pair.positive))
            - noun_row(backbone, encoder, sentence(prefix, pair.negative))
            for prefix in definition.prefixes
            for pair in PAIRS
        ]
        np.testing.assert_allclose(vector, 0.5 * torch.stack(differences).mean(0), rtol=1e-5, atol=1e-6)
    assert (delta.info.model_hash, delta.info.method) == ("hash of stub", "naive")
    assert dict(delta.info.widths) == WIDTHS


def test_of_a_noun_of_several_tokens_the_last_is_compared(definition: Definition) -> None:
    noun = "snow/man"
    pair = Pair(target=noun, positive=f"old {noun}", negative=f"young {noun}", noun=noun)
    backbone = StubBackbone()
    found = learn_naive(backbone, replace(definition, prefixes=("a",), pairs=(pair,)))
    for encoder, vector in found.vectors.items():
        old, young = (
            backbone.encode_prompt(text).embeddings[encoder][0, 4]
            for text in ("an old snow/man", "a young snow/man")
        )
        np.testing.assert_allclose(vector, 0.5 * (old - young), rtol=1e-5, atol=1e-6)


def noun_row(backbone: StubBackbone, encoder: str, text: str) -> torch.Tensor:
    last_word = len(text.split())  # the start token comes first, each word is one token
    return backbone.encode_prompt(text).embeddings[encoder][0, last_word]


def test_shipped_files_are_found_for_their_model_only(definition: Definition, tmp_path: Path) -> None:
    backbone = StubBackbone("mini-x")
    (path,) = learn_shipped(backbone, [definition], tmp_path)
    assert path == tmp_path / "mini-x" / "person-age.safetensors"
    info = DeltaLibrary((tmp_path,)).list()[0]
    assert (info.key, info.model, info.licence) == ("mini-x/person-age", "mini-x", "MIT")


def edit(span: tuple[int, int], value: float) -> SubjectEdit:
    return SubjectEdit(start=span[0], end=span[1], attribute="age", value=value)


def test_only_the_subjects_tokens_move(delta: Delta) -> None:
    prompt = StubBackbone().encode_prompt(PROMPT)
    moved = shifted(prompt, [edit((11, 16), 2.0)], [delta])  # "a man": tokens 4 and 5
    for encoder, embedding in moved.embeddings.items():
        change = embedding - prompt.embeddings[encoder]
        for token in range(embedding.shape[1]):
            expected = 2 * delta.vectors[encoder] if token in (4, 5) else np.zeros(WIDTHS[encoder])
            np.testing.assert_allclose(change[0, token], expected, atol=1e-6)
    assert moved.pooled is prompt.pooled


def test_several_attributes_of_several_subjects_add_up(delta: Delta) -> None:
    prompt = StubBackbone().encode_prompt(PROMPT)
    man, woman = (13, 16), (23, 28)
    together = shifted(prompt, [edit(man, 1.0), edit(woman, -1.0), edit(man, 0.5)], [delta] * 3)
    change = together.embeddings["clip_l"] - prompt.embeddings["clip_l"]
    np.testing.assert_allclose(change[0, 5], 1.5 * delta.vectors["clip_l"], atol=1e-6)
    np.testing.assert_allclose(change[0, 8], -delta.vectors["clip_l"], atol=1e-6)


def test_nothing_moved_is_the_prompt_itself(delta: Delta) -> None:
    prompt = StubBackbone().encode_prompt(PROMPT)
    assert shifted(prompt, [edit((13, 16), 0.0)], [delta]) is prompt


def test_a_span_without_tokens_is_refused_even_at_zero(delta: Delta) -> None:
    prompt = StubBackbone().encode_prompt(PROMPT)
    with pytest.raises(EditorError):
        shifted(prompt, [edit((12, 13), 0.0)], [delta])
