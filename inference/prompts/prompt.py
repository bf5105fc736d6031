"""A prompt as the networks see it: embeddings per text encoder, and the characters each token stands for."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from inference.errors import EditorError
from inference.messages import listed, short
from inference.prompts.learnt_words import LearntWord, Place, Rewritten, find_learnt, words_after

Offset = tuple[int, int]
NO_CHARACTERS: Offset = (0, 0)  # start, end and padding tokens


class TooLongError(EditorError):
    """A prompt has more tokens than the model reads."""

    def of_negative(self) -> EditorError:
        """The same said of a negative prompt."""
        return EditorError(
            "The negative prompt is too long for this model; these words fell off: “{words}”.",
            "The model reads {room} tokens and the negative prompt has {count}: shorten it.",
            words=self.sentence.values["words"],
            room=self.advice.values["room"],
            count=self.advice.values["count"],
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Prompt:
    """One encoded prompt. Two prompts are the same only if they are the same object.

    Args:
        text: what was encoded.
        embeddings: per encoder ("clip_l", "clip_g", "t5") the token embeddings [1, T, D].
        pooled: the sentence's embedding [1, D], or None where the family has none.
        offsets: per encoder the characters [start, end) of each of its T tokens; (0, 0) for special tokens.
    """

    text: str
    embeddings: Mapping[str, Tensor]
    pooled: Tensor | None
    offsets: Mapping[str, tuple[Offset, ...]]

    def tokens(self, start: int, end: int) -> dict[str, tuple[int, ...]]:
        """Indices of the tokens that share a character with [start, end), per encoder.

        Raises:
            EditorError: no token of any encoder stands for these characters.
        """
        found = {
            encoder: tuple(i for i, (a, b) in enumerate(offsets) if a < end and b > start)
            for encoder, offsets in self.offsets.items()
        }
        if not any(found.values()):
            raise EditorError(
                "Characters {start} to {end} of the prompt “{text}” stand for no word.",
                "The prompt has {length} characters.",
                start=start,
                end=end,
                text=short(self.text),
                length=len(self.text),
            )
        return found

    def shifted(self, shifts: Mapping[str, Mapping[int, Tensor]]) -> "Prompt":
        """The prompt with vectors [D] added to single tokens: {encoder: {token: vector}}.

        The pooled embedding and all other tokens stay; nothing is renormalised; gradients reach the vectors.

        Raises:
            EditorError: an encoder that the model does not have, or vectors of another width.
        """
        embeddings = dict(self.embeddings)
        for encoder, by_token in shifts.items():
            if encoder not in embeddings:
                raise EditorError(
                    "The model has no text encoder “{encoder}”.",
                    "It has: {embeddings}.",
                    encoder=encoder,
                    embeddings=listed(embeddings),
                )
            if by_token:
                embeddings[encoder] = _shifted(encoder, embeddings[encoder], by_token)
        return replace(self, embeddings=embeddings)

    def with_embeddings(self, embeddings: Mapping[str, Tensor], pooled: Tensor | None = None) -> "Prompt":
        """The prompt with other token embeddings [1, T, D] for some encoders, and another pooled one [1, D].

        For embeddings that are optimised themselves; gradients reach them.

        Raises:
            ValueError: they are not of the shapes that they replace.
        """
        for encoder, value in embeddings.items():
            if encoder not in self.embeddings or value.shape != self.embeddings[encoder].shape:
                raise ValueError(f"embeddings {tuple(value.shape)} do not fit the prompt's for {encoder}")
        if pooled is not None and (self.pooled is None or pooled.shape != self.pooled.shape):
            raise ValueError(f"a pooled embedding {tuple(pooled.shape)} does not fit the prompt's")
        return replace(
            self,
            embeddings={**self.embeddings, **embeddings},
            pooled=self.pooled if pooled is None else pooled,
        )


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A prompt as one encoder reads it.

    Args:
        ids: [1, T], padded. Where learnt vectors go stands an id that means nothing.
        offsets: the characters [start, end) of each token; (0, 0) for special tokens.
        rows: learnt vectors [D] by the index of their token.
    """

    ids: Tensor
    offsets: tuple[Offset, ...]
    rows: Mapping[int, Tensor]


