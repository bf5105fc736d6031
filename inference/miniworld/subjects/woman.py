"""The woman: long hair, narrow shoulders, red lips."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb
from inference.miniworld.scene import Subject

from .pen import Pen
from .person import draw_face, draw_fringe, draw_head, draw_shoulders, hair_colour, head_centre

LIPS: Final[Rgb] = (190, 30, 50)
SHOULDERS: Final = 0.66
FRINGE_DEGREES: Final = (200.0, 340.0)
HAIR_HALF_WIDTH: Final = 0.64


def draw(pen: Pen, subject: Subject) -> None:
    _draw_long_hair(pen, subject)
    draw_shoulders(pen, subject, SHOULDERS)
    draw_head(pen, subject)
    draw_fringe(pen, subject, FRINGE_DEGREES)
    draw_face(pen, subject, LIPS)


def _draw_long_hair(pen: Pen, subject: Subject) -> None:
    s, (x, y) = subject.scale, head_centre(subject)
    half, colour = HAIR_HALF_WIDTH * s, hair_colour(subject)
    pen.ellipse(x, y - 0.02 * s, half, 0.66 * s, colour)
    pen.rectangle(x - half, y, x + half, y + 0.80 * s, colour)
