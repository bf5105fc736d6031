"""Names of colours, and what a measured colour is called: of things and clothes, and of hair. RGB 0..255."""

from __future__ import annotations

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


def nearest_name(colour: Rgb, names: Mapping[str, Rgb]) -> str:
    """The name in `names` whose colour is nearest to `colour` (RGB 0..255)."""
    return min(
        names,
        key=lambda name: sum((a - b) ** 2 for a, b in zip(colour, names[name], strict=True)),
    )
