"""A prompt as the networks see it: embeddings per text encoder, and the characters each token stands for."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from inference.errors import EditorError
from inference.messages import listed, short
from inference.prompts.learnt_words import LearntWord, Place, Rewritten, find_learnt, words_after
from inference.prompts.weights import Weighted, literal
from inference.prompts.words import is_unspaced

Offset = tuple[int, int]
NO_CHARACTERS: Offset = (0, 0)  # start, end and padding tokens


class TooLongError(EditorError):
    """A prompt has more tokens than are read."""

    def of_negative(self) -> EditorError:
        """The same said of a negative prompt."""
        return EditorError(
            "The negative prompt is too long; these words fell off: “{words}”.",
            "{room} tokens are read and the negative prompt has {count}: shorten it.",
            words=self.sentence.values["words"],
            room=self.advice.values["room"],
            count=self.advice.values["count"],
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Prompt:
    """One encoded prompt. Two prompts are the same only if they are the same object.

    Args:
        text: what was encoded, with spaces for the marks of weights.
        embeddings: per encoder ("clip_l", "clip_g", "t5") the token embeddings [1, T, D].
        pooled: the sentence's embedding [1, D], or None where the family has none; of a text in several
            pieces the first one's (as A1111 and ComfyUI have it).
        offsets: per encoder the characters [start, end) of each of its T tokens; (0, 0) for special tokens.
        pieces: of encoders that read a long text in pieces of equal length, how many; T is a multiple of it.
        is_blank: every embedding is zero.
        unread: the words that are beyond what some encoder reads, while others read them.
    """

    text: str
    embeddings: Mapping[str, Tensor]
    pooled: Tensor | None
    offsets: Mapping[str, tuple[Offset, ...]]
    pieces: Mapping[str, int] = field(default_factory=dict[str, int])
    is_blank: bool = False
    unread: str = ""

    @property
    def length(self) -> int:
        """Of how many pieces the longest of its encoders' texts is."""
        return max(self.pieces.values(), default=1)

    def borders(self, encoder: str) -> tuple[range, ...]:
        """The tokens of each piece, its start, end and padding among them."""
        count, total = self.pieces.get(encoder, 1), len(self.offsets[encoder])
        size = total // count
        return tuple(range(first, first + size) for first in range(0, total, size))

    def lengthened(self, pieces: int, empty: Mapping[str, Tensor]) -> "Prompt":
        """The prompt with so many pieces, itself if it has them; `empty` is one without words [1, L, D]."""
        missing = {name: pieces - count for name, count in self.pieces.items() if count < pieces}
        if not missing:
            return self
        embeddings, offsets = dict(self.embeddings), dict(self.offsets)
        for name, count in missing.items():
            piece = empty[name].to(embeddings[name])
            embeddings[name] = torch.cat([embeddings[name], piece.repeat(1, count, 1)], dim=1)
            offsets[name] = (*offsets[name], *[NO_CHARACTERS] * (piece.shape[1] * count))
        longer = {**self.pieces, **dict.fromkeys(missing, pieces)}
        return replace(self, embeddings=embeddings, offsets=offsets, pieces=longer)

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
    """A prompt as one encoder reads it, in P pieces of L tokens.

    Args:
        ids: [P, L], padded. Where learnt vectors go stands an id that means nothing.
        offsets: the characters [start, end) of each of the P · L tokens; (0, 0) for special tokens.
        rows: learnt vectors [D] by the index of their token, 0 … P · L - 1.
        unread: the words that did not fit.
        weights: of the P · L tokens; () if all are 1.
    """

    ids: Tensor
    offsets: tuple[Offset, ...]
    rows: Mapping[int, Tensor]
    unread: str = ""
    weights: tuple[float, ...] = ()


class _Token(NamedTuple):
    id: int
    characters: Offset
    special: bool = False
    row: Tensor | None = None


# Of a token whose embedding is replaced: not the end token's, by which an encoder finds where to pool.
_NO_MEANING = 0
# Pieces of a text that are read at most; more would only come from what is no prompt.
MOST_PIECES = 16
# A piece ends after the last comma or full stop among so many of its last tokens, as in A1111 …
_LOOKED_BACK = 20
_MARKS = frozenset(",.;:!?\n，。；：！？、")


