"""The prompts of a definition as the denoiser takes them, each encoded when it is first drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inference.attention import AttentionStore
from inference.backbones.base import Backbone
from inference.definitions import Definition, sentence, sentence_beside
from inference.prompts.prompt import Prompt
from inference.prompts.subjects import subjects_beside
from inference.prompts.words import words

CLEARER_BY = 0.1  # how much more clearly than another subject the noun has to be seen, of 0..1


@dataclass(frozen=True, kw_only=True)
class Example:
    """One prefix with one pair: the neutral prompt, both ends', and the noun's tokens in the first.

    Attributes:
        span: the noun's characters.
        others: characters of the other subjects in the neutral prompt, which are to stay as they are.
    """

    target: Prompt
    positive: Prompt
    negative: Prompt
    tokens: Mapping[str, tuple[int, ...]]
    span: tuple[int, int] = (0, 0)
    others: tuple[tuple[int, int], ...] = ()

    def share(self, store: AttentionStore, size: Sequence[int]) -> Tensor:
        """What of the words' change is wanted, [1, 1, h, w]: all at the noun, nothing at other subjects."""
        own = _seen(store.heat(*self.span), size)
        share = torch.ones_like(own)
        for other in self.others:
            clearer = (own - _seen(store.heat(*other), size)) / CLEARER_BY
            share = share * (0.5 + clearer / 2).clamp(0, 1)
        return share

    def shifted(self, vectors: Mapping[str, Tensor], scale: float) -> Prompt:
        """The neutral prompt with `scale`·Δe on all tokens of its noun; gradients reach `vectors` [width]."""
        return self.target.shifted(
            {
                encoder: dict.fromkeys(self.tokens[encoder], vector * scale)
                for encoder, vector in vectors.items()
            }
        )


class Examples:
    """Every prefix of a definition with every pair, then every sentence with others beside, by number."""

    def __init__(self, backbone: Backbone, definition: Definition) -> None:
        self._backbone = backbone
        self._definition = definition
        self._known: dict[int, Example] = {}
        # two of one noun could not be told apart
        self._beside = [
            (template, pair)
            for template in definition.beside
            for pair in definition.pairs
            if not set(_words(pair.noun)) <= set(_words(template))
        ]

    def __len__(self) -> int:
        return len(self._definition.prefixes) * len(self._definition.pairs) + len(self._beside)

    def __getitem__(self, number: int) -> Example:
        if number not in self._known:
            with torch.no_grad():
                self._known[number] = self._encoded(number)
        return self._known[number]

    def _encoded(self, number: int) -> Example:
        definition = self._definition
        alone = len(definition.prefixes) * len(definition.pairs)
        others: tuple[tuple[int, int], ...] = ()
        if number < alone:
            which, which_pair = divmod(number, len(definition.pairs))
            pair = definition.pairs[which_pair]
            phrases = (pair.target, pair.positive, pair.negative)
            texts = [sentence(definition.prefixes[which], phrase) for phrase in phrases]
            span = (len(texts[0]) - len(pair.noun), len(texts[0]))
        else:
            template, pair = self._beside[number - alone]
            phrases = (pair.target, pair.positive, pair.negative)
            placed = [sentence_beside(template, pair, phrase) for phrase in phrases]
            texts = [text for text, _ in placed]
            span = placed[0][1]
            others = tuple((one.start, one.end) for one in subjects_beside(texts[0], [span]))
        target, positive, negative = (self._backbone.encode_prompt(text) for text in texts)
        return Example(
            target=target,
            positive=positive,
            negative=negative,
            tokens=target.tokens(*span),
            span=span,
            others=others,
        )


def _words(text: str) -> list[str]:
    """Without punctuation and capitals."""
    return [word.text.casefold() for word in words(text)]


def _seen(heat: NDArray[np.float32], size: Sequence[int]) -> Tensor:
    """[1, 1, h, w] at the latents' size."""
    values = torch.tensor(heat)[None, None]
    return functional.interpolate(values, tuple(size), mode="bilinear", align_corners=False)
