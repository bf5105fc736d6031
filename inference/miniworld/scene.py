"""Scenes of the mini world: what is where, with every continuous value. Deterministic from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from inference.metrics.colours import HAIR_COLOURS

from .palette import (
    ANIMAL_NAMES,
    COLOURS,
    DARK_SKIN,
    LIGHT_SKIN,
    SHIRT_NAMES,
    THING_NAMES,
    TREE_NAMES,
    Rgb,
    jitter,
    mix,
)

UNITS: Final = 64.0  # a picture is this many world units wide and high

PEOPLE: Final = ("man", "woman")
ANIMALS: Final = ("cat", "dog")
KINDS: Final = ("man", "woman", "cat", "dog", "house", "car", "tree", "ball")
BACKGROUNDS: Final = ("plain", "grass", "night", "snow", "beach")
STYLES: Final = ("photo", "sketch", "painting")

STYLE_WEIGHTS: Final = (0.88, 0.06, 0.06)
COUNT_WEIGHTS: Final = (0.36, 0.58, 0.06)
PEOPLE_PAIR_SHARE: Final = 0.42
PERSON_SHARE: Final = 0.45
OPPOSITE_AGES_SHARE: Final = 0.45
# Without a usual order the denoiser has to break a perfect symmetry from noise alone.
USUAL_ORDER_SHARE: Final = 0.8

SMALLEST, BIGGEST = 0.60, 1.16
CENTRES: Final = {1: (32.0,), 2: (16.5, 47.5), 3: (11.0, 32.0, 53.0)}
CENTRE_JITTER: Final = {1: 4.0, 2: 1.0, 3: 0.6}
HALF_HEIGHTS: Final = {1: 25.0, 2: 19.0, 3: 12.8}
NEUTRAL: Final[Rgb] = (128, 128, 128)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One thing in a scene; lengths in world units, colours RGB 0..255.

    `age` 0..1 and `smile` -1..1 belong to people, `colour_*` to all others, `size` (0.60..1.16, 1 for
    people) to things. `slot` counts from the left.
    """

    kind: str
    slot: int
    x: float
    base: float
    scale: float
    size: float = 1.0
    age: float = 0.5
    smile: float = 0.0
    hair_name: str = ""
    hair_rgb: Rgb = NEUTRAL
    skin_rgb: Rgb = NEUTRAL
    shirt_name: str = ""
    shirt_rgb: Rgb = NEUTRAL
    colour_name: str = ""
    colour_rgb: Rgb = NEUTRAL

    @property
    def is_person(self) -> bool:
        return self.kind in PEOPLE


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Subjects from left to right before a background, in a style; `seed` fixes the details."""

    seed: int
    style: str
    background: str
    subjects: tuple[Subject, ...]


def sample_scene(
    seed: int,
    *,
    kinds: tuple[str, ...] | None = None,
    style: str | None = None,
    background: str | None = None,
) -> Scene:
    """The scene that belongs to `seed`; arguments fix parts of it, the rest stays drawn from the seed.

    `kinds` are placed from left to right. Raises ValueError for more than three.
    """
    rng = random.Random(seed)
    drawn_style = rng.choices(STYLES, STYLE_WEIGHTS)[0]
    drawn_background = rng.choice(BACKGROUNDS)
    drawn_kinds = _sample_kinds(rng)
    chosen = drawn_kinds if kinds is None else kinds
    if not 1 <= len(chosen) <= len(CENTRES):
        raise ValueError(f"a scene has 1 to {len(CENTRES)} subjects, not {len(chosen)}")
    subjects = tuple(_sample_subject(rng, kind, i, len(chosen)) for i, kind in enumerate(chosen))
    return Scene(
        seed=seed,
        style=style or drawn_style,
        background=background or drawn_background,
        subjects=_contrast_ages(rng, subjects),
    )


def with_unseen(scene: Scene, rng: random.Random) -> Scene:
    """The scene as somebody tells it who names one thing more than the picture shows.

    The picture's own subjects keep their places in the list, the unseen one comes last.
    """
    present = {subject.kind for subject in scene.subjects}
    kind = rng.choice([kind for kind in KINDS if kind not in present])
    unseen = _sample_subject(rng, kind, len(present), len(present) + 1)
    return replace(scene, subjects=(*scene.subjects, unseen))


def _sample_kinds(rng: random.Random) -> tuple[str, ...]:
    """Distinct kinds, in their usual order (that of KINDS) most of the time."""
    count = rng.choices((1, 2, 3), COUNT_WEIGHTS)[0]
    if count == 2 and rng.random() < PEOPLE_PAIR_SHARE:
        kinds = list(PEOPLE)
    else:
        kinds = []
        while len(kinds) < count:
            kind = rng.choice(PEOPLE if rng.random() < PERSON_SHARE else KINDS[2:])
            if kind not in kinds:
                kinds.append(kind)
    kinds.sort(key=KINDS.index)
    if rng.random() >= USUAL_ORDER_SHARE:
        kinds.reverse()
    return tuple(kinds)


def _sample_subject(rng: random.Random, kind: str, slot: int, count: int) -> Subject:
    x = CENTRES[count][slot] + rng.uniform(-1, 1) * CENTRE_JITTER[count]
    scale = HALF_HEIGHTS[count] * rng.uniform(0.95, 1.04)
    if kind in PEOPLE:
        return _sample_person(rng, kind, slot, x, scale)
    size = rng.uniform(SMALLEST, BIGGEST)
    names = ANIMAL_NAMES if kind in ANIMALS else TREE_NAMES if kind == "tree" else THING_NAMES
    name = rng.choice(names)
    return Subject(
        kind=kind,
        slot=slot,
        x=x,
        base=rng.uniform(57.0, 60.0),
        scale=scale * size * 0.92,
        size=size,
        colour_name=name,
        colour_rgb=jitter(rng, COLOURS[name], 12),
    )


def _sample_person(rng: random.Random, kind: str, slot: int, x: float, scale: float) -> Subject:
    hair, shirt = rng.choice(tuple(HAIR_COLOURS)), rng.choice(SHIRT_NAMES)
    return Subject(
        kind=kind,
        slot=slot,
        x=x,
        base=UNITS,
        scale=scale,
        age=rng.random(),
        smile=rng.uniform(-1, 1),
        hair_name=hair,
        hair_rgb=jitter(rng, HAIR_COLOURS[hair], 9),
        skin_rgb=mix(LIGHT_SKIN, DARK_SKIN, rng.random() ** 1.5),
        shirt_name=shirt,
        shirt_rgb=jitter(rng, COLOURS[shirt], 10),
    )


def _contrast_ages(rng: random.Random, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """Often makes two people's ages opposite, so that captions contrast them."""
    people = [i for i, subject in enumerate(subjects) if subject.is_person]
    if len(people) != 2 or rng.random() >= OPPOSITE_AGES_SHARE:
        return subjects
    low = rng.uniform(0.0, 0.35)
    ages = [low, rng.uniform(0.65, 1.0)]
    rng.shuffle(ages)
    changed = list(subjects)
    for index, age in zip(people, ages, strict=True):
        changed[index] = replace(changed[index], age=age)
    return tuple(changed)
