"""The tree: a trunk under three round clumps of leaves."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb, shade
from inference.miniworld.scene import Subject

from .pen import Pen

BARK: Final[Rgb] = (110, 72, 42)


def draw(pen: Pen, subject: Subject) -> None:
    x, base, s, colour = subject.x, subject.base, subject.scale, subject.colour_rgb
    pen.rectangle(x - 0.15 * s, base - 0.85 * s, x + 0.15 * s, base, BARK)
    for side in (-1, 1):
        pen.ellipse(x + side * 0.38 * s, base - 1.02 * s, 0.43 * s, 0.41 * s, shade(colour, 0.88))
    pen.ellipse(x, base - 1.42 * s, 0.54 * s, 0.51 * s, colour)
