"""Subjects with a look of their own, each in several pictures: what a concept is learnt from and judged by.

Every one has a colour halfway between two of the world's named colours. Scenes that denoisers are trained
on have colours between named ones, too, but none that comes near to it on the same kind with the same hair:
their combinations of attributes were never used in training.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.metrics.colours import COLOURS, HAIR_COLOURS

from .palette import DARK_SKIN, LIGHT_SKIN, Rgb, mix
from .render import draw_pixels
from .scene import BACKGROUNDS, CENTRES, HALF_HEIGHTS, Scene, Subject

COUNT: Final = 30
POSES: Final = 4
LEARNT_BACKGROUNDS: Final = ("plain", "plain", "grass", "plain")
_FIRST_SEED: Final = 70_000_000  # of details; far from those of training scenes
_OFF = 30.0  # RGB distance from every named colour: training strays 10 to 12 in each channel
_BETWEEN: Final = (
    ("green", "blue"),
    ("red", "purple"),
    ("yellow", "white"),
    ("blue", "white"),
    ("orange", "brown"),
    ("purple", "black"),
    ("green", "white"),
    ("red", "black"),
    ("blue", "black"),
    ("green", "yellow"),
)
_THINGS: Final = ("cat", "dog", "house", "car", "ball")
_AGES: Final = (0.12, 0.5, 0.88)


@dataclass(frozen=True)
class Character:
    """One subject: `kind` is the noun that names it, `subject` holds its looks."""

    name: str
    kind: str
    subject: Subject

    def scene(self, number: int, background: str = "") -> Scene:
        """Its pose `number`: its own place, size and expression in a scene of its own; looks stay."""
        seed = _FIRST_SEED + 1000 * int(self.name.rpartition("-")[2]) + number
        rng = random.Random(seed)
        x = CENTRES[1][0] + rng.uniform(-5, 5)
        scale = self.subject.scale * rng.uniform(0.86, 1.0)
        posed = replace(self.subject, x=x, scale=scale)
        if self.subject.is_person:
            posed = replace(posed, smile=rng.uniform(-0.9, 0.9))
        return Scene(
            seed=seed,
            style="photo",
            background=background or LEARNT_BACKGROUNDS[number % len(LEARNT_BACKGROUNDS)],
            subjects=(posed,),
        )

    def photos(self, count: int = POSES, first: int = 0) -> list[NDArray[np.uint8]]:
        """Pictures [128, 128, 3] of its poses."""
        return [draw_pixels(self.scene(number)) for number in range(first, first + count)]


def held_out() -> tuple[Character, ...]:
    """The thirty that figures are reported on: twenty people, ten animals and things."""
    return _drawn(20_261_129, COUNT)


def for_tuning() -> tuple[Character, ...]:
    """Others, for choosing settings."""
    return _drawn(4711, COUNT)


def _drawn(seed: int, count: int) -> tuple[Character, ...]:
    """Different ones: no two people share kind, hair, and shirt; no two things kind and colour."""
    rng = random.Random(seed)
    hair = tuple(HAIR_COLOURS)
    people = [(kind, one, pair) for kind in ("man", "woman") for one in hair for pair in _BETWEEN]
    things = [(kind, pair) for kind in _THINGS for pair in _BETWEEN]
    rng.shuffle(people)
    rng.shuffle(things)
    found: list[Character] = []
    for number in range(count):
        if number < count * 2 // 3:
            kind, hair_name, pair = people[number]
            subject = _person(rng, kind, hair_name, pair)
        else:
            kind, pair = things[number]
            subject = _thing(rng, kind, pair)
        found.append(Character(f"{kind}-{seed % 1000 + number}", kind, subject))
    return tuple(found)


def _person(rng: random.Random, kind: str, hair: str, pair: tuple[str, str]) -> Subject:
    return Subject(
        kind=kind,
        slot=0,
        x=CENTRES[1][0],
        base=64.0,
        scale=HALF_HEIGHTS[1],
        age=rng.choice(_AGES),
        hair_name=hair,
        hair_rgb=HAIR_COLOURS[hair],
        skin_rgb=mix(LIGHT_SKIN, DARK_SKIN, rng.random()),
        shirt_rgb=between(pair),
    )


def _thing(rng: random.Random, kind: str, pair: tuple[str, str]) -> Subject:
    size = rng.choice((0.8, 1.1))
    return Subject(
        kind=kind,
        slot=0,
        x=CENTRES[1][0],
        base=59.0,
        scale=HALF_HEIGHTS[1] * size * 0.92,
        size=size,
        colour_rgb=between(pair),
    )


def between(pair: tuple[str, str]) -> Rgb:
    """The colour halfway between two named ones."""
    found = mix(COLOURS[pair[0]], COLOURS[pair[1]], 0.5)
    nearest = min(sum((a - b) ** 2 for a, b in zip(found, one, strict=True)) for one in COLOURS.values())
    assert nearest > _OFF**2, pair
    return found


NEW_BACKGROUNDS: Final = tuple(name for name in BACKGROUNDS if name not in LEARNT_BACKGROUNDS)
"""Where the learnt subjects never were: night, snow, beach."""
