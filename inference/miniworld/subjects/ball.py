"""The ball: one colour, a light band, a highlight."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb, mix
from inference.miniworld.scene import Subject

from .pen import Pen

WHITE: Final[Rgb] = (255, 255, 255)
RADIUS: Final = 0.74


def draw(pen: Pen, subject: Subject) -> None:
    x, colour = subject.x, subject.colour_rgb
    radius = RADIUS * subject.scale
    y = subject.base - radius
    pen.ellipse(x, y, radius, radius, colour)
    pen.ellipse(x, y, radius * 0.98, radius * 0.30, mix(colour, WHITE, 0.75))
    pen.dot(x - 0.32 * radius, y - 0.52 * radius, 0.14 * radius, WHITE)
