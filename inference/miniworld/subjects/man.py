"""The man: short hair, broad shoulders."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import Rgb
from inference.miniworld.scene import Subject

from .pen import Pen
from .person import (
    HEAD_RX,
    HEAD_RY,
    draw_face,
    draw_fringe,
    draw_head,
    draw_shoulders,
    hair_colour,
    head_centre,
)

LIPS: Final[Rgb] = (130, 40, 40)
SHOULDERS: Final = 0.86
FRINGE_DEGREES: Final = (205.0, 335.0)


def draw(pen: Pen, subject: Subject) -> None:
    s, (x, y) = subject.scale, head_centre(subject)
    draw_shoulders(pen, subject, SHOULDERS)
    pen.ellipse(x, y - 0.13 * s, HEAD_RX * 1.10 * s, HEAD_RY * 0.98 * s, hair_colour(subject))
    draw_head(pen, subject)
    draw_fringe(pen, subject, FRINGE_DEGREES)
    draw_face(pen, subject, LIPS)
