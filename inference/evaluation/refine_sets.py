"""Prompts of the refinement suite: 2 and 3 subjects of the mini world, with and without colours.

Combinations of subjects are split once and for all: a quarter for choosing (steps, step sizes), the rest for
what is reported. Seeds of the two lie apart as well.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inference.errors import EditorError
from inference.messages import listed
from inference.operations import RefineSubject
from inference.prompts.subjects import subjects_of
from inference.prompts.words import find_subject

SETS = ("2", "3", "2-colours", "3-colours")
KINDS = ("man", "woman", "cat", "dog", "house", "car", "tree", "ball")
THINGS = ("house", "car", "ball", "cat", "dog", "tree")
# what detection models of photos know (COCO's names), for models that draw photos
PHOTO_KINDS = (
    *("cat", "dog", "bird", "horse", "bear", "cow", "sheep", "elephant", "zebra", "giraffe"),
    *("car", "bicycle", "boat", "bus", "chair", "bench"),
)
COLOURS = ("red", "yellow", "green", "blue", "purple", "orange")
PLACES = ("", " on grass", " on the beach", " in the snow")
FIRST_SEED = 700_000
FIRST_VALIDATION_SEED = 600_000
_VALIDATION_SHARE = 4
_SHUFFLE = 20
_FEWEST_KINDS = 4


@dataclass(frozen=True, kw_only=True)
class World:
    """What prompts are made of: kinds of subjects, and those that can have any colour."""

    kinds: tuple[str, ...]
    coloured: tuple[str, ...]


MINI_WORLD = World(kinds=KINDS, coloured=THINGS)


def photo_world(labels: Collection[str]) -> World:
    """The kinds that a detection model of photos knows.

    Raises:
        EditorError: they are too few for sets of three.
    """
    known = tuple(kind for kind in PHOTO_KINDS if kind in labels)
    if len(known) < _FEWEST_KINDS:
        raise EditorError(
            "The detection model knows {known} of the suite's subjects; {needed} are needed.",
            "Choose one that knows some of: {photo_kinds}.",
            known=len(known),
            needed=_FEWEST_KINDS,
            photo_kinds=listed(PHOTO_KINDS),
        )
    return World(kinds=known, coloured=known)


@dataclass(frozen=True, kw_only=True)
class RefinePrompt:
    """A prompt with the kind and, perhaps, the colour of each of its subjects."""

    text: str
    kinds: tuple[str, ...]
    colours: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[RefineSubject, ...]:
        """Where its subjects are; colours are their modifiers."""
        return subjects_of(self.text, [find_subject(self.text, kind) for kind in self.kinds])


def prompts(
    name: str, count: int, *, validation: bool = False, world: World = MINI_WORLD
) -> tuple[RefinePrompt, ...]:
    """The first `count` prompts of a set, or all: every combination, places and orders taking turns."""
    subjects = int(name[0])
    coloured = name.endswith("colours")
    kinds_of = world.coloured if coloured else world.kinds
    combinations = _combinations(kinds_of, subjects, validation=validation)
    made: list[RefinePrompt] = []
    for turn, (index, kinds) in itertools.product(range(2 * len(PLACES)), enumerate(combinations)):
        is_turned = (turn + turn // len(PLACES)) % 2 == 1
        turned = kinds[::-1] if is_turned else kinds
        colours = _colours(turned, turn) if coloured else ()
        made.append(_prompt(turned, colours, PLACES[(turn + index) % len(PLACES)]))
    return tuple(made[:count])


def seeds(index: int, count: int, *, validation: bool = False) -> tuple[int, ...]:
    """The seeds of prompt number `index`: ranges of their own for each prompt."""
    first = FIRST_VALIDATION_SEED if validation else FIRST_SEED
    return tuple(range(first + 100 * index, first + 100 * index + count))


def _combinations(kinds: Sequence[str], subjects: int, *, validation: bool) -> list[tuple[str, ...]]:
    everything = list(itertools.combinations(kinds, subjects))
    random.Random(_SHUFFLE).shuffle(everything)
    held_out = max(1, len(everything) // _VALIDATION_SHARE)
    return everything[:held_out] if validation else everything[held_out:]


def _colours(kinds: Sequence[str], turn: int) -> tuple[str, ...]:
    draw = random.Random(f"{turn} {' '.join(kinds)}")
    return tuple(draw.sample(COLOURS, len(kinds)))


def _prompt(kinds: tuple[str, ...], colours: tuple[str, ...], place: str) -> RefinePrompt:
    words = [" ".join(both) for both in zip(colours, kinds, strict=True)] if colours else list(kinds)
    phrases = [f"an {word}" if word[0] in "aeiou" else f"a {word}" for word in words]
    text = f"a photo of {' and '.join(phrases)}{place}"
    return RefinePrompt(text=text, kinds=kinds, colours=colours)
