"""Colours of the mini world: named values, RGB 0..255."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

Rgb = tuple[float, float, float]

COLOURS: Final[Mapping[str, Rgb]] = {
    "red": (215, 45, 45),
    "orange": (240, 140, 40),
    "yellow": (245, 220, 60),
    "green": (50, 160, 70),
    "blue": (50, 90, 215),
    "purple": (140, 60, 180),
    "pink": (245, 140, 185),
    "white": (245, 245, 245),
    "black": (35, 33, 38),
    "brown": (125, 78, 45),
    "gray": (140, 142, 148),
}
HAIR_COLOURS: Final[Mapping[str, Rgb]] = {
    "black": (38, 30, 30),
    "brown": (115, 68, 32),
    "blond": (238, 205, 90),
    "red": (200, 75, 30),
}
SHIRT_NAMES: Final = tuple(COLOURS)
ANIMAL_NAMES: Final = ("black", "white", "orange", "gray", "brown")
THING_NAMES: Final = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
TREE_NAMES: Final = ("green", "green", "green", "orange", "pink")

GRAY_HAIR: Final[Rgb] = (212, 212, 218)
LIGHT_SKIN: Final[Rgb] = (252, 218, 188)
DARK_SKIN: Final[Rgb] = (135, 90, 62)


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """The colour `share` (0..1) of the way from `first` to `second`."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def shade(colour: Rgb, factor: float) -> Rgb:
    """The colour made darker (`factor` below 1)."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def jitter(rng: random.Random, colour: Rgb, amount: float) -> Rgb:
    """The colour with each channel moved by at most `amount`, kept in 0..255."""
    moved = [min(255.0, max(0.0, value + rng.uniform(-amount, amount))) for value in colour]
    return (moved[0], moved[1], moved[2])


def nearest_name(colour: Rgb, names: Mapping[str, Rgb]) -> str:
    """The name in `names` whose colour is nearest to `colour` (RGB 0..255)."""
    return min(
        names,
        key=lambda name: sum((a - b) ** 2 for a, b in zip(colour, names[name], strict=True)),
    )
