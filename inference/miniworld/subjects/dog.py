"""The dog: hanging ears, a light muzzle, the tongue out."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb, mix, shade
from inference.miniworld.scene import Subject

from .pen import Pen

CREAM: Final[Rgb] = (255, 240, 225)
NOSE: Final[Rgb] = (25, 20, 20)
TONGUE: Final[Rgb] = (235, 90, 110)
EYE_ON_LIGHT: Final[Rgb] = (20, 15, 15)
EYE_ON_DARK: Final[Rgb] = (240, 240, 240)
DARK_SUM: Final = 240


def draw(pen: Pen, subject: Subject) -> None:
    x, base, s, colour = subject.x, subject.base, subject.scale, subject.colour_rgb
    light = mix(colour, CREAM, 0.55)
    pen.ellipse(x, base - 0.5 * s, 0.58 * s, 0.52 * s, colour)
    _draw_head(pen, x, base - 1.22 * s, s, colour, light)
    for side in (-1, 1):
        pen.ellipse(x + side * 0.26 * s, base - 0.09 * s, 0.20 * s, 0.11 * s, light)


def _draw_head(pen: Pen, x: float, y: float, s: float, colour: Rgb, light: Rgb) -> None:
    pen.ellipse(x, y, 0.52 * s, 0.52 * s, colour)
    for side in (-1, 1):
        pen.ellipse(x + side * 0.56 * s, y + 0.08 * s, 0.19 * s, 0.48 * s, shade(colour, 0.65))
    pen.ellipse(x, y + 0.24 * s, 0.34 * s, 0.27 * s, light)
    eye = EYE_ON_LIGHT if sum(colour) > DARK_SUM else EYE_ON_DARK
    for side in (-1, 1):
        pen.dot(x + side * 0.20 * s, y - 0.13 * s, 0.09 * s, eye)
    pen.dot(x, y + 0.12 * s, 0.13 * s, NOSE)
    pen.ellipse(x, y + 0.41 * s, 0.11 * s, 0.14 * s, TONGUE)
