"""Learnt words: the encoding equals that of an encoder whose table was enlarged, and nothing is enlarged."""

import copy
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.prompts.learnt_words import LearntWord, in_plain_words
from inference.prompts.prompt import MOST_PIECES
from tests.helpers.tiny_models import CLIP_G, CLIP_L, NAMES, T5

WIDTHS = {"clip_l": CLIP_L, "clip_g": CLIP_G, "t5": T5}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The library tells that a table it enlarges draws new rows; that is why we do not."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def learnt(
    backbone: Backbone, count: int, word: str = "<toy>", *, seed: int = 1, without: str = "", plain: str = ""
) -> LearntWord:
    generator = torch.Generator().manual_seed(seed)
    vectors = {
        encoder: torch.randn(count, width, generator=generator)
        for encoder, width in backbone.token_widths.items()
        if encoder != without
    }
    return LearntWord(word=word, vectors=vectors, plain=plain)


def enlarged(backbone: Any, encoder: str, words: tuple[LearntWord, ...]) -> tuple[Any, Any]:
    """The stock way: tokens added to the tokenizer, rows to the table."""
    tokenizer = copy.deepcopy(backbone.parts.tokenizers[encoder])
    network = copy.deepcopy(backbone.parts.text_encoders[encoder])
    size = len(network.get_input_embeddings().weight)
    names = [name for word in words for name in names_of(word)]
    tokenizer.add_tokens(names)
    assert tokenizer.convert_tokens_to_ids(names) == list(range(size, size + len(names)))
    with torch.random.fork_rng():
        network.resize_token_embeddings(size + len(names))
    with torch.no_grad():
        rows = torch.cat([word.vectors[encoder] for word in words])
        network.get_input_embeddings().weight[size:] = rows
    return tokenizer, network.eval()


def names_of(word: LearntWord) -> list[str]:
    return [word.word, *(f"{word.word}_{i}" for i in range(1, word.count))]


