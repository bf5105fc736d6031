"""What a denoiser is conditioned on while it trains: embeddings, key biases, noun positions."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor, nn

from .captions import Caption, Meaning, centred_age, centred_size, describe
from .latents import MAX_SUBJECTS
from .scene import Scene, Subject, with_unseen
from .text_encoders import (
    T5_LENGTH,
    WIDTHS,
    EncoderName,
    clip_ids,
    code_book,
    padded,
    read_states,
    t5_ids,
)
from .vocabulary import CODES, MAX_LENGTH

Family = Literal["sd1", "sdxl", "sd3"]

TOKENS: Final = 25  # captions take at most 24; the last token stands for all padding
T5_READ: Final = 40
T5_SHORTEST: Final = 40
EMPTY_SHARE: Final = 0.10
EMPTY_TEXT_SHARE: Final = 0.02  # SDXL only: the empty prompt besides the zeros
NOUNS_ONLY_SHARE: Final = 0.5
CONTINUOUS_SHARE: Final = 0.4
NO_SUMMARY_SHARE: Final = 0.7
SILENT_T5_SHARE: Final = 0.5
GRADED: Final = ("age", "smile", "size")
GRADED_WEIGHT: Final = 1.2
ENCODERS: Final[dict[Family, tuple[EncoderName, ...]]] = {
    "sd1": ("clip_l",),
    "sdxl": ("clip_l", "clip_g"),
    "sd3": ("clip_l", "clip_g", "t5"),
}


@dataclass(frozen=True)
class Conditions:
    """One batch's conditions.

    context: [N, K, D]; pooled: [N, P] or None; bias: [N, K]; nouns: [N, 3, groups] key indices; known: bool
    [N, 3], subjects that are seen; absent: bool [N, 3], subjects that are only told of; words: bool [N, K],
    the keys of words.
    """

    context: Tensor
    pooled: Tensor | None
    bias: Tensor
    nouns: Tensor
    known: Tensor
    absent: Tensor
    words: Tensor

    def to(self, device: torch.device) -> Conditions:
        pooled = None if self.pooled is None else self.pooled.to(device)
        moved = [t.to(device) for t in (self.bias, self.nouns, self.known, self.absent, self.words)]
        return Conditions(self.context.to(device), pooled, *moved)


@dataclass(frozen=True)
class _Choice:
    """How one sample's caption is shown."""

    empty: bool
    zeros: bool
    nouns_only: bool
    continuous: bool
    no_summary: bool
    silent_t5: bool
    t5_length: int


