"""Training of the text encoders, before and apart from the denoisers.

Real encoders keep an attribute in its noun's token. A tiny one trained by the denoising loss alone does not,
so each is taught what to hold: a noun's token the sum of fixed codes (kind, age, smile, colours) of its own
noun phrase so far, the end token the kinds and the background, every padding token one constant. The target
does not depend on the rest of the sentence, so a token knows nothing of other phrases.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from .captions import Caption, Meaning, Word, describe
from .fitting import Budget, Fit, Plan, fit, training_device
from .scene import KINDS, sample_scene
from .vocabulary import (
    CODES,
    END,
    MAX_LENGTH,
    START,
    WORD_END,
    byte_pair_vocabulary,
    unigram_vocabulary,
)

EncoderName = Literal["clip_l", "clip_g", "t5"]

WIDTHS: Final[dict[EncoderName, int]] = {"clip_l": 96, "clip_g": 128, "t5": 224}
CLIP_LAYERS: Final = 4
T5_LAYERS: Final = 3
T5_BUCKETS: Final = 32
LOCAL_START: Final = 4.0
T5_LENGTH: Final = 256
T5_PAD, T5_END = 0, 1
PAD_TOKEN_G: Final = "!"
# Codes that need directions of their own; words share what is left.
INDEPENDENT_CODES: Final = CODES.index("word:a")

SEED_STRIDE: Final = 1000
LENGTHS_CLIP: Final = ((28, 0.62), (48, 0.2), (MAX_LENGTH, 0.18))
LENGTHS_T5: Final = ((28, 0.6), (48, 0.18), (MAX_LENGTH, 0.12), (128, 0.05), (T5_LENGTH, 0.05))
TOKENS_PER_STEP: Final = 1800
NOUN_WEIGHT, WORD_WEIGHT, PAD_WEIGHT = 3.0, 1.0, 1.0


def new_encoder(name: EncoderName) -> CLIPTextModelWithProjection | T5EncoderModel:
    """An untrained encoder of stock transformers layout."""
    width = WIDTHS[name]
    if name == "t5":
        return _localised(
            T5EncoderModel(
                T5Config(
                    vocab_size=len(unigram_vocabulary()),
                    d_model=width,
                    d_kv=28,
                    num_heads=8,
                    d_ff=320,
                    num_layers=T5_LAYERS,
                    feed_forward_proj="gated-gelu",
                    dropout_rate=0.0,
                    pad_token_id=T5_PAD,
                    eos_token_id=T5_END,
                )
            )
        )
    vocabulary, _ = byte_pair_vocabulary()
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=CLIP_LAYERS,
        num_attention_heads=width // 16,
        max_position_embeddings=MAX_LENGTH,
        hidden_act="quick_gelu" if name == "clip_l" else "gelu",
        projection_dim=width,
        bos_token_id=vocabulary[START],
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[END] if name == "clip_l" else vocabulary[PAD_TOKEN_G],
    )
    model = CLIPTextModelWithProjection(config)
    nn.init.orthogonal_(model.text_projection.weight)
    model.text_projection.requires_grad_(False)
    return model


def new_tokenizer(name: EncoderName) -> CLIPTokenizer | T5Tokenizer:
    """The tokenizer of an encoder; CLIP-G pads with "!", as the real one of SDXL does."""
    if name == "t5":
        return T5Tokenizer(vocab=unigram_vocabulary(), extra_ids=0, model_max_length=512)
    vocabulary, merges = byte_pair_vocabulary()
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=END if name == "clip_l" else PAD_TOKEN_G,
        model_max_length=MAX_LENGTH,
    )


@cache
def code_book(width: int) -> Tensor:
    """The codes' unit vectors [len(CODES), width]; those of attributes and kinds are orthogonal to each
    other.

    All are orthogonal to the vector of ones, because layer normalisation takes the mean away.
    """
    generator = torch.Generator().manual_seed(width)
    square = torch.randn(width, width, generator=generator)
    square[:, 0] = 1.0
    basis = torch.linalg.qr(square).Q.T[1:]
    own = basis[:INDEPENDENT_CODES]
    rest = basis[INDEPENDENT_CODES:]
    mixed = torch.randn(len(CODES) - INDEPENDENT_CODES, len(rest), generator=generator) @ rest
    return torch.cat([own, functional.normalize(mixed, dim=-1)])


def target_of(meaning: Meaning, width: int) -> Tensor:
    """What an embedding with this meaning shall be: the codes' sum, scaled to a mean square of 1. [width]"""
    book = code_book(width)
    total = sum((book[CODES.index(code)] * weight for code, weight in meaning), torch.zeros(width))
    return functional.normalize(total, dim=0) * width**0.5


