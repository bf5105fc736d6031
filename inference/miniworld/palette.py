"""Colours of the mini world: named values, RGB 0..255."""

from __future__ import annotations

import random
from typing import Final

from inference.metrics.colours import COLOURS, Rgb

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
