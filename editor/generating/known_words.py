"""Which words of a prompt a model cannot draw, where that is known: the built-in ones know a small world."""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Protocol

from inference.prompts.words import words

_LEARNT = re.compile(r"<[^<>\s]+>")  # what a user taught a model


class Entry(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def sandbox(self) -> bool: ...


class Teaches(Protocol):
    """A LoRA: a model learns from it what its words mean."""

    @property
    def words(self) -> Sequence[str]: ...


def taught_by(loras: Iterable[Teaches]) -> frozenset[str]:
    """The words, casefolded, that a model with these LoRAs knows beside its own."""
    return frozenset(word.text.casefold() for one in loras for said in one.words for word in words(said))


def unknown_words(
    prompt: str, model: str, entries: Iterable[Entry], taught: Collection[str] = ()
) -> tuple[str, ...]:
    """The words, each once and as they are written; none for models whose words are not known.

    `taught` are casefolded ones that it knows beside its own.
    """
    entry = next((one for one in entries if one.name == model), None)
    if entry is None or not entry.sandbox:
        return ()
    # a word that was learnt becomes a space, so that nothing grows together
    given = (word.text for word in words(_LEARNT.sub(" ", prompt)))
    return tuple(dict.fromkeys(word for word in given if not (_is_known(word) or word.casefold() in taught)))


def _is_known(word: str) -> bool:
    return all(part in _vocabulary() for part in re.split(r"[-'’]", word.lower()) if part not in ("", "s"))


@cache
def _vocabulary() -> frozenset[str]:
    from inference.miniworld.vocabulary import WORDS  # with its first use, not with the window

    return frozenset(WORDS)
