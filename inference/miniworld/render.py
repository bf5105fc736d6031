"""Draws a scene: pixels, exact masks and boxes. Deterministic: the same scene gives the same bytes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .palette import Rgb, jitter, shade
from .scene import UNITS, Scene
from .subjects import DRAW
from .subjects.pen import Pen

PICTURE_PX: Final = 128
SUPERSAMPLING: Final = 3

PLAIN_TINTS: Final[tuple[Rgb, ...]] = (
    (200, 220, 235),
    (235, 215, 200),
    (220, 205, 235),
    (205, 230, 210),
    (235, 230, 205),
    (190, 190, 195),
)
SKY: Final[Rgb] = (155, 208, 242)
GRASS: Final[Rgb] = (95, 180, 75)
NIGHT_SKY: Final[Rgb] = (22, 24, 68)
NIGHT_GROUND: Final[Rgb] = (36, 54, 56)
MOON: Final[Rgb] = (250, 245, 205)
SNOW_SKY: Final[Rgb] = (172, 190, 212)
SNOW: Final[Rgb] = (240, 244, 250)
SEA: Final[Rgb] = (40, 130, 190)
SAND: Final[Rgb] = (240, 215, 150)
SUN: Final[Rgb] = (255, 225, 70)
STARS: Final = ((8.0, 20.0), (24.0, 5.0), (40.0, 5.0), (56.0, 20.0), (5.0, 33.0), (59.0, 33.0))
FLAKES: Final = ((6.0, 14.0), (20.0, 4.0), (32.0, 9.0), (44.0, 4.0), (58.0, 14.0), (32.0, 24.0))
HORIZON: Final = 38.0
PAINTING_CONTRAST: Final = 1.35
PAINTING_LEVELS: Final = 51.0


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A drawn scene.

    pixels: uint8 [H, W, 3]; masks: bool [n, H, W], what of each subject is visible; boxes: (x0, y0, x1, y1)
    of each visible part, relative to the picture (0..1).
    """

    pixels: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    boxes: tuple[tuple[float, float, float, float], ...]


def render(scene: Scene, size_px: int = PICTURE_PX) -> Rendered:
    """Draws `scene` as a square picture `size_px` wide, with its masks."""
    masks = draw_masks(scene, size_px)
    return Rendered(
        pixels=draw_pixels(scene, size_px), masks=masks, boxes=tuple(_box(mask) for mask in masks)
    )


def draw_pixels(scene: Scene, size_px: int = PICTURE_PX) -> NDArray[np.uint8]:
    """The picture alone, uint8 [H, W, 3]."""
    side = size_px * SUPERSAMPLING
    canvas = Image.new("RGB", (side, side))
    pen = Pen(ImageDraw.Draw(canvas), side / UNITS, sketch=scene.style == "sketch")
    _draw_background(pen, scene)
    for subject in scene.subjects:
        DRAW[subject.kind](pen, subject)
    pixels = np.asarray(canvas.reduce(SUPERSAMPLING))
    if scene.style == "photo":
        return _light_from_above(pixels)
    if scene.style == "painting":
        return _posterise(pixels)
    return pixels.copy()


def draw_masks(scene: Scene, size_px: int = PICTURE_PX) -> NDArray[np.bool_]:
    """Visible pixels of every subject, bool [n, H, W]; the later subject hides the earlier."""
    canvas = Image.new("L", (size_px, size_px))
    draw = ImageDraw.Draw(canvas)
    for index, subject in enumerate(scene.subjects):
        DRAW[subject.kind](Pen(draw, size_px / UNITS, mark=index + 1), subject)
    marks = np.asarray(canvas)
    return marks == np.arange(1, len(scene.subjects) + 1)[:, None, None]


def _box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return (0.0, 0.0, 0.0, 0.0)
    height, width = mask.shape
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )


def _draw_background(pen: Pen, scene: Scene) -> None:
    # Its own generator: changing a subject leaves the background as it was.
    rng = random.Random(scene.seed * 2654435761 + 97)
    horizon = HORIZON + rng.uniform(-2, 2)
    side = rng.choice((8.5, 55.5))
    if scene.background == "plain":
        pen.fill(0, 0, UNITS, UNITS, jitter(rng, rng.choice(PLAIN_TINTS), 8))
    elif scene.background == "grass":
        pen.fill(0, 0, UNITS, horizon, jitter(rng, SKY, 8))
        pen.fill(0, horizon, UNITS, UNITS, jitter(rng, GRASS, 10))
    elif scene.background == "night":
        pen.fill(0, 0, UNITS, horizon, jitter(rng, NIGHT_SKY, 5))
        pen.fill(0, horizon, UNITS, UNITS, jitter(rng, NIGHT_GROUND, 5))
        for x, y in STARS:
            pen.dot(x, y, 0.8, MOON)
        pen.ellipse(side, 8.0, 4.5, 4.5, MOON)
    elif scene.background == "snow":
        pen.fill(0, 0, UNITS, horizon, jitter(rng, SNOW_SKY, 7))
        pen.fill(0, horizon, UNITS, UNITS, jitter(rng, SNOW, 4))
        for x, y in FLAKES:
            pen.patch(x, y, 1.3, 1.3, SNOW)
    else:
        pen.fill(0, 0, UNITS, horizon - 7, jitter(rng, SKY, 8))
        pen.fill(0, horizon - 7, UNITS, horizon + 3, jitter(rng, SEA, 8))
        pen.fill(0, horizon + 3, UNITS, UNITS, jitter(rng, SAND, 8))
        pen.ellipse(side, 8.0, 4.5, 4.5, shade(SUN, 0.99))


def _light_from_above(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    light = np.linspace(1.05, 0.95, len(pixels), dtype=np.float32)[:, None, None]
    return np.clip(pixels * light, 0, 255).astype(np.uint8)


def _posterise(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    values = pixels.astype(np.float32)
    gray = values.mean(-1, keepdims=True)
    strong = np.clip(gray + (values - gray) * PAINTING_CONTRAST, 0, 255)
    return (np.round(strong / PAINTING_LEVELS) * PAINTING_LEVELS).astype(np.uint8)
