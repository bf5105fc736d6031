"""Words that stand for learnt vectors (textual inversion, arXiv:2208.01618).

    toy = LearntWord(word="<toy>", vectors={"clip_l": rows, "clip_g": more_rows})
    backbone.encode_prompt("a photo of a <toy> on a table", [toy])

The word takes as many token places as it has vectors, and all of them stand for its characters. Neither the
tokenizer nor the encoder's table grows: the tokenizer reads a stand-in that it never divides, and the vectors
are put where the table's rows would be.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from inference.errors import EditorError
from inference.messages import listed
from inference.prompts.words import Word, find_names, folded, replaced, words


@dataclass(frozen=True, eq=False, kw_only=True)
class LearntWord:
    """A word of a prompt and the rows that stand in the token table's place for it.

    Args:
        word: as it is written in prompts, such as "<toy>"; capitals do not matter.
        vectors: per encoder [n, D], n the same for all. Gradients reach them. They keep their own dtype and
            become the encoder's only inside it. Vectors that need no gradient are not changed in place:
            prompts made with them are remembered.
        plain: what an encoder without vectors (T5, often) reads in the word's place; the word itself if "".

    Raises:
        EditorError: the word or the vectors cannot be used.
    """

    word: str
    vectors: Mapping[str, Tensor]
    plain: str = ""

    def __post_init__(self) -> None:
        if not self.word or self.word != self.word.strip():
            raise EditorError(
                "“{word}” cannot be a learnt word.", "Give it letters or signs.", word=self.word
            )
        shapes = [tuple(rows.shape) for rows in self.vectors.values()]
        if not shapes or any(len(shape) != 2 or shape[0] < 1 for shape in shapes):
            raise EditorError("The learnt word “{word}” has no vectors.", word=self.word)
        if len({count for count, _ in shapes}) > 1:
            raise EditorError(
                "The learnt word “{word}” has different numbers of vectors: {counts}.",
                "Every encoder needs as many.",
                word=self.word,
                counts=listed(f"{name} {len(rows)}" for name, rows in self.vectors.items()),
            )

    @property
    def count(self) -> int:
        """How many token places the word takes."""
        return len(next(iter(self.vectors.values())))

    @property
    def needs_gradient(self) -> bool:
        """Whether some of its vectors are being learnt."""
        return any(rows.requires_grad for rows in self.vectors.values())

    @property
    def fingerprint(self) -> str:
        """A hash of what encoders read in the word's place."""
        digest = hashlib.sha256(json.dumps([folded(self.word), self.plain]).encode())
        for encoder, rows in sorted(self.vectors.items()):
            digest.update(f"{encoder} {tuple(rows.shape)} ".encode())
            digest.update(rows.detach().float().cpu().numpy().tobytes())
        return digest.hexdigest()[:32]


class Place(NamedTuple):
    """A learnt word in a text: characters [start, end)."""

    start: int
    end: int
    learnt: LearntWord


def find_learnt(text: str, learnt: Sequence[LearntWord]) -> tuple[Place, ...]:
    """Where `learnt` words stand in `text`, in order.

    Raises:
        EditorError: two of them are written alike.
    """
    names = [folded(each.word) for each in learnt]
    twice = next((each.word for each, name in zip(learnt, names, strict=True) if names.count(name) > 1), None)
    if twice is not None:
        raise EditorError("Two learnt words are called “{word}”.", "Call one of them otherwise.", word=twice)
    found = find_names(text, [each.word for each in learnt])
    return tuple(Place(start, end, learnt[index]) for start, end, index in found)


def in_plain_words(text: str, learnt: Sequence[LearntWord]) -> str:
    """`text` with the kind of each learnt word in the word's place, where it has one."""
    return replaced(text, {one.word: one.plain or one.word for one in learnt})


class Rewritten:
    """A text with stand-ins in place of its learnt words, and the way back to its characters.

    Args:
        text: the prompt.
        places: its learnt words.
        encoder: which encoder reads it; a word that has no vectors for it becomes plain text.
        stand_in: what the encoder's tokenizer never divides.
        left_out: characters that it does not read.
    """

    def __init__(
        self,
        text: str,
        places: Sequence[Place],
        encoder: str,
        stand_in: str,
        left_out: Collection[int] = frozenset(),
    ) -> None:
        self.encoder = encoder
        self._left_out = left_out
        self.text = ""
        self._origins: list[tuple[int, int]] = []  # of each character of the new text
        self._learnt: dict[tuple[int, int], Place] = {}
        self._taken = 0  # characters of the prompt
        for place in places:
            self._keep(text, place.start)
            begin = len(self.text)
            has_vectors = encoder in place.learnt.vectors
            written = stand_in if has_vectors else place.learnt.plain or text[place.start : place.end]
            self.text += written
            self._origins += [(place.start, place.end)] * len(written)
            self._taken = place.end
            if has_vectors:
                self._learnt[begin, len(self.text)] = place
        self._keep(text, len(text))

    def _keep(self, text: str, end: int) -> None:
        """Take the characters before `end` that are not taken yet."""
        kept = [index for index in range(self._taken, end) if index not in self._left_out]
        self.text += "".join(text[index] for index in kept)
        self._origins += [(index, index + 1) for index in kept]
        self._taken = end

    def learnt_at(self, start: int, end: int) -> Place | None:
        """The learnt word whose stand-in is exactly these characters of the new text."""
        return self._learnt.get((start, end))

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Characters of the prompt for characters [start, end) of the new text; all of a word it touches."""
        return (self._origins[start][0], self._origins[end - 1][1]) if end > start else (0, 0)


def words_after(text: str, places: Sequence[Place], cut: int) -> tuple[str, ...]:
    """The words of `text` that end after character `cut`; a learnt word is one, as it is written."""
    others = [
        word
        for word in words(text)
        if not any(word.start < place.end and word.end > place.start for place in places)
    ]
    learnt = [Word(place.start, place.end, text[place.start : place.end]) for place in places]
    return tuple(word.text for word in sorted([*others, *learnt]) if word.end > cut)
