"""Prompts of a model: encoded one by one, remembered, and with learnt words in them."""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

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
from inference.prompts.weights import Weighted, literal, read

_PROMPTS_KEPT = 64
_Encode: TypeAlias = Callable[[Weighted, Sequence[LearntWord]], Prompt]
# In shares of the mean absolute value: below it a mean says nothing about how large embeddings are.
_LEAST_MEAN = 1e-3


class Encoded(NamedTuple):
    """What one encoder makes of a text of P pieces of L tokens.

    `embedding` is [1, P · L, D], `pooled` [1, D] the first piece's, `offsets` the tokens' characters.
    """

    embedding: Tensor
    pooled: Tensor | None
    offsets: tuple[Offset, ...]
    pieces: int
    unread: str


class EncodingBackbone(Backbone):
    """What a backbone does with its text encoders."""

    parts: Components
    _residency: Residency
    _memory_mode: MemoryMode
    # the latest, oldest first; what is added to the encoders' layers changes the model's hash
    _prompts: OrderedDict[tuple[str, Weighted, bool, tuple[LearntWord, ...]], Prompt]
    _without_words: tuple[
        str | None, Mapping[str, Tensor]
    ]  # by the model's hash: a piece of each encoder [1, L, D]

    @abstractmethod
    def _text_parts(self) -> Mapping[str, TextPart]: ...

    @abstractmethod
    def _encode(self, text: Weighted, learnt: Sequence[LearntWord]) -> Prompt: ...

    def encode_prompt(
        self, text: str, learnt: Sequence[LearntWord] = (), *, weighted: bool = False
    ) -> Prompt:
        given = read(text) if weighted else literal(text)
        return self._remembered(given, learnt, self._encode, is_negative=False)

    def negative_prompt(
        self, text: str, learnt: Sequence[LearntWord] = (), *, weighted: bool = False
    ) -> Prompt:
        given = read(text) if weighted else literal(text)
        try:
            return self._remembered(given, learnt, self._encode_negative, is_negative=True)
        except TooLongError as error:
            raise error.of_negative() from error

    def _encode_negative(self, text: Weighted, learnt: Sequence[LearntWord]) -> Prompt:
        return self._encode(text, learnt)

    def _remembered(
        self, text: Weighted, learnt: Sequence[LearntWord], encode: _Encode, *, is_negative: bool
    ) -> Prompt:
        """The prompt, from memory if it was encoded before.

        Words that are being learnt change, so nothing is kept of theirs.
        """
        used = tuple(dict.fromkeys(place.learnt for place in find_learnt(text.text, learnt)))
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

    @property
    def allows_gradients_of_words(self) -> bool:
        return self._memory_mode is MemoryMode.FULL

    def _check_encoders_stay(self) -> None:
        if not self.allows_gradients_of_words:
            raise EditorError(
                "Words can only be learnt while the whole model is in memory; the memory mode is {mode}.",
                "Choose the memory mode “{full}”, or a smaller model.",
                mode=self._memory_mode.value,
                full=MemoryMode.FULL.value,
            )

    def _encoded_by(
        self,
        encoder: str,
        text: Weighted,
        learnt: Sequence[LearntWord],
        length: int,
        *,
        penultimate: bool,
        in_pieces: bool = True,
    ) -> Encoded:
        """What one encoder makes of a text, in pieces of `length` tokens that it reads apart."""
        tokenizer = self.parts.tokenizers[encoder]
        tokens = tokenize(tokenizer, text, length, encoder=encoder, learnt=learnt, in_pieces=in_pieces)
        network = self.parts.text_encoders[encoder]
        with self._residency.using(network), rows_replaced(network, tokens.rows):
            output = network(tokens.ids.to(self.device), output_hidden_states=penultimate)
        hidden = output.hidden_states[-2] if penultimate else output[0]
        pooled = getattr(output, "text_embeds", None)
        return Encoded(
            embedding=self._weighed(hidden, tokens.weights).to(self.device, self.dtype).flatten(0, 1)[None],
            pooled=None if pooled is None else pooled[:1].to(self.device, self.dtype),
            offsets=tokens.offsets,
            pieces=len(tokens.ids),
            unread=tokens.unread,
        )

    def _weighed(self, hidden: Tensor, weights: Sequence[float]) -> Tensor:
        """Embeddings [P, L, D], each token's multiplied by its weight.

        With one text encoder (SD1, SD2) each piece gets its mean back, as in A1111 and diffusers' long-prompt
        pipeline; with several it does not ("No norm" in A1111, which is what is advised for SDXL): the mean
        of their embeddings is so near to zero that its ratio means nothing. Pooled embeddings have no words.
        """
        if not weights:
            return hidden
        plain = hidden.float()
        factors = torch.tensor(weights, device=hidden.device).reshape(*hidden.shape[:2], 1)
        found = plain * factors
        if len(self.parts.text_encoders) == 1:
            before, after = (one.mean((1, 2), keepdim=True) for one in (plain, found))
            least = _LEAST_MEAN * found.abs().mean((1, 2), keepdim=True)
            found = torch.where(after.abs() > least, found * (before / after), found)
        return found.to(hidden.dtype)

    def _prompt_of(self, text: Weighted, encoded: Mapping[str, Encoded], pooled: Tensor | None) -> Prompt:
        """The prompt of what its encoders made; those that read in pieces have as many."""
        prompt = Prompt(
            text=text.text,
            embeddings={name: one.embedding for name, one in encoded.items()},
            pooled=pooled,
            offsets={name: one.offsets for name, one in encoded.items()},
            pieces={name: one.pieces for name, one in encoded.items() if name in self._in_pieces},
            unread=next((one.unread for one in encoded.values() if one.unread), ""),
        )
        return self.of_one_length(prompt)[0]

    @property
    def _in_pieces(self) -> Collection[str]:
        """The encoders that read long texts in pieces."""
        return tuple(self.parts.text_encoders)

    def of_one_length(self, *prompts: Prompt) -> tuple[Prompt, ...]:
        most = max(prompt.length for prompt in prompts)
        if all(count == most for prompt in prompts for count in prompt.pieces.values()):
            return prompts
        if self._without_words[0] != self.model_hash:
            with torch.no_grad():
                self._without_words = (self.model_hash, self._encode(literal(""), ()).embeddings)
        empty = self._without_words[1]
        zeros = {name: torch.zeros_like(value) for name, value in empty.items()}
        return tuple(prompt.lengthened(most, zeros if prompt.is_blank else empty) for prompt in prompts)

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
