"""What differs between two prompts, word by word: what an edit by words is about.

    differences("a photo of a man and a cat", "a photo of a man and a black dog")
    # (Difference(source=(cat), target=(black, dog)),)

Free of torch: the window shows the words in colour before anything is loaded, and people correct them there.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.prompts.words import Word, find_names, folded, is_unspaced, words


class Pair(NamedTuple):
    """A place of an alignment: the index on each side, None where that side has a gap."""

    source: int | None
    target: int | None


@dataclass(frozen=True)
class Difference:
    """Words of the source in whose place other words of the target stand; one side may have none."""

    source: tuple[Word, ...]
    target: tuple[Word, ...]


def aligned(source: Sequence[Hashable], target: Sequence[Hashable]) -> tuple[Pair, ...]:
    """Needleman and Wunsch's alignment: a gap costs 0, a match gains 1, a mismatch costs 1.

    A mismatch is therefore never better than two gaps: each pair holds two equal things, or a gap.
    """
    numbers = {one: number for number, one in enumerate(dict.fromkeys([*source, *target]))}
    theirs = np.array([numbers[one] for one in target], np.int32)
    best = np.zeros(len(target) + 1, np.int32)
    gaps: list[NDArray[np.uint8]] = []  # a bit for each place: without its word of the target it is as good
    for one in source:
        matched = np.where(theirs == numbers[one], best[:-1] + 1, 0)
        best[1:] = np.maximum.accumulate(np.maximum(matched, best[1:]))
        gaps.append(np.packbits(best[1:] == best[:-1]))
    found: list[Pair] = []
    i, j = len(source), len(target)
    while i or j:
        if i > 0 and j > 0 and source[i - 1] == target[j - 1]:
            i, j = i - 1, j - 1
            found.append(Pair(i, j))
        elif j > 0 and (i == 0 or _bit(gaps[i - 1], j - 1)):
            j -= 1
            found.append(Pair(None, j))
        else:
            i -= 1
            found.append(Pair(i, None))
    return tuple(reversed(found))


def _bit(packed: NDArray[np.uint8], index: int) -> bool:
    return bool(packed[index // 8] >> (7 - index % 8) & 1)


def differences(source: str, target: str, names: Sequence[str] = ()) -> tuple[Difference, ...]:
    """Where the two prompts say something else, in their order; capitals, and how accents are written, do not
    matter.

    In scripts without spaces each sign counts as a word.

    Args:
        names: words that may have any signs, such as "<toy>".
    """
    ours, theirs = _small_words(source, names), _small_words(target, names)
    pairs = aligned([folded(word.text) for word in ours], [folded(word.text) for word in theirs])
    found: list[Difference] = []
    gone: list[Word] = []
    new: list[Word] = []
    for pair in (*pairs, Pair(-1, -1)):
        if pair.source is not None and pair.target is not None:
            if gone or new:
                found.append(Difference(tuple(gone), tuple(new)))
            gone, new = [], []
        elif pair.source is not None:
            gone.append(ours[pair.source])
        elif pair.target is not None:
            new.append(theirs[pair.target])
    return tuple(found)


def one_at_a_time(source: str, target: str, names: Sequence[str] = ()) -> tuple[str, ...]:
    """The source with each of `differences` alone, in their order.

    ("a sad man and a red car", "a happy man and a blue car")
    # "a happy man and a red car", "a sad man and a blue car"
    """
    ours, theirs = _small_words(source, names), _small_words(target, names)
    pairs = aligned([folded(word.text) for word in ours], [folded(word.text) for word in theirs])
    found: list[str] = []
    before = after = (0, 0)  # characters: the ends of the last two words that match, and of what follows them
    differs = False
    for pair in (*pairs, None):
        if pair is None or (pair.source is not None and pair.target is not None):
            ends = (len(source), len(target))
            if pair is not None and pair.source is not None and pair.target is not None:
                after = ours[pair.source].end, theirs[pair.target].end
                ends = ours[pair.source].start, theirs[pair.target].start
            if differs:
                found.append(source[: before[0]] + target[before[1] : ends[1]] + source[ends[0] :])
            before, differs = after, False
        else:
            differs = True
    return tuple(found)


def in_common(source: str, target: str) -> int:
    """How many words the two prompts share, in their order."""
    ours, theirs = _small_words(source, ()), _small_words(target, ())
    pairs = aligned([folded(word.text) for word in ours], [folded(word.text) for word in theirs])
    return sum(pair.source is not None and pair.target is not None for pair in pairs)


def _small_words(text: str, names: Sequence[str]) -> list[Word]:
    """The words of a text; each sign of a run without spaces is one of its own."""
    named = [Word(start, end, text[start:end]) for start, end, _ in find_names(text, names)]
    found = list(named)
    for word in words(text):
        if any(word.start < one.end and one.start < word.end for one in named):
            continue
        if is_unspaced(word.text[0]):
            found += [Word(word.start + i, word.start + i + 1, sign) for i, sign in enumerate(word.text)]
        else:
            found.append(word)
    return sorted(found)
