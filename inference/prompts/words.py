"""Words of a prompt as people see them: clickable words, and a subject found by its name.

Free of torch: the window and the command line use it before anything is loaded.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from inference.errors import EditorError
from inference.messages import Message, listed

_JOINERS = frozenset("'’-")  # inside a word: "man's", "red-haired"
_IN_BRACKETS = re.compile(r"<[^<>\s]*[^\W_][^<>\s]*>")  # a learnt word, with a letter or digit in it
_PICTURE = (
    "[\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
    "[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
)
# Flags, keycaps, and pictures that joiners hold together, each with its skin tone and style (Unicode TR 51).
_EMOJI = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_PICTURE}(?:\u200d{_PICTURE})*")
# Scripts written without spaces between words; Korean has spaces and needs no rule of its own.
_UNSPACED = (
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # 々 〆 〇
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # CJK extension A
    (0x4E00, 0x9FFF),  # CJK
    (0xF900, 0xFAFF),  # CJK compatibility
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x20000, 0x3FFFF),  # CJK extensions B and later
)


class Word(NamedTuple):
    """Characters [start, end) of a prompt and what stands there."""

    start: int
    end: int
    text: str


def words(text: str) -> tuple[Word, ...]:
    """The words of `text`, without spaces and punctuation; a run of Chinese or Japanese is one word.

    An emoji, however many signs it has, is a word of its own. What stands in angle brackets without spaces
    ("<my-cat>", a learnt word) is one word with its brackets.
    """
    return tuple(Word(start, end, text[start:end]) for start, end in _spans(text))


def find_subject(text: str, phrase: str, occurrence: int = 0) -> tuple[int, int]:
    """Characters [start, end) of the `occurrence`-th place where `phrase` stands in `text`.

    Capitals do not matter, and whole words are found only ("man" is not in "woman"); part of a
    Chinese or Japanese run may be named.

    Raises:
        EditorError: `phrase` is not there, or not so often; the message names the words there are.
    """
    unspaced = _has_unspaced(phrase) and not is_learnt(phrase.strip())
    places = _unspaced_places(text, phrase) if unspaced else _word_places(text, phrase)
    if not places:
        present = listed(dict.fromkeys(word.text for word in words(text)))
        raise EditorError(
            "“{phrase}” is not in the prompt.",
            Message("The prompt's words are: {present}.", present=present)
            if present
            else Message("The prompt is empty."),
            phrase=phrase,
        )
    if not 0 <= occurrence < len(places):
        raise EditorError(
            "“{phrase}” number {number} is not in the prompt.",
            Message("It is there {times} times.", times=len(places))
            if len(places) > 1
            else Message("It is there once."),
            phrase=phrase,
            number=occurrence + 1,
        )
    return places[occurrence]


def find_numbered(text: str, phrase: str) -> tuple[int, int]:
    """Characters [start, end) of "man", or of the second one with "man#2".

    Raises:
        EditorError: as `find_subject`.
    """
    name, mark, occurrence = phrase.strip().rpartition("#")
    is_number = occurrence.isascii() and occurrence.isdigit() and len(occurrence) < 10
    if not mark or not is_number or int(occurrence) < 1:
        name, occurrence = phrase.strip(), "1"
    return find_subject(text, name, int(occurrence) - 1)


def find_names(text: str, names: Sequence[str]) -> tuple[tuple[int, int, int], ...]:
    """Where any of `names` stands in `text`: characters [start, end) and which name it is, in order.

    Names may have any signs ("<toy>"). Two that are `folded` alike are one, and none is found inside a longer
    word of letters ("toy" is not in "toys", but it is in "toy's"), unless the script has no spaces. Where
    several fit, the longest is found; none overlap.
    """
    if not names:
        return ()
    wanted = [folded(name) for name in names]
    longest_first = sorted(range(len(names)), key=lambda index: len(wanted[index]), reverse=True)
    pattern = re.compile("|".join(f"({re.escape(wanted[index])})" for index in longest_first))
    given, places = _folded(text)
    found: list[tuple[int, int, int]] = []
    start = 0
    while match := pattern.search(given, start):
        begin, end = places[match.start()], places[match.end()]
        is_whole = min(begin, end) >= 0 and not (_is_inside(text, begin) or _is_inside(text, end))
        if is_whole and match.lastindex is not None:
            found.append((begin, end, longest_first[match.lastindex - 1]))
        start = match.end() if is_whole else match.start() + 1
    return tuple(found)


def replaced(text: str, others: Mapping[str, str]) -> str:
    """`text` with another word in the place of each of these names, found as by `find_names`."""
    names = list(others)
    for start, end, index in reversed(find_names(text, names)):
        text = text[:start] + others[names[index]] + text[end:]
    return text


def folded(name: str) -> str:
    """What spellings of a name have in common: "<STRASSE>" is "<Straße>", and "é" is "e" with an accent."""
    return _folded(name)[0]


def _folded(text: str) -> tuple[str, list[int]]:
    """`folded`, and which character of `text` begins at each of its places and at its end; -1 inside of one.

    A letter and its accents are one.
    """
    if text.isascii():
        return text.lower(), list(range(len(text) + 1))
    starts = [index for index in range(len(text)) if index == 0 or not _continues(text[index])]
    found = ""
    places: list[int] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        piece = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text[start:end]).casefold())
        found += piece
        places += [start, *[-1] * (len(piece) - 1)]
    return found, [*places, len(text)]


def _continues(character: str) -> bool:
    """Whether a character belongs to the one before: an accent, or a later part of a Korean syllable."""
    return unicodedata.category(character)[0] == "M" or "\u1160" <= character <= "\u11ff"


def is_learnt(word: str) -> bool:
    """Whether a word is written as learnt ones are: "<my-cat>"."""
    return _IN_BRACKETS.fullmatch(word) is not None


def _is_inside(text: str, index: int) -> bool:
    """Whether `index` lies between two letters of one word."""
    if not 0 < index < len(text):
        return False
    return all(_is_letter(c) and not is_unspaced(c) for c in (text[index - 1], text[index]))


def _word_places(text: str, phrase: str) -> list[tuple[int, int]]:
    present = words(text)
    present_keys = [_key(word.text) for word in present]
    wanted = [_key(word.text) for word in words(phrase)]
    if not wanted:
        return []
    return [
        (present[first].start, present[first + len(wanted) - 1].end)
        for first in range(len(present) - len(wanted) + 1)
        if present_keys[first : first + len(wanted)] == wanted
    ]


def _unspaced_places(text: str, phrase: str) -> list[tuple[int, int]]:
    wanted = phrase.strip()
    places: list[tuple[int, int]] = []
    start = text.find(wanted)
    while start >= 0:
        places.append((start, start + len(wanted)))
        start = text.find(wanted, start + len(wanted))
    return places


def _key(text: str) -> str:
    """What two spellings of one word have in common: case and composed accents do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _spans(text: str) -> Iterator[tuple[int, int]]:
    kinds = [_kind(text, index) for index in range(len(text))]
    for number, match in enumerate(_IN_BRACKETS.finditer(text)):
        kinds[match.start() : match.end()] = [f"learnt {number}"] * (match.end() - match.start())
    for number, match in enumerate(_EMOJI.finditer(text)):
        if not any(kinds[index].startswith("learnt") for index in range(*match.span())):
            kinds[match.start() : match.end()] = [f"emoji {number}"] * (match.end() - match.start())
    for kind, run in groupby(range(len(text)), key=kinds.__getitem__):
        positions = list(run)
        if kind != "":
            yield positions[0], positions[-1] + 1


def _kind(text: str, index: int) -> str:
    character = text[index]
    if is_unspaced(character):
        return "unspaced"
    if _is_letter(character) or _joins(text, index):
        return "spaced"
    return ""


def _is_letter(character: str) -> bool:
    # marks (M) are the accents of decomposed letters and the vowel signs of Indic scripts
    return unicodedata.category(character)[0] in "LNM"


def _joins(text: str, index: int) -> bool:
    if text[index] not in _JOINERS or index == 0 or index == len(text) - 1:
        return False
    before, after = text[index - 1], text[index + 1]
    return all(_is_letter(c) and not is_unspaced(c) for c in (before, after))


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that is written without spaces."""
    code = ord(character)
    return any(first <= code <= last for first, last in _UNSPACED)


def _has_unspaced(text: str) -> bool:
    return any(is_unspaced(character) for character in text)
