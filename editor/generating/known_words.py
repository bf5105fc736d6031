"""Which words of a prompt a model cannot draw, where that is known: the built-in ones know a small world."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Protocol

from inference.prompts.words import words

_LEARNT = re.compile(r"<[^<>\s]+>")  # what a user taught a model


class Entry(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def sandbox(self) -> bool: ...


def unknown_words(prompt: str, model: str, entries: Iterable[Entry]) -> tuple[str, ...]:
    """The words, each once and as they are written; none for models whose words are not known."""
    entry = next((one for one in entries if one.name == model), None)
    if entry is None or not entry.sandbox:
        return ()
    # a word that was learnt becomes a space, so that nothing grows together
    given = (word.text for word in words(_LEARNT.sub(" ", prompt)))
    return tuple(dict.fromkeys(word for word in given if not _is_known(word)))


def _is_known(word: str) -> bool:
    return all(part in _vocabulary() for part in re.split(r"[-'’]", word.lower()) if part not in ("", "s"))


@cache
def _vocabulary() -> frozenset[str]:
    from inference.miniworld.vocabulary import WORDS  # with its first use, not with the window

    return frozenset(WORDS)
