"""The prompts of a definition as the denoiser takes them, each encoded when it is first drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.definitions import Definition, sentence
from inference.prompts.prompt import Prompt


@dataclass(frozen=True, kw_only=True)
class Example:
    """One prefix with one pair: the neutral prompt, both ends', and the noun's tokens in the first."""

    target: Prompt
    positive: Prompt
    negative: Prompt
    tokens: Mapping[str, tuple[int, ...]]

    def shifted(self, vectors: Mapping[str, Tensor], scale: float) -> Prompt:
        """The neutral prompt with `scale`·Δe on all tokens of its noun; gradients reach `vectors` [width]."""
        return self.target.shifted(
            {
                encoder: dict.fromkeys(self.tokens[encoder], vector * scale)
                for encoder, vector in vectors.items()
            }
        )


class Examples:
    """Every prefix of a definition with every pair, by number."""

    def __init__(self, backbone: Backbone, definition: Definition) -> None:
        self._backbone = backbone
        self._definition = definition
        self._known: dict[int, Example] = {}

    def __len__(self) -> int:
        return len(self._definition.prefixes) * len(self._definition.pairs)

    def __getitem__(self, number: int) -> Example:
        if number not in self._known:
            with torch.no_grad():
                self._known[number] = self._encoded(number)
        return self._known[number]

    def _encoded(self, number: int) -> Example:
        which_prefix, which_pair = divmod(number, len(self._definition.pairs))
        prefix, pair = self._definition.prefixes[which_prefix], self._definition.pairs[which_pair]
        target, positive, negative = (
            self._backbone.encode_prompt(sentence(prefix, phrase))
            for phrase in (pair.target, pair.positive, pair.negative)
        )
        text = target.text
        tokens = target.tokens(len(text) - len(pair.noun), len(text))
        return Example(target=target, positive=positive, negative=negative, tokens=tokens)