@dataclass(frozen=True)
class Tokens:
    """Token ids with the target of each, without padding."""

    ids: tuple[int, ...]
    meanings: tuple[Meaning, ...]
    weights: tuple[float, ...]


def clip_ids(words: Sequence[Word]) -> list[int]:
    """Token ids of a caption's words, with start and end; equals what the tokenizer gives for its text."""
    ids = _clip_table()
    return [ids[START], *(ids[word.text + WORD_END] for word in words), ids[END]]


def t5_ids(words: Sequence[Word]) -> list[int]:
    """Piece ids of a caption's words, with the end; T5 has no start token."""
    ids = _t5_table()
    return [*(ids[word.text if word.joined else f"▁{word.text}"] for word in words), T5_END]


def padded(ids: Sequence[int], name: EncoderName, length: int) -> list[int]:
    table = _clip_table()
    pad = {"clip_l": table[END], "clip_g": table[PAD_TOKEN_G], "t5": T5_PAD}[name]
    return [*ids, *([pad] * (length - len(ids)))]


def train_encoder(name: EncoderName, folder: Path, budget: Budget) -> nn.Module:
    """Trains one encoder, resuming an earlier run in `folder`; returns the averaged weights."""
    device = training_device()
    torch.manual_seed(WIDTHS[name])
    model = new_encoder(name).to(device)
    plan = Plan(name=name, learning_rate=2.5e-3, budget=budget, ema_decay=0.99, seed=WIDTHS[name])
    run = Fit(plan, model, folder)

    def loss_of(step: int, share: float) -> tuple[Tensor, dict[str, float]]:
        ids, targets, weights = (t.to(device) for t in _batch(name, step))
        errors = [(states - targets).pow(2).mean(-1) for states in read_states(model, ids)]
        losses = [(error * weights).sum() / weights.sum() for error in errors]
        nouns = weights == NOUN_WEIGHT
        figures = {
            "noun_error": float(errors[-1][nouns].mean().detach()),
            "pad_error": float(errors[-1][:, -1].mean().detach()),
        }
        return torch.stack(losses).sum(), figures

    return fit(run, loss_of).ema.cpu()


def read_states(model: nn.Module, ids: Tensor) -> list[Tensor]:
    """The states that denoisers read, [N, L, width] each: CLIP's last but one and last layer, T5's last."""
    if isinstance(model, T5EncoderModel):
        return [model(input_ids=ids).last_hidden_state]
    output = model(input_ids=ids, output_hidden_states=True)
    return [output.hidden_states[-2], output.last_hidden_state]


@torch.no_grad()
def encoder_figures(name: EncoderName, model: nn.Module, count: int = 200) -> dict[str, float]:
    """Held-out relative errors (0 is perfect) of nouns, the end token, and the padding at full length."""
    length = T5_LENGTH if name == "t5" else MAX_LENGTH
    sums: dict[str, list[float]] = {"noun": [], "end": [], "pad": []}
    for i in range(0, count, 20):
        captions = [describe(sample_scene(60_000_000 + i + j)) for j in range(20)]
        sequences = [_sequence(name, caption) for caption in captions]
        ids, targets, weights = _stack(name, sequences, length)
        states = read_states(model, ids)[-1]
        error = (states - targets).pow(2).mean(-1)
        sums["noun"].append(float(error[weights == NOUN_WEIGHT].mean()))
        ends = [len(sequence.ids) - 1 for sequence in sequences]
        sums["end"].append(float(error[range(20), ends].mean()))
        sums["pad"].append(float(error[:, 26:].mean()))
    return {key: (sum(values) / len(values)) ** 0.5 for key, values in sums.items()}


@torch.no_grad()
def _localised(model: T5EncoderModel) -> T5EncoderModel:
    """Starts the relative position biases as views of the last few words.

    They are plain numbers that a usual learning rate moves too slowly: from a random start the encoder cannot
    tell what stands directly before a word until long after everything else is learnt.
    """
    table = model.get_parameter("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")
    before, heads = T5_BUCKETS // 2, table.shape[1]
    table.fill_(-LOCAL_START)
    for head in range(heads):
        if head < 4:  # exactly so many words before
            table[head + 1, head] = LOCAL_START
        else:  # anything near before, at a growing distance
            table[: min(before, 2 * head - 4), head] = LOCAL_START / 4
    table[0] = 0.0
    return model


