"""Finding names by a few typed letters."""

from __future__ import annotations

from dataclasses import dataclass

_WORD_START = 8.0
_CONSECUTIVE = 5.0
_LETTER = 1.0
_SKIPPED = 0.08  # for each letter passed over
_WHOLE = 12.0  # the typed text stands in the name as it is


@dataclass(frozen=True)
class Match:
    """How well something fits, and the positions of the letters that were found."""

    score: float
    positions: tuple[int, ...]


def match(query: str, text: str) -> Match | None:
    """How `text` fits `query`, whose letters must come in it in their order; None if they do not.

    Words of the query may come in any order; each is looked for by itself. Case does not count.
    """
    words = _folded(query).split()
    folded = _folded(text)
    score, positions = 0.0, set[int]()
    for word in words:
        found = _match_word(word, folded)
        if found is None:
            return None
        score += found.score
        positions |= set(found.positions)
    return Match(score - 0.01 * len(text), tuple(sorted(positions)))


def _folded(text: str) -> str:
    """Lower case letter by letter, so that positions stay."""
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def _match_word(word: str, text: str) -> Match | None:
    whole = _whole(word, text)
    if whole is not None:
        return whole
    best: Match | None = None
    start = text.find(word[0])
    while start >= 0:
        found = _from(word, text, start)
        if found is not None and (best is None or found.score > best.score):
            best = found
        start = text.find(word[0], start + 1)
    return best


def _whole(word: str, text: str) -> Match | None:
    """The word as it is, preferably where a word of the text begins."""
    places = [at for at in range(len(text)) if text.startswith(word, at)]
    if not places:
        return None
    at = next((place for place in places if _begins_word(text, place)), places[0])
    bonus = _WHOLE + (_WORD_START if _begins_word(text, at) else 0.0)
    letters = len(word) * (_LETTER + _CONSECUTIVE)
    return Match(bonus + letters - _SKIPPED * at, tuple(range(at, at + len(word))))


def _from(word: str, text: str, start: int) -> Match | None:
    """Letters one after the other from `start`; beginnings of words are preferred to the next place."""
    positions: list[int] = []
    score, at = 0.0, start
    for letter in word:
        place = text.find(letter, at)
        if place < 0:
            return None
        if not positions or place != positions[-1] + 1:
            place = _next_word_start(letter, text, at, place)
        if positions and place == positions[-1] + 1:
            score += _CONSECUTIVE
        if _begins_word(text, place):
            score += _WORD_START
        score += _LETTER - _SKIPPED * (place - at)
        positions.append(place)
        at = place + 1
    return Match(score, tuple(positions))


def _next_word_start(letter: str, text: str, at: int, otherwise: int) -> int:
    places = (place for place in range(at, len(text)) if text[place] == letter)
    return next((place for place in places if _begins_word(text, place)), otherwise)


def _begins_word(text: str, place: int) -> bool:
    return place == 0 or not text[place - 1].isalnum()
