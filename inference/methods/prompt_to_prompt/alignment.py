"""Which tokens of a prompt get whose attention (Hertz et al., arXiv:2208.01626, section 3.2).

    P = P_source · M + P_target · (1 - a),   then · w

M [source tokens, target tokens] carries the source's attention over, a [target tokens] is 1 where it does,
and w [target tokens] are the weights of words. This one form holds the three edits of the paper: *replace* (M
maps words onto words that stand in their place), *refine* (words that are new have a = 0: they keep their own
attention) and *reweight* (w; nothing is renormalised).

Tokens are told apart by the characters they stand for, so a learnt word of several tokens, and a word that a
tokenizer divides, are whole; whatever follows them is found by its own characters, not by counting on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inference.attention import TextPart
from inference.prompts.differences import aligned
from inference.prompts.prompt import Offset, Prompt
from inference.prompts.words import folded

Span = tuple[int, int]
ALIGNMENTS = ("refine", "replace")


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What a person says of the words of two prompts, beside what is found by itself.

    Args:
        weights: factors of attention by characters [start, end) of the target.
        changed: characters of the target whose words keep their own attention, as new ones do.
        replace: words that stand in the place of as many others take over their attention.
    """

    weights: Mapping[Span, float]
    changed: Sequence[Span] = ()
    replace: bool = False


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """One part of the text columns of two prompts.

    Args:
        columns: where its T tokens are among the text's.
        source_columns: where the source's S tokens are.
        carried: M, float32 [S, T].
        taken: a, float32 [T], 0 or 1.
        weights: w, float32 [T].
    """

    columns: tuple[int, ...]
    source_columns: tuple[int, ...]
    carried: Tensor
    taken: Tensor
    weights: Tensor

    @property
    def is_neutral(self) -> bool:
        """Whether it carries each token's attention onto itself, as it is."""
        rows, columns = self.carried.shape
        same = rows == columns and torch.equal(self.carried, torch.eye(rows, device=self.carried.device))
        return same and bool((self.taken == 1).all() and (self.weights == 1).all())

    def carry(self, source: Tensor, target: Tensor) -> Tensor:
        """P [..., T], before the weights, of the probabilities [..., S] and [..., T]."""
        return source @ self.carried.to(target) + target * (1 - self.taken.to(target))

    def to(self, device: torch.device) -> "Alignment":
        return replace(
            self,
            carried=self.carried.to(device),
            taken=self.taken.to(device),
            weights=self.weights.to(device),
        )


def alignments(
    source: Prompt, target: Prompt, parts: Mapping[str, TextPart], wording: Wording
) -> tuple[Alignment, ...]:
    """One for each part of the text's columns that the model has; both prompts are of as many pieces."""
    found: list[Alignment] = []
    for part in parts.values():
        encoder = next((name for name in part.encoders if name in target.offsets), None)
        if encoder is not None:
            found.append(_aligned_part(source, target, encoder, part, wording))
    return tuple(found)


def _aligned_part(
    source: Prompt, target: Prompt, encoder: str, part: TextPart, wording: Wording
) -> Alignment:
    ours, theirs = source.offsets[encoder], target.offsets[encoder]
    carried = torch.zeros(len(ours), len(theirs))
    taken = torch.zeros(len(theirs))
    pairs = aligned(_keys(source.text, ours), _keys(target.text, theirs))
    kept = _content(ours), _content(theirs)
    gone: list[int] = []
    new: list[int] = []
    for pair in (*pairs, None):
        if pair is None or (pair.source is not None and pair.target is not None):
            if wording.replace:
                _replace(carried, taken, _words(ours, gone), _words(theirs, new))
            gone, new = [], []
        if pair is None:
            break
        if pair.source is not None and pair.target is not None:
            there = kept[1][pair.target]
            carried[kept[0][pair.source], there] = taken[there] = 1
        elif pair.source is not None:
            gone.append(kept[0][pair.source])
        elif pair.target is not None:
            new.append(kept[1][pair.target])
    for own, other in zip(source.borders(encoder), target.borders(encoder), strict=True):
        _align_special(carried, taken, (own, kept[0]), (other, kept[1]))
    weights = torch.ones(len(theirs))
    for (first, last), weight in wording.weights.items():
        weights[_tokens(theirs, first, last)] *= weight
    for first, last in wording.changed:
        tokens = _tokens(theirs, first, last)
        carried[:, tokens], taken[tokens] = 0, 0
    return Alignment(
        columns=tuple(part.column(token) for token in range(len(theirs))),
        source_columns=tuple(part.column(token) for token in range(len(ours))),
        carried=carried,
        taken=taken,
        weights=weights,
    )


