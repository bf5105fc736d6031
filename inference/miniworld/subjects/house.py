"""The house: coloured walls, a brown roof, a door, two windows."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb
from inference.miniworld.scene import Subject

from .pen import Pen

ROOF: Final[Rgb] = (120, 70, 55)
DOOR: Final[Rgb] = (95, 60, 40)
GLASS: Final[Rgb] = (190, 225, 250)


def draw(pen: Pen, subject: Subject) -> None:
    x, base, s = subject.x, subject.base, subject.scale
    pen.rectangle(x - 0.75 * s, base - 1.05 * s, x + 0.75 * s, base, subject.colour_rgb)
    roof = [(x - 0.98 * s, base - 1.0 * s), (x + 0.98 * s, base - 1.0 * s), (x, base - 1.85 * s)]
    pen.polygon(roof, ROOF)
    pen.rectangle(x - 0.17 * s, base - 0.62 * s, x + 0.20 * s, base, DOOR)
    for side in (-1, 1):
        middle = x + side * 0.48 * s
        top = base - 0.80 * s
        pen.rectangle(middle - 0.16 * s, top, middle + 0.16 * s, top + 0.35 * s, GLASS)
