"""What man and woman share: a bust whose face shows age and smile."""

from __future__ import annotations

from typing import Final

from inference.miniworld.palette import GRAY_HAIR, Rgb, mix, shade
from inference.miniworld.scene import Subject

from .pen import Pen

HEAD_RX: Final = 0.47
HEAD_RY: Final = 0.54
HEAD_DROP: Final = 0.04
EYE: Final[Rgb] = (30, 25, 30)
BLUSH: Final[Rgb] = (250, 120, 110)
MOUTH_POINTS: Final = 9

GRAY_FROM, GRAY_OVER = 0.35, 0.55
WRINKLES_FROM, WRINKLES_OVER = 0.45, 0.45
BLUSH_UNTIL: Final = 0.5


def head_centre(subject: Subject) -> tuple[float, float]:
    """The head's centre in world units."""
    return subject.x, subject.base - 1.28 * subject.scale


def hair_colour(subject: Subject) -> Rgb:
    """The hair's colour as drawn: it turns gray with age."""
    gray = _ramp(subject.age, GRAY_FROM, GRAY_OVER)
    return mix(subject.hair_rgb, GRAY_HAIR, gray)


def draw_shoulders(pen: Pen, subject: Subject, width: float) -> None:
    s, (x, y) = subject.scale, head_centre(subject)
    pen.chord((x, subject.base), (width * s, 0.72 * s), (180, 360), subject.shirt_rgb)
    pen.rectangle(x - 0.17 * s, y + 0.35 * s, x + 0.17 * s, y + 0.70 * s, subject.skin_rgb)


def draw_face(pen: Pen, subject: Subject, lips: Rgb) -> None:
    """Blush, wrinkles, eyes and mouth on an already drawn head."""
    _draw_blush(pen, subject)
    _draw_wrinkles(pen, subject)
    _draw_eyes(pen, subject)
    _draw_mouth(pen, subject, lips)


def draw_head(pen: Pen, subject: Subject) -> None:
    s, (x, y) = subject.scale, head_centre(subject)
    pen.ellipse(x, y + HEAD_DROP * s, HEAD_RX * s, HEAD_RY * s, subject.skin_rgb)


def draw_fringe(pen: Pen, subject: Subject, degrees: tuple[float, float]) -> None:
    s, (x, y) = subject.scale, head_centre(subject)
    radii = (HEAD_RX * 1.04 * s, HEAD_RY * 1.06 * s)
    pen.chord((x, y + HEAD_DROP * s), radii, degrees, hair_colour(subject))


def _ramp(value: float, start: float, over: float) -> float:
    return min(1.0, max(0.0, (value - start) / over))


def _draw_blush(pen: Pen, subject: Subject) -> None:
    strength = 0.55 * (1 - _ramp(subject.age, 0.0, BLUSH_UNTIL))
    if strength < 0.02 or pen.sketch:
        return
    s, (x, y) = subject.scale, head_centre(subject)
    colour = mix(subject.skin_rgb, BLUSH, strength)
    for side in (-1, 1):
        pen.patch(x + side * 0.29 * s, y + 0.20 * s, 0.10 * s, 0.075 * s, colour)


def _draw_wrinkles(pen: Pen, subject: Subject) -> None:
    depth = _ramp(subject.age, WRINKLES_FROM, WRINKLES_OVER)
    if depth < 0.02:
        return
    s, (x, y) = subject.scale, head_centre(subject)
    colour = mix(subject.skin_rgb, shade(subject.skin_rgb, 0.5), depth)
    width, soft = 0.055 * s, 0.6 * depth
    pen.line([(x - 0.22 * s, y - 0.14 * s), (x + 0.22 * s, y - 0.14 * s)], colour, width, soft)
    for side in (-1, 1):
        cheek = [(x + side * 0.24 * s, y + 0.15 * s), (x + side * 0.37 * s, y + 0.20 * s)]
        fold = [(x + side * 0.27 * s, y + 0.28 * s), (x + side * 0.31 * s, y + 0.40 * s)]
        pen.line(cheek, colour, width, soft)
        pen.line(fold, colour, width, soft)


def _draw_eyes(pen: Pen, subject: Subject) -> None:
    s, (x, y) = subject.scale, head_centre(subject)
    radius = (0.112 - 0.055 * subject.age) * s
    for side in (-1, 1):
        pen.dot(x + side * 0.19 * s, y + 0.03 * s, radius, EYE)


def _draw_mouth(pen: Pen, subject: Subject, lips: Rgb) -> None:
    s, (x, y) = subject.scale, head_centre(subject)
    points: list[tuple[float, float]] = []
    for i in range(MOUTH_POINTS):
        t = -1 + 2 * i / (MOUTH_POINTS - 1)
        points.append((x + t * 0.23 * s, y + 0.33 * s + subject.smile * 0.15 * s * (0.6 - t * t)))
    pen.line(points, lips, 0.09 * s)