def _replace(
    carried: Tensor, taken: Tensor, gone: Sequence[Sequence[int]], new: Sequence[Sequence[int]]
) -> None:
    """Words onto the words that stand in their place, if there are as many.

    The mean over the new word's tokens takes what all of the old one's had: the sum stays.
    """
    if len(gone) != len(new):
        return
    for ours, theirs in zip(gone, new, strict=True):
        if len(ours) == len(theirs):
            carried[list(ours), list(theirs)] = 1
        else:
            carried[torch.tensor(ours)[:, None], torch.tensor(theirs)] = 1 / len(theirs)
        taken[list(theirs)] = 1


def _align_special(
    carried: Tensor, taken: Tensor, source: tuple[range, Sequence[int]], target: tuple[range, Sequence[int]]
) -> None:
    """Of one piece: start onto start; the end and the padding by their distance from its last word.

    If the target has fewer of them the last takes what is left, if it has more they share the last one's: the
    sum stays.

    Args:
        source, target: the tokens of the piece, and all that stand for characters.
    """
    (piece, ours), (other, theirs) = source, target
    words = [i for i in ours if i in piece], [i for i in theirs if i in other]
    firsts = [min(each, default=whole[1]) for each, whole in zip(words, (piece, other), strict=True)]
    for step in range(min(firsts[0] - piece[0], firsts[1] - other[0])):
        carried[piece[0] + step, other[0] + step] = taken[other[0] + step] = 1
    ends = [max(each, default=whole[0]) + 1 for each, whole in zip(words, (piece, other), strict=True)]
    left, room = piece[-1] + 1 - ends[0], other[-1] + 1 - ends[1]
    if not left or not room:
        return
    for step in range(left):
        carried[ends[0] + step, ends[1] + min(step, room - 1)] = 1
    if room > left:
        carried[piece[-1], ends[1] + left - 1 : other[-1] + 1] = 1 / (room - left + 1)
    taken[ends[1] : other[-1] + 1] = 1


def _content(offsets: Sequence[Offset]) -> list[int]:
    return [index for index, (start, end) in enumerate(offsets) if end > start]


def _keys(text: str, offsets: Sequence[Offset]) -> list[tuple[str, int]]:
    """What each token of characters stands for, and its number among those that stand for the same ones."""
    found: list[tuple[str, int]] = []
    before: Offset | None = None
    number = 0
    for start, end in offsets:
        if end <= start:
            continue
        number = number + 1 if (start, end) == before else 0
        before = (start, end)
        found.append((folded(text[start:end]), number))
    return found


def _words(offsets: Sequence[Offset], tokens: Sequence[int]) -> list[list[int]]:
    """Tokens of one word together: those that touch, or stand for the same characters."""
    found: list[list[int]] = []
    for token in tokens:
        if found and offsets[token][0] <= offsets[found[-1][-1]][1]:
            found[-1].append(token)
        else:
            found.append([token])
    return found


def _tokens(offsets: Sequence[Offset], start: int, end: int) -> list[int]:
    return [index for index, (a, b) in enumerate(offsets) if a < end and b > start]
