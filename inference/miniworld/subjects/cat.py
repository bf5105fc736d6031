"""The cat: pointed ears, green eyes, whiskers, a tail."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb
from inference.miniworld.scene import Subject

from .pen import Pen

EYE: Final[Rgb] = (90, 200, 90)
PUPIL: Final[Rgb] = (15, 15, 15)
NOSE: Final[Rgb] = (240, 130, 150)
WHISKER_ON_DARK: Final[Rgb] = (230, 230, 230)
WHISKER_ON_LIGHT: Final[Rgb] = (60, 60, 60)
DARK_SUM: Final = 240


def draw(pen: Pen, subject: Subject) -> None:
    x, base, s, colour = subject.x, subject.base, subject.scale, subject.colour_rgb
    tail = [
        (x + 0.45 * s, base - 0.10 * s),
        (x + 0.80 * s, base - 0.35 * s),
        (x + 0.76 * s, base - 0.85 * s),
    ]
    pen.line(tail, colour, 0.17 * s)
    pen.ellipse(x, base - 0.5 * s, 0.52 * s, 0.52 * s, colour)
    _draw_head(pen, x, base - 1.25 * s, s, colour)
    for side in (-1, 1):
        pen.ellipse(x + side * 0.24 * s, base - 0.08 * s, 0.18 * s, 0.10 * s, colour)


def _draw_head(pen: Pen, x: float, y: float, s: float, colour: Rgb) -> None:
    for side in (-1, 1):
        ear = [
            (x + side * 0.14 * s, y - 0.38 * s),
            (x + side * 0.52 * s, y - 0.10 * s),
            (x + side * 0.50 * s, y - 0.80 * s),
        ]
        pen.polygon(ear, colour)
    pen.ellipse(x, y, 0.54 * s, 0.46 * s, colour)
    for side in (-1, 1):
        pen.dot(x + side * 0.22 * s, y - 0.06 * s, 0.13 * s, EYE)
        pen.dot(x + side * 0.22 * s, y - 0.06 * s, 0.055 * s, PUPIL)
    nose = [(x - 0.08 * s, y + 0.11 * s), (x + 0.08 * s, y + 0.11 * s), (x, y + 0.22 * s)]
    pen.polygon(nose, NOSE)
    whisker = WHISKER_ON_DARK if sum(colour) < DARK_SUM else WHISKER_ON_LIGHT
    for side in (-1, 1):
        for drop in (0.10, 0.24):
            ends = [(x + side * 0.16 * s, y + 0.16 * s), (x + side * 0.60 * s, y + drop * s)]
            pen.line(ends, whisker, 0.035 * s, 0.6)