def tokenize(
    tokenizer: Any,
    given: str | Weighted,
    length: int,
    *,
    encoder: str = "",
    learnt: Sequence[LearntWord] = (),
    in_pieces: bool = True,
) -> Tokens:
    """The tokens of a text in pieces of `length`, padded, with the characters that each stands for.

    Each piece has a start and an end of its own, and no word is cut in two, unless it is longer than a piece.

    Args:
        encoder: whose vectors of `learnt` words are taken.
        in_pieces: else only the words that fit into `length` are read.

    Raises:
        EditorError: the text needs more than `MOST_PIECES` pieces; the message names the words that fell off.
    """
    weighted = literal(given) if isinstance(given, str) else given
    text = weighted.text
    places = find_learnt(text, learnt)
    written = Rewritten(text, places, encoder, tokenizer.eos_token, weighted.superfluous)
    tokens = _tokens(tokenizer, written)
    first = next((i for i, token in enumerate(tokens) if not token.special), len(tokens))
    content = [token for token in tokens if not token.special]
    head, tail = tokens[:first], [token for token in tokens[first:] if token.special]
    if not content:
        head, tail = tokens, []
    room = length - len(head) - len(tail)
    pieces = _pieces(text, content, room, at_marks=in_pieces)
    most = MOST_PIECES if in_pieces else 1
    unread = ""
    if len(pieces) > most:
        count = sum(len(piece) for piece in pieces[:most])
        unread = _lost(text, places, content[count:])
        if in_pieces:
            raise _too_long(unread, count, len(content))
    padding = _Token(tokenizer.pad_token_id, NO_CHARACTERS, special=True)
    rows = [[*head, *piece, *tail] for piece in pieces[:most]]
    rows = [row + [padding] * (length - len(row)) for row in rows]
    every = [token for row in rows for token in row]
    return Tokens(
        ids=torch.tensor([[token.id for token in row] for row in rows]),
        offsets=tuple(
            NO_CHARACTERS if token.special else _characters(text, *token.characters) for token in every
        ),
        rows={index: token.row for index, token in enumerate(every) if token.row is not None},
        unread=unread,
        weights=_weights(weighted, every),
    )


def _weights(weighted: Weighted, tokens: Sequence[_Token]) -> tuple[float, ...]:
    found = tuple(
        1.0 if token.special else weighted.weight(_characters(weighted.text, *token.characters)[0])
        for token in tokens
    )
    return () if all(weight == 1 for weight in found) else found


def _pieces(text: str, content: Sequence[_Token], room: int, *, at_marks: bool) -> list[list[_Token]]:
    """The tokens, at most `room` together; one empty piece if there are none."""
    ends = [
        index
        for index in range(1, len(content) + 1)
        if index == len(content) or not _is_one_word(text, content[index - 1], content[index])
    ]
    pieces: list[list[_Token]] = []
    start = 0
    while len(content) - start > room:
        fitting = [end for end in ends if start < end <= start + room]
        late = [end for end in fitting if at_marks and end > start + room - _LOOKED_BACK]
        marked = [end for end in late if _ends(text, content[end - 1])]
        end = max(marked or fitting, default=start + room)
        pieces.append(list(content[start:end]))
        start = end
    return [*pieces, list(content[start:])]


def _is_one_word(text: str, left: _Token, right: _Token) -> bool:
    """Whether two tokens in a row touch; in scripts without spaces, whether they share a sign."""
    (_, end), (start, last) = left.characters, right.characters
    if start >= last or start < end:
        return True
    spaced = text[start].isspace() or end < start
    return not spaced and not (is_unspaced(text[end - 1]) and is_unspaced(text[start]))


def _ends(text: str, token: _Token) -> bool:
    """Whether the token ends a part of a sentence."""
    start, end = token.characters
    return end > start and text[end - 1] in _MARKS


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


def _lost(text: str, places: Sequence[Place], tokens: Sequence[_Token]) -> str:
    """The words of the tokens that are left out."""
    spans = [token.characters for token in tokens]
    cut = min((start for start, end in spans if end > start), default=len(text))
    return " ".join(words_after(text, places, cut)) or text[cut:].strip()


def _too_long(lost: str, room: int, count: int) -> "TooLongError":
    return TooLongError(
        "The prompt is too long; these words fell off: “{words}”.",
        "{room} tokens are read and the prompt has {count}: shorten it.",
        words=short(lost),
        room=room,
        count=count,
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