class TextSource:
    """Frozen text encoders of one family.

    Args:
        unseen_share: of the scenes with fewer than three subjects, so many are told with one subject more
            than they show, as captions in the wild are. It is where neglect comes from.
    """

    def __init__(
        self, family: Family, encoders: dict[EncoderName, nn.Module], unseen_share: float = 0.0
    ) -> None:
        self.family: Family = family
        self._unseen_share = unseen_share
        self._encoders: dict[EncoderName, nn.Module] = {
            name: encoders[name].eval() for name in ENCODERS[family]
        }

    def conditions(
        self, scenes: Sequence[Scene], seed: int, between: Mapping[int, tuple[Scene, float]] | None = None
    ) -> Conditions:
        """Captions of `scenes`, drawn from `seed`, as conditions with the training-time dropouts.

        A scene whose number is in `between` is told so far (0..1) between its own words and those of another
        scene, which differs from it in the names of colours alone; these are told, since in a scene of
        such colours nothing else says which they are.
        """
        rng = random.Random(seed)
        told = [self._told(scene, rng) for scene in scenes]
        draws = [rng.getrandbits(40) for _ in told]
        mixed = between or {}
        captions = [
            describe(scene, draw, colours=row in mixed)
            for row, (scene, draw) in enumerate(zip(told, draws, strict=True))
        ]
        choices = [_choose(rng, self.family) for _ in scenes]
        shown = [
            Caption(words=(), summary=()) if choice.empty else caption
            for caption, choice in zip(captions, choices, strict=True)
        ]
        parts: dict[EncoderName, Tensor] = {}
        pooled: dict[EncoderName, Tensor] = {}
        for name in self._encoders:
            parts[name], pooled[name] = self._states(name, shown)
        others: dict[int, tuple[Caption, float]] = {}
        for row, (other, share) in mixed.items():
            if not choices[row].empty:
                more = told[row].subjects[len(other.subjects) :]
                renamed = replace(other, subjects=(*other.subjects, *more))
                others[row] = describe(renamed, draws[row], colours=True), share
        rows = list(others)
        ends = {
            name: self._states(name, [caption for caption, _ in others.values()])
            for name in self._encoders
            if others
        }
        for row, (scene, caption, choice) in enumerate(zip(told, shown, choices, strict=True)):
            values = _continuous_values(rng, scene) if choice.continuous else None
            for name, states in parts.items():
                _rewrite(states[row], name, caption, choice, values)
                if row in others:
                    other, share = others[row]
                    end, end_pooled = (part[rows.index(row)] for part in ends[name])
                    _rewrite(end, name, other, choice, values)
                    states[row].lerp_(end, share)
                    pooled[name][row].lerp_(end_pooled, share)
        seen = [len(scene.subjects) for scene in scenes]
        return self._assemble(parts, pooled, shown, choices, seen)

    def _told(self, scene: Scene, rng: random.Random) -> Scene:
        if self._unseen_share == 0 or len(scene.subjects) == MAX_SUBJECTS:
            return scene
        return with_unseen(scene, rng) if rng.random() < self._unseen_share else scene

    @torch.no_grad()
    def _states(self, name: EncoderName, captions: Sequence[Caption]) -> tuple[Tensor, Tensor]:
        """States [N, TOKENS, width] of the layer that is read, and the projected end token (CLIP only)."""
        if name == "t5":
            ids = [padded(t5_ids(caption.words), name, T5_READ) for caption in captions]
            states = read_states(self._encoders[name], torch.tensor(ids))[0]
            return states[:, :TOKENS].clone(), states[:, 0]
        # CLIP is causal: cutting the padding off changes nothing before it.
        ids = [padded(clip_ids(caption.words), name, TOKENS) for caption in captions]
        model = self._encoders[name]
        output = model(input_ids=torch.tensor(ids), output_hidden_states=True)
        last = self.family == "sd1"
        states = output.last_hidden_state if last else output.hidden_states[-2]
        return states.clone(), output.text_embeds

    def _assemble(
        self,
        parts: dict[EncoderName, Tensor],
        pooled: dict[EncoderName, Tensor],
        captions: Sequence[Caption],
        choices: Sequence[_Choice],
        seen: Sequence[int],
    ) -> Conditions:
        clip = torch.cat([parts[name] for name in parts if name != "t5"], -1)
        bias = torch.zeros(len(captions), TOKENS)
        bias[:, -1] = math.log(MAX_LENGTH - TOKENS + 1)
        nouns, known, absent = _noun_positions(captions, seen)
        lengths = torch.tensor([len(caption.words) for caption in captions])
        places = torch.arange(TOKENS)
        words = (places >= 1) & (places <= lengths[:, None])
        vector: Tensor | None = None
        if self.family == "sdxl":
            vector = pooled["clip_g"].clone()
            zero = torch.tensor([choice.zeros for choice in choices])
            clip[zero], vector[zero] = 0.0, 0.0
        if self.family != "sd3":
            return Conditions(clip, vector, bias, nouns[..., None], known, absent, words)
        second = torch.zeros_like(bias)
        second[:, -1] = torch.tensor([math.log(c.t5_length - TOKENS + 1) for c in choices])
        return Conditions(
            torch.cat([clip, parts["t5"]], 1),
            torch.cat([pooled["clip_l"], pooled["clip_g"]], -1),
            torch.cat([bias, second], 1),
            torch.stack([nouns, (nouns - 1).clamp(min=0) + TOKENS], -1),
            known,
            absent,
            torch.cat([words, (places < lengths[:, None])], 1),
        )