class _Token(NamedTuple):
    id: int
    characters: Offset
    special: bool = False
    row: Tensor | None = None


# Of a token whose embedding is replaced: not the end token's, by which an encoder finds where to pool.
_NO_MEANING = 0


def tokenize(
    tokenizer: Any, text: str, length: int, *, encoder: str = "", learnt: Sequence[LearntWord] = ()
) -> Tokens:
    """The tokens of `text`, padded to `length`, with the characters that each stands for.

    Args:
        encoder: whose vectors of `learnt` words are taken.

    Raises:
        EditorError: the text needs more than `length` tokens; the message names the words that fell off.
    """
    places = find_learnt(text, learnt)
    written = Rewritten(text, places, encoder, tokenizer.eos_token)
    tokens = _tokens(tokenizer, written)
    if len(tokens) > length:
        raise _too_long(text, places, tokens, length)
    tokens += [_Token(tokenizer.pad_token_id, NO_CHARACTERS, special=True)] * (length - len(tokens))
    return Tokens(
        ids=torch.tensor([[token.id for token in tokens]]),
        offsets=tuple(
            NO_CHARACTERS if token.special else _characters(text, *token.characters) for token in tokens
        ),
        rows={index: token.row for index, token in enumerate(tokens) if token.row is not None},
    )


def _tokens(tokenizer: Any, written: Rewritten) -> list[_Token]:
    encoded = tokenizer(
        written.text,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        truncation=False,
        verbose=False,
    )
    found: list[_Token] = []
    for number, (start, end), special in zip(
        encoded["input_ids"], encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True
    ):
        place = written.learnt_at(start, end)
        if place is None:
            found.append(_Token(number, written.original(start, end), bool(special)))
        else:
            rows = place.learnt.vectors[written.encoder]
            found += [_Token(_NO_MEANING, (place.start, place.end), row=row) for row in rows]
    return found


def _shifted(encoder: str, embedding: Tensor, by_token: Mapping[int, Tensor]) -> Tensor:
    width = embedding.shape[-1]
    vectors = [torch.as_tensor(vector) for vector in by_token.values()]
    wrong = next((tuple(vector.shape) for vector in vectors if tuple(vector.shape) != (width,)), None)
    if wrong is not None:
        raise EditorError(
            "The attribute's vector for “{encoder}” has {given} numbers, the model's tokens have {width}.",
            "Choose an attribute that was made for this model's family.",
            encoder=encoder,
            given=" × ".join(map(str, wrong)),
            width=width,
        )
    index = torch.tensor(list(by_token), device=embedding.device)
    return embedding.index_add(1, index, torch.stack(vectors)[None].to(embedding))


def _too_long(text: str, places: Sequence[Place], tokens: Sequence[_Token], length: int) -> "TooLongError":
    content = [token.characters for token in tokens if not token.special]
    room = length - (len(tokens) - len(content))
    cut = min((start for start, end in content[room:] if end > start), default=len(text))
    lost = " ".join(words_after(text, places, cut)) or text[cut:].strip()
    return TooLongError(
        "The prompt is too long for this model; these words fell off: “{words}”.",
        "The model reads {room} tokens and the prompt has {count}: shorten it.",
        words=short(lost),
        room=room,
        count=len(content),
    )


def _characters(text: str, start: int, end: int) -> Offset:
    """A token's own characters: without the space that some encoders put before a word, with all accents.

    A decomposed letter becomes one character before it is encoded, and its accents are lost from the offsets.
    """
    while end > start and end < len(text) and unicodedata.combining(text[end]):
        end += 1
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return NO_CHARACTERS
    start += len(piece) - len(piece.lstrip())
    return start, start + len(stripped)
