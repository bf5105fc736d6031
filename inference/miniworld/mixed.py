"""Scenes as denoisers are trained on them: sample scenes, many of whose colours lie between two named ones.
A few show their place alone.

Photographs have colours between the words for them, and a model of photographs can draw each. Where one is
between two words here, what the model reads is as far between what the text encoders say to both.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from inference.metrics.colours import COLOURS

from .characters import for_tuning, held_out
from .palette import Rgb, jitter, mix
from .scene import Scene, Subject, sample_scene

MIXED_SHARE: Final = 0.7  # of the scenes; their colours are told, so that untold cats are not green
JITTER: Final = 6.0
EMPTY_SHARE: Final = 0.05  # of the scenes have no subject: photographs of places alone are common, too
OFF: Final = 40.0  # RGB distance from the characters that concepts are learnt from


@dataclass(frozen=True, kw_only=True)
class Told:
    """A scene and how it is told: `share` (0..1) of the way from the words for `first` to those for `second`.

    These two differ from `scene` in the names of colours alone.
    """

    scene: Scene
    first: Scene
    second: Scene
    share: float = 0.0

    @property
    def is_mixed(self) -> bool:
        return self.first is not self.second


def training_scene(seed: int) -> Told:
    """The scene of `seed`; in some the subjects' colours lie a drawn share of the way between two named ones.

    None comes near to a character of `inference.miniworld.characters`: how they look is never trained on.
    """
    scene = sample_scene(seed)
    if random.Random(seed * 7_907 + 5).random() < EMPTY_SHARE:
        scene = replace(scene, subjects=())
        return Told(scene=scene, first=scene, second=scene)
    rng = random.Random(seed * 104_729 + 7)
    if rng.random() >= MIXED_SHARE:
        return Told(scene=scene, first=scene, second=scene)
    share = rng.random()
    mixed = [_mixed(rng, subject, share) for subject in scene.subjects]
    drawn, first, second = (replace(scene, subjects=tuple(part)) for part in zip(*mixed, strict=True))
    return Told(scene=drawn, first=first, second=second, share=share)


def _mixed(rng: random.Random, subject: Subject, share: float) -> tuple[Subject, Subject, Subject]:
    """The subject in a colour between two, and under the name of either."""
    first, second = rng.sample(tuple(COLOURS), 2)
    colour = jitter(rng, mix(COLOURS[first], COLOURS[second], share), JITTER)
    if _is_near_a_character(subject, colour):
        return subject, subject, subject
    if subject.is_person:
        drawn = replace(subject, shirt_rgb=colour)
        return drawn, replace(drawn, shirt_name=first), replace(drawn, shirt_name=second)
    drawn = replace(subject, colour_rgb=colour)
    return drawn, replace(drawn, colour_name=first), replace(drawn, colour_name=second)


def _is_near_a_character(subject: Subject, colour: Rgb) -> bool:
    taken = _characters().get((subject.kind, subject.hair_name), ())
    return any(sum((a - b) ** 2 for a, b in zip(colour, one, strict=True)) < OFF**2 for one in taken)


@cache
def _characters() -> dict[tuple[str, str], list[Rgb]]:
    """Their colours by kind and, of people, hair."""
    found: dict[tuple[str, str], list[Rgb]] = {}
    for one in (*held_out(), *for_tuning()):
        looks = one.subject
        colour = looks.shirt_rgb if looks.is_person else looks.colour_rgb
        found.setdefault((looks.kind, looks.hair_name), []).append(colour)
    return found