def stock(backbone: Any, encoder: str, text: str, words: tuple[LearntWord, ...]) -> tuple[Tensor, Any]:
    """Hidden states and pooled embedding, as the stock pipelines take them."""
    tokenizer, network = enlarged(backbone, encoder, words)
    for word in words:
        text = text.replace(word.word, " ".join(names_of(word)))
    length = 256 if encoder == "t5" else 77
    ids = tokenizer(text, padding="max_length", max_length=length, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        output = network(ids, output_hidden_states=True)
    is_last = encoder == "t5" or len(backbone.parts.text_encoders) == 1
    return output[0] if is_last else output.hidden_states[-2], getattr(output, "text_embeds", None)


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("name", NAMES)
def test_encodings_equal_those_of_an_enlarged_encoder(
    name: str, count: int, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    toy, me = learnt(backbone, count), learnt(backbone, 2, "<me>", seed=2)
    for text in (
        "a photo of a <toy> and an old man",
        "<toy>",
        "A zebra, <toy>, <me> and a <toy>'s niño!",
        "<me> <toy>",
    ):
        prompt = backbone.encode_prompt(text, [toy, me])
        pooled: list[Tensor] = []
        for encoder, embedding in prompt.embeddings.items():
            expected, pool = stock(backbone, encoder, text, (toy, me))
            assert torch.equal(embedding, expected), f"{encoder}: {text}"
            if pool is not None:
                pooled.append(pool)
        if prompt.pooled is not None:
            assert torch.equal(prompt.pooled, torch.cat(pooled, -1)[:, -prompt.pooled.shape[1] :])


@pytest.mark.parametrize("name", NAMES)
def test_the_word_takes_its_places_and_the_other_words_keep_their_characters(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    text = "a photo of a <toy>, old MAN <Toy> and a zebra"
    prompt = backbone.encode_prompt(text, [learnt(backbone, 3)])
    for encoder, offsets in prompt.offsets.items():
        first = 4 + (encoder != "t5")  # T5 has no start token
        start = text.index("<toy>")
        assert prompt.tokens(start, start + 5)[encoder] == tuple(range(first, first + 3))
        again = text.index("<Toy>")
        assert len(prompt.tokens(again, again + 5)[encoder]) == 3
        for part in ("photo", "old", "MAN", "and", "zebra"):
            begin = text.index(part)
            spans = [offsets[token] for token in prompt.tokens(begin, begin + len(part))[encoder]]
            assert "".join(text[a:b] for a, b in dict.fromkeys(spans)) == part
        assert all(text[a:b] == text[a:b].strip() for a, b in offsets)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_model_changes_and_no_number_is_drawn(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    plain = backbone.encode_prompt("a photo of a <toy>")
    before = {
        encoder: (network.get_input_embeddings().weight, network.get_input_embeddings().weight.clone())
        for encoder, network in backbone.parts.text_encoders.items()
    }
    state = torch.get_rng_state()
    backbone.encode_prompt("a photo of a <toy>", [learnt(backbone, 4)])
    assert torch.equal(torch.get_rng_state(), state)
    for encoder, network in backbone.parts.text_encoders.items():
        weight, copied = before[encoder]
        assert network.get_input_embeddings().weight is weight
        assert torch.equal(weight, copied)
        tables = [module for module in network.modules() if isinstance(module, nn.Embedding)]
        assert not any(table._forward_hooks for table in tables)
    backbone._prompts.clear()
    again = backbone.encode_prompt("a photo of a <toy>")
    assert all(torch.equal(again.embeddings[e], value) for e, value in plain.embeddings.items())


def test_an_encoder_without_vectors_reads_plain_words(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    text, plain = "a photo of a <toy> and a man", "a photo of a zebra and a man"
    prompt = backbone.encode_prompt(text, [learnt(backbone, 2, without="t5", plain="zebra")])
    twin = backbone.encode_prompt(plain)
    assert torch.equal(prompt.embeddings["t5"], twin.embeddings["t5"])
    assert prompt.tokens(13, 18)["t5"] == twin.tokens(13, 18)["t5"]
    assert prompt.tokens(25, 28)["t5"] == twin.tokens(25, 28)["t5"]
    assert prompt.tokens(13, 18)["clip_l"] == (5, 6)
    as_written = backbone.encode_prompt(text, [learnt(backbone, 2, without="t5")])
    assert torch.equal(as_written.embeddings["t5"], backbone.encode_prompt(text).embeddings["t5"])


def test_the_pooled_embedding_is_the_end_tokens_in_old_configurations(
    tiny_backbones: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published encoders pool at the largest id, which in an enlarged table is the new word's."""
    backbone = tiny_backbones["tiny-sdxl"]
    toy = learnt(backbone, 2)
    right = backbone.encode_prompt("a <toy> and a man", [toy]).pooled
    monkeypatch.setattr(backbone.parts.text_encoders["clip_g"].text_model, "eos_token_id", 2)
    backbone._prompts.clear()
    assert torch.equal(backbone.encode_prompt("a <toy> and a man", [toy]).pooled, right)
    backbone._prompts.clear()


@pytest.mark.parametrize("name", NAMES)
def test_the_vectors_of_a_word_are_in_one_piece(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    backbone, toy = tiny_backbones[name], learnt(tiny_backbones[name], 3)
    fits = " ".join(["man"] * 72) + " <toy>"
    prompt = backbone.encode_prompt(fits, [toy])
    assert prompt.tokens(len(fits) - 5, len(fits))["clip_l"] == (73, 74, 75)
    longer = backbone.encode_prompt("man " + fits, [toy])  # one of three vectors is too many
    assert longer.tokens(len(fits) - 1, len(fits) + 4)["clip_l"] == (78, 79, 80)
    alone = backbone.encode_prompt("<toy>", [toy]).embeddings["clip_l"]
    assert (longer.embeddings["clip_l"][:, 77:] - alone).abs().max() < 1e-5
    with pytest.raises(EditorError, match="these words fell off: “<toy>”"):
        backbone.encode_prompt(" ".join(["man"] * (75 * MOST_PIECES)) + " <toy>", [toy])


@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_remembered_by_the_words_that_stand_in_them(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    toy, other = learnt(backbone, 2), learnt(backbone, 2, seed=3)
    assert backbone.encode_prompt("a man", [toy]) is backbone.encode_prompt("a man")
    prompt = backbone.encode_prompt("a <toy>", [toy])
    assert backbone.encode_prompt("a <toy>", [toy]) is prompt
    changed = backbone.encode_prompt("a <toy>", [other])
    assert not torch.equal(changed.embeddings["clip_l"], prompt.embeddings["clip_l"])
    toy.vectors["clip_l"].requires_grad_()
    learning = backbone.encode_prompt("a <toy>", [toy])
    with torch.no_grad():
        toy.vectors["clip_l"].add_(1)
        moved = backbone.encode_prompt("a <toy>", [toy])
    assert not torch.equal(moved.embeddings["clip_l"], learning.embeddings["clip_l"])
    assert not moved.embeddings["clip_l"].requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_a_negative_prompt_may_have_learnt_words(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    backbone, toy = tiny_backbones[name], learnt(tiny_backbones[name], 2)
    negative, prompt = (
        encode("a <toy>", [toy]) for encode in (backbone.negative_prompt, backbone.encode_prompt)
    )
    assert all(torch.equal(negative.embeddings[e], value) for e, value in prompt.embeddings.items())
    assert not torch.equal(
        negative.embeddings["clip_l"], backbone.negative_prompt("a <toy>").embeddings["clip_l"]
    )


def test_words_that_do_not_fit_are_refused(tiny_backbones: dict[str, Backbone]) -> None:
    sd1, sdxl, sd3 = (tiny_backbones[name] for name in ("tiny-sd1", "tiny-sdxl", "tiny-sd3"))
    narrow = LearntWord(word="<toy>", vectors={"clip_l": torch.zeros(2, 8)})
    with pytest.raises(EditorError, match=r"“<toy>” \(clip_l 8\) does not fit tiny-sd1, .* clip_l 16"):
        sd1.encode_prompt("a <toy>", [narrow])
    assert sd1.encode_prompt("a man", [narrow])  # it does not stand there
    # encoders side by side would get out of step
    with pytest.raises(EditorError, match="does not fit tiny-sdxl"):
        sdxl.encode_prompt("a <toy>", [learnt(sd1, 2)])
    with pytest.raises(EditorError, match="does not fit tiny-sd1"):
        sd1.encode_prompt("a <toy>", [learnt(sd3, 2, without="clip_l")])
    assert sd1.encode_prompt("a <toy>", [learnt(sdxl, 2)]).tokens(2, 7) == {"clip_l": (2, 3)}
    with pytest.raises(EditorError, match="Two learnt words are called “<TOY>”"):
        sd1.encode_prompt("a <toy>", [learnt(sd1, 1, "<TOY>"), learnt(sd1, 1)])


@pytest.mark.parametrize(
    ("word", "vectors", "message"),
    [
        ("", {"clip_l": torch.zeros(1, 4)}, "cannot be a learnt word"),
        (" toy", {"clip_l": torch.zeros(1, 4)}, "cannot be a learnt word"),
        ("toy", {}, "has no vectors"),
        ("toy", {"clip_l": torch.zeros(4)}, "has no vectors"),
        ("toy", {"clip_l": torch.zeros(0, 4)}, "has no vectors"),
        ("toy", {"clip_l": torch.zeros(1, 4), "t5": torch.zeros(2, 4)}, "clip_l 1, t5 2"),
    ],
)
def test_values_that_are_no_word_are_refused(word: str, vectors: dict[str, Tensor], message: str) -> None:
    with pytest.raises(EditorError, match=message):
        LearntWord(word=word, vectors=vectors)


@pytest.mark.parametrize("name", NAMES)
def test_a_word_may_start_from_the_tables_rows(name: str, tiny_backbones: dict[str, Any]) -> None:
    """A learnt word with another word's rows is that word."""
    backbone = tiny_backbones[name]
    rows = backbone.token_vectors("zebra")
    sizes = {encoder: len(value) for encoder, value in rows.items()}
    assert sizes["clip_l"] == 5
    assert all(value.dtype == torch.float32 for value in rows.values())
    clip = {encoder: value for encoder, value in rows.items() if encoder != "t5"}
    same = backbone.encode_prompt(
        "a <toy> and a man", [LearntWord(word="<toy>", vectors=clip, plain="zebra")]
    )
    spelt = backbone.encode_prompt("a zebra and a man")
    assert all(torch.equal(same.embeddings[e], value) for e, value in spelt.embeddings.items())
    assert same.pooled is None or torch.equal(same.pooled, spelt.pooled)
    for encoder, norm in backbone.token_norms.items():
        table = backbone.parts.text_encoders[encoder].get_input_embeddings().weight
        assert norm == pytest.approx(float(table.double().norm(dim=1).mean()), rel=1e-5)


def test_rows_of_zeros_do_not_count_in_the_mean_length(tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    table = backbone.parts.text_encoders["clip_l"].get_input_embeddings().weight
    kept, norm = table.detach().clone(), backbone.token_norms["clip_l"]
    with torch.no_grad():
        table[: len(table) // 2] = 0
        halved = backbone.token_norms["clip_l"]
        table.copy_(kept)
    assert halved == pytest.approx(float(kept[len(kept) // 2 :].norm(dim=1).mean()), rel=1e-5)
    assert abs(halved - norm) < 0.2 * norm


def test_plain_words_stand_in_for_learnt_ones_however_they_are_spelt() -> None:
    rows = {"clip_l": torch.zeros(1, 8)}
    known = (
        LearntWord(word="<Straße>", vectors=rows, plain="dog"),
        LearntWord(word="<toy>", vectors=rows),
        LearntWord(word="rose", vectors=rows, plain="flower"),
    )
    text = "a <STRASSE>, a <Toy>, a rose and two roses"
    assert in_plain_words(text, known) == "a dog, a <toy>, a flower and two roses"
    assert in_plain_words("", known) == ""
