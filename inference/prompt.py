"""A prompt as the networks see it: embeddings per text encoder, and the characters each token stands for."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from inference.errors import EditorError
from inference.messages import listed
from inference.words import words

Offset = tuple[int, int]
NO_CHARACTERS: Offset = (0, 0)  # start, end and padding tokens


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
                text=self.text,
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


def tokenize(tokenizer: Any, text: str, length: int) -> tuple[Tensor, tuple[Offset, ...]]:
    """Token ids [1, `length`], padded, and each token's characters in `text`.

    Raises:
        EditorError: the text needs more than `length` tokens; the message names the words that fell off.
    """
    encoded = tokenizer(
        text, return_offsets_mapping=True, return_special_tokens_mask=True, truncation=False, verbose=False
    )
    if len(encoded["input_ids"]) > length:
        raise _too_long(text, encoded, length)
    padded = tokenizer(
        text,
        padding="max_length",
        max_length=length,
        truncation=True,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_tensors="pt",
    )
    offsets = tuple(
        NO_CHARACTERS if is_special else _characters(text, int(start), int(end))
        for (start, end), is_special in zip(
            padded["offset_mapping"][0].tolist(), padded["special_tokens_mask"][0].tolist(), strict=True
        )
    )
    return padded["input_ids"], offsets


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


def _too_long(text: str, encoded: Any, length: int) -> EditorError:
    special = sum(encoded["special_tokens_mask"])
    content = [
        offset
        for offset, is_special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        if not is_special
    ]
    room = length - special
    cut = content[room - 1][1]
    lost = " ".join(word.text for word in words(text) if word.end > cut)
    return EditorError(
        "The prompt is too long for this model; these words fell off: “{words}”.",
        "The model reads {room} tokens and the prompt has {count}: shorten it.",
        words=lost or text[cut:].strip(),
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
