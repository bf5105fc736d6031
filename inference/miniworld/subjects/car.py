"""The car, from the side."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb
from inference.miniworld.scene import Subject

from .pen import Pen

GLASS: Final[Rgb] = (195, 228, 250)
TYRE: Final[Rgb] = (40, 40, 42)
HUB: Final[Rgb] = (200, 200, 200)
LAMP: Final[Rgb] = (255, 240, 150)


def draw(pen: Pen, subject: Subject) -> None:
    x, base, s, colour = subject.x, subject.base, subject.scale, subject.colour_rgb
    cabin = [(-0.62, 0.55), (-0.40, 1.06), (0.38, 1.06), (0.66, 0.55)]
    pen.polygon([(x + dx * s, base - dy * s) for dx, dy in cabin], colour)
    rear = [(-0.46, 0.58), (-0.30, 0.94), (-0.05, 0.94), (-0.05, 0.58)]
    pen.polygon([(x + dx * s, base - dy * s) for dx, dy in rear], GLASS)
    front = [(0.06, 0.58), (0.06, 0.94), (0.30, 0.94), (0.46, 0.58)]
    pen.polygon([(x + dx * s, base - dy * s) for dx, dy in front], GLASS)
    pen.rectangle(x - 0.98 * s, base - 0.60 * s, x + 0.98 * s, base - 0.17 * s, colour)
    for side in (-1, 1):
        pen.ellipse(x + side * 0.55 * s, base - 0.20 * s, 0.23 * s, 0.23 * s, TYRE)
        pen.dot(x + side * 0.55 * s, base - 0.20 * s, 0.10 * s, HUB)
    pen.ellipse(x + 0.90 * s, base - 0.45 * s, 0.08 * s, 0.08 * s, LAMP)