@cache
def _clip_table() -> dict[str, int]:
    return byte_pair_vocabulary()[0]


@cache
def _t5_table() -> dict[str, int]:
    return {piece: i for i, (piece, _) in enumerate(unigram_vocabulary())}


@cache
def _target(meaning: Meaning, width: int) -> Tensor:
    return target_of(meaning, width)


def _sequence(name: EncoderName, caption: Caption) -> Tokens:
    meanings: list[Meaning] = [word.meaning for word in caption.words]
    weights = [NOUN_WEIGHT if word.content else WORD_WEIGHT for word in caption.words]
    if name == "t5":
        ids = t5_ids(caption.words)
    else:
        ids = clip_ids(caption.words)
        meanings.insert(0, (("start", 1.0),))
        weights.insert(0, WORD_WEIGHT)
    return Tokens(tuple(ids), (*meanings, caption.summary), (*weights, WORD_WEIGHT))


def _batch(name: EncoderName, step: int) -> tuple[Tensor, Tensor, Tensor]:
    rng = random.Random(step * 31 + 7)
    choices = LENGTHS_T5 if name == "t5" else LENGTHS_CLIP
    length = rng.choices([n for n, _ in choices], [share for _, share in choices])[0]
    count = max(8, TOKENS_PER_STEP // length)
    sequences: list[Tokens] = []
    for i in range(count):
        seed = 200_000_000 + step * SEED_STRIDE + i
        caption = _varied(rng, seed, length)
        sequence = _sequence(name, caption)
        if rng.random() < 0.15:
            sequence = _with_unknown_word(rng, name, sequence)
        sequences.append(sequence)
    return _stack(name, sequences, length)


def _varied(rng: random.Random, seed: int, length: int) -> Caption:
    """Usually one caption; now and then none, a bare noun phrase, or two captions in a row."""
    drawn = rng.random()
    if drawn < 0.03:
        return Caption(words=(), summary=(("start", 1.0),))
    kinds = (rng.choice(KINDS),) if drawn < 0.2 else None
    caption = describe(sample_scene(seed, kinds=kinds), seed)
    if length >= 2 * 28 and rng.random() < 0.4:
        other = describe(sample_scene(seed + SEED_STRIDE // 2), seed + 1)
        comma = Word(text=",", meaning=(("word:,", 1.0),), joined=True)
        words = (*caption.words, comma, *other.words)
        return Caption(words=words, summary=(*caption.summary, *other.summary))
    return caption


def _with_unknown_word(rng: random.Random, name: EncoderName, sequence: Tokens) -> Tokens:
    """Puts some single characters somewhere: a word that is not of this world must not disturb the others."""
    letters = [rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(1, 6))]
    if name == "t5":
        table = _t5_table()
        ids = [table["▁"], *(table.get(letter, table["<unk>"]) for letter in letters)]
    else:
        table = _clip_table()
        ids = [*(table[letter] for letter in letters[:-1]), table[letters[-1] + WORD_END]]
    place = rng.randint(1, max(1, len(sequence.ids) - 1))
    meaning: Meaning = (("unknown", 1.0),)
    return Tokens(
        (*sequence.ids[:place], *ids, *sequence.ids[place:]),
        (*sequence.meanings[:place], *[meaning] * len(ids), *sequence.meanings[place:]),
        (*sequence.weights[:place], *[0.2] * len(ids), *sequence.weights[place:]),
    )


def _stack(name: EncoderName, sequences: Sequence[Tokens], length: int) -> tuple[Tensor, Tensor, Tensor]:
    """ids [N, L], targets [N, L, width], weights [N, L]."""
    width = WIDTHS[name]
    pad = _target((("pad", 1.0),), width)
    ids = torch.tensor([padded(s.ids[:length], name, length) for s in sequences])
    targets = pad.expand(len(sequences), length, width).clone()
    # Padding is most of a long sequence: together it counts as much as a few words.
    weights = torch.full((len(sequences), length), PAD_WEIGHT * 6 / length)
    for row, sequence in enumerate(sequences):
        used = min(length, len(sequence.ids))
        found = [_target(meaning, width) for meaning in sequence.meanings[:used]]
        targets[row, :used] = torch.stack(found)
        weights[row, :used] = torch.tensor(sequence.weights[:used])
    return ids, targets, weights