def _choose(rng: random.Random, family: Family) -> _Choice:
    drawn = rng.random()
    zeros = family == "sdxl" and drawn < EMPTY_SHARE
    continuous = rng.random() < CONTINUOUS_SHARE
    return _Choice(
        empty=drawn < EMPTY_SHARE + (EMPTY_TEXT_SHARE if family == "sdxl" else 0),
        zeros=zeros,
        nouns_only=continuous or rng.random() < NOUNS_ONLY_SHARE,
        continuous=continuous,
        no_summary=rng.random() < NO_SUMMARY_SHARE,
        silent_t5=continuous and rng.random() < SILENT_T5_SHARE,
        # Full length is what the stock pipeline uses; it comes up every other time.
        t5_length=T5_LENGTH if rng.random() < 0.5 else rng.randint(T5_SHORTEST, T5_LENGTH),
    )


def _continuous_values(rng: random.Random, scene: Scene) -> list[dict[str, float]]:
    """Exact centred values per subject, each told four times out of five."""
    found: list[dict[str, float]] = []
    for subject in scene.subjects:
        told = {key: v for key, v in _centred(subject).items() if rng.random() < 0.8}
        found.append({key: _exaggerated(rng, value) for key, value in told.items()})
    return found


def _centred(subject: Subject) -> dict[str, float]:
    if subject.is_person:
        return {"age": centred_age(subject), "smile": subject.smile}
    return {"size": centred_size(subject)}


def _exaggerated(rng: random.Random, value: float) -> float:
    """Extremes are sometimes overstated, so that a slider pushed too far still gives the extreme."""
    return value * rng.uniform(1.0, 1.7) if abs(value) > 0.86 else value


def continuous_noun(base: Meaning, values: dict[str, float], width: int) -> Tensor:
    """The embedding of a noun with exact values: its code without them, plus each value times its direction.
    [width]

    This is the line along which attribute deltas move a noun's embedding.
    """
    book = code_book(width)
    kept = [(code, weight) for code, weight in base if code not in GRADED]
    total = torch.stack([book[CODES.index(code)] * weight for code, weight in kept]).sum(0)
    scale = width**0.5 / total.norm()
    for key, value in values.items():
        total = total + book[CODES.index(key)] * (value * GRADED_WEIGHT)
    return total * scale


def _rewrite(
    states: Tensor,
    name: EncoderName,
    caption: Caption,
    choice: _Choice,
    values: list[dict[str, float]] | None,
) -> None:
    """Applies a sample's dropouts to its states [TOKENS, width], in place."""
    first = 0 if name == "t5" else 1
    pad = states[-1].clone()
    for place, word in enumerate(caption.words, start=first):
        if choice.nouns_only and not word.content:
            states[place] = pad
        elif values is not None and word.noun and word.subject is not None:
            silent = choice.silent_t5 and name == "t5"
            told = {} if silent else values[word.subject]
            states[place] = continuous_noun(word.meaning, told, WIDTHS[name])
    if choice.no_summary and caption.words:
        states[len(caption.words) + first] = pad


def _noun_positions(captions: Sequence[Caption], seen: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Token index (with start token) of each subject's noun [N, 3], whether it is in the picture, and whether
    the caption only tells of it. The first `seen` subjects of each caption are in the picture.
    """
    nouns = torch.zeros(len(captions), MAX_SUBJECTS, dtype=torch.long)
    known = torch.zeros(len(captions), MAX_SUBJECTS, dtype=torch.bool)
    absent = torch.zeros_like(known)
    for row, (caption, shown) in enumerate(zip(captions, seen, strict=True)):
        for place, word in enumerate(caption.words, start=1):
            if word.noun and word.subject is not None:
                nouns[row, word.subject] = place
                (known if word.subject < shown else absent)[row, word.subject] = True
    return nouns, known, absent
