"""Prompts of a model: encoded one by one, remembered, and with learnt words in them."""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from inference.attention import TextPart
from inference.backbones.base import Backbone
from inference.backbones.components import Components, Residency
from inference.backbones.embeddings import rows_replaced, table_of
from inference.errors import EditorError
from inference.models import MemoryMode
from inference.prompts.learnt_words import LearntWord, find_learnt
from inference.prompts.prompt import Offset, Prompt, TooLongError, tokenize

_PROMPTS_KEPT = 64
_Encode: TypeAlias = Callable[[str, Sequence[LearntWord]], Prompt]


class EncodingBackbone(Backbone):
    """What a backbone does with its text encoders."""

    parts: Components
    _residency: Residency
    _memory_mode: MemoryMode
    # the latest, oldest first; what is added to the encoders' layers changes the model's hash
    _prompts: OrderedDict[tuple[str, str, bool, tuple[LearntWord, ...]], Prompt]

    @abstractmethod
    def _text_parts(self) -> Mapping[str, TextPart]: ...

    @abstractmethod
    def _encode(self, text: str, learnt: Sequence[LearntWord]) -> Prompt: ...

    def encode_prompt(self, text: str, learnt: Sequence[LearntWord] = ()) -> Prompt:
        return self._remembered(text, learnt, self._encode, is_negative=False)

    def negative_prompt(self, text: str, learnt: Sequence[LearntWord] = ()) -> Prompt:
        try:
            return self._remembered(text, learnt, self._encode_negative, is_negative=True)
        except TooLongError as error:
            raise error.of_negative() from error

    def _encode_negative(self, text: str, learnt: Sequence[LearntWord]) -> Prompt:
        return self._encode(text, learnt)

    def _remembered(
        self, text: str, learnt: Sequence[LearntWord], encode: _Encode, *, is_negative: bool
    ) -> Prompt:
        """The prompt, from memory if it was encoded before.

        Words that are being learnt change, so nothing is kept of theirs.
        """
        used = tuple(dict.fromkeys(place.learnt for place in find_learnt(text, learnt)))
        for word in used:
            self._check_fits(word)
        if any(word.needs_gradient for word in used):
            if torch.is_grad_enabled():
                self._check_encoders_stay()
            return encode(text, used)
        key = (self.model_hash, text, is_negative, used)
        if key not in self._prompts:
            with torch.no_grad():
                self._prompts[key] = encode(text, used)
            if len(self._prompts) > _PROMPTS_KEPT:
                self._prompts.popitem(last=False)
        self._prompts.move_to_end(key)
        return self._prompts[key]

    def _check_fits(self, word: LearntWord) -> None:
        widths = self.token_widths
        has = {name: int(rows.shape[1]) for name, rows in word.vectors.items() if name in widths}
        # encoders whose tokens lie side by side need a word of one length
        parts = [set(part.encoders) & set(widths) for part in self._text_parts().values()]
        is_whole = all(part <= set(has) or not part & set(has) for part in parts)
        if not has or not is_whole or any(width != widths[name] for name, width in has.items()):
            raise EditorError(
                "The learnt word “{word}” ({given}) does not fit {model}, which takes {taken}.",
                "Choose a word that was learnt for this model's family.",
                word=word.word,
                given=_listed({name: int(rows.shape[1]) for name, rows in word.vectors.items()}),
                model=self.name,
                taken=_listed(widths),
            )

    def _check_encoders_stay(self) -> None:
        if self._memory_mode is not MemoryMode.FULL:
            raise EditorError(
                "Words can only be learnt while the whole model is in memory; the memory mode is {mode}.",
                "Choose the memory mode “{full}”, or a smaller model.",
                mode=self._memory_mode.value,
                full=MemoryMode.FULL.value,
            )

    def _encoded_by(
        self, encoder: str, text: str, learnt: Sequence[LearntWord], length: int, *, penultimate: bool
    ) -> tuple[Tensor, Tensor | None, tuple[Offset, ...]]:
        """Token embeddings [1, T, D], the pooled embedding if there is one, and the tokens' characters."""
        tokens = tokenize(self.parts.tokenizers[encoder], text, length, encoder=encoder, learnt=learnt)
        network = self.parts.text_encoders[encoder]
        with self._residency.using(network), rows_replaced(network, tokens.rows):
            output = network(tokens.ids.to(self.device), output_hidden_states=penultimate)
        hidden = output.hidden_states[-2] if penultimate else output[0]
        pooled = getattr(output, "text_embeds", None)
        return (
            hidden.to(self.device, self.dtype),
            None if pooled is None else pooled.to(self.device, self.dtype),
            tokens.offsets,
        )

    def token_vectors(self, text: str) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for name, network in self.parts.text_encoders.items():
            tokenizer = self.parts.tokenizers[name]
            ids = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
            table = table_of(network)
            found[name] = (
                table[torch.tensor(ids, dtype=torch.long, device=table.device)].to(self.device).float()
            )
        return found

    @property
    def token_norms(self) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for name, network in self.parts.text_encoders.items():
            norms = table_of(network).float().pow(2).sum(1).sqrt()
            found[name] = float(norms[norms > 0].mean())
        return found

    @property
    def token_widths(self) -> Mapping[str, int]:
        return {
            name: int(network.get_input_embeddings().weight.shape[1])
            for name, network in self.parts.text_encoders.items()
        }


def _listed(widths: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {width}" for name, width in widths.items())
