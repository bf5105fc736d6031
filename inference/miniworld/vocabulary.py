"""The words of the mini world, the tokenizers made of them, and the codes that the text encoders shall hold.

Every world word is one token; any other word falls to single characters, as in real byte-pair vocabularies.
"""

from __future__ import annotations

import itertools
from typing import Final

from inference.metrics.colours import COLOURS, HAIR_COLOURS

from .captions import NEUTRAL_WORDS, PHOTO_WORDS
from .scene import BACKGROUNDS, KINDS, STYLES

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH: Final = 77
WORD_END: Final = "</w>"

FUNCTION_WORDS: Final = ("a", "an", "the", "of", "and", "with", "in", "on", "at", "next", "to", ",", "-")
ADJECTIVES: Final = (
    "very",
    "slightly",
    "old",
    "young",
    "smiling",
    "happy",
    "sad",
    "small",
    "big",
    "clad",
    "haired",
    "hair",
    "shirt",
)
WORDS: Final = tuple(
    dict.fromkeys(
        (
            *FUNCTION_WORDS,
            *ADJECTIVES,
            *NEUTRAL_WORDS,
            *PHOTO_WORDS,
            *STYLES,
            *COLOURS,
            *HAIR_COLOURS,
            *KINDS,
            *(name for name in BACKGROUNDS if name != "plain"),
        )
    )
)

CODES: Final = (
    *(f"kind:{kind}" for kind in KINDS),
    *("age", "smile", "size"),
    *(f"hair:{name}" for name in HAIR_COLOURS),
    *(f"shirt:{name}" for name in COLOURS),
    *(f"colour:{name}" for name in COLOURS),
    *(f"background:{name}" for name in BACKGROUNDS if name != "plain"),
    *(f"style:{name}" for name in STYLES),
    *("start", "pad", "unknown"),
    *(f"word:{word}" for word in WORDS),
)


def byte_alphabet() -> list[str]:
    """The 256 printable stand-ins for bytes of byte-level vocabularies, in the usual order ("!" first)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


def byte_pair_vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """(token → id, merges in order) of the CLIP tokenizers."""
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        pieces = apply_merges(word, merges)
        while len(pieces) > 1:
            # Appended merges rank lowest, so words that are one token already stay so.
            merges.append((pieces[0], pieces[1]))
            pieces = apply_merges(word, merges)
    alphabet = byte_alphabet()
    tokens = [*alphabet, *(char + WORD_END for char in alphabet), *("".join(m) for m in merges)]
    ordered = dict.fromkeys((*tokens, START, END))
    return {token: i for i, token in enumerate(ordered)}, merges


def apply_merges(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """Byte-pair encoding of one ASCII word: always merge the pair of the lowest rank."""
    ranks = {pair: i for i, pair in enumerate(merges)}
    pieces = [*word[:-1], word[-1] + WORD_END]
    while len(pieces) > 1:
        pairs = list(itertools.pairwise(pieces))
        best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        i = pairs.index(best)
        pieces[i : i + 2] = ["".join(best)]
    return pieces


def unigram_vocabulary() -> list[tuple[str, float]]:
    """(piece, score) pairs of the T5 tokenizer; whole words score best, single characters always match."""
    pieces: list[tuple[str, float]] = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(f"▁{word}", -1.0) for word in WORDS]
    pieces += [(word, -1.5) for word in (",", "-", "clad", "haired")]
    singles = [chr(code) for code in range(33, 127) if chr(code) not in ",-"]
    pieces += [("▁", -8.0), *((char, -12.0) for char in singles)]
    known = {piece for piece, _ in pieces}
    pieces += [(f"▁{c}", -13.0) for c in "bcdefghijklmnopqrstuvwxyz" if f"▁{c}" not in known]
    return pieces
