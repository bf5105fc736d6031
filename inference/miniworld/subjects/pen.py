"""A pen that draws in world units on a supersampled picture, or marks a subject's mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PIL import ImageDraw

from inference.miniworld.palette import Rgb, shade

Point = tuple[float, float]
Ink = tuple[int, int, int] | int

OUTLINE_SHADE: Final = 0.72
SKETCH_OUTLINE: Final = (70, 70, 75)
SKETCH_DARK: Final = (60, 60, 65)
LUMA: Final = (0.30, 0.59, 0.11)


class Pen:
    """Draws filled, outlined shapes; coordinates are world units, the origin is top left.

    With `mark` set, every shape is filled with that number instead (the picture has mode "L"):
    the same drawing code then gives the exact mask.
    """

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        pixels_per_unit: float,
        *,
        sketch: bool = False,
        mark: int | None = None,
    ) -> None:
        self._draw = draw
        self._k = pixels_per_unit
        self._mark = mark
        self.sketch = sketch
        weight = 0.5 if sketch else 0.28
        self._outline_px = max(1, round(weight * pixels_per_unit))

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, colour: Rgb) -> None:
        self._draw.ellipse(self._box(cx - rx, cy - ry, cx + rx, cy + ry), **self._style(colour))

    def dot(self, cx: float, cy: float, radius: float, colour: Rgb) -> None:
        """A disc without outline."""
        fill = SKETCH_DARK if self.sketch and self._mark is None else self._ink(colour)
        box = self._box(cx - radius, cy - radius, cx + radius, cy + radius)
        self._draw.ellipse(box, fill=fill)

    def patch(self, cx: float, cy: float, rx: float, ry: float, colour: Rgb) -> None:
        """An ellipse without outline."""
        self._draw.ellipse(self._box(cx - rx, cy - ry, cx + rx, cy + ry), fill=self._ink(colour))

    def chord(self, centre: Point, radii: Point, degrees: tuple[float, float], colour: Rgb) -> None:
        (cx, cy), (rx, ry) = centre, radii
        box = self._box(cx - rx, cy - ry, cx + rx, cy + ry)
        self._draw.chord(box, degrees[0], degrees[1], **self._style(colour))

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        self._draw.rectangle(self._box(x0, y0, x1, y1), **self._style(colour))

    def fill(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        """A rectangle without outline."""
        self._draw.rectangle(self._box(x0, y0, x1, y1), fill=self._ink(colour))

    def polygon(self, points: Sequence[Point], colour: Rgb) -> None:
        corners = [(x * self._k, y * self._k) for x, y in points]
        self._draw.polygon(corners, fill=self._ink(colour))
        closed = [*corners, corners[0]]
        self._draw.line(closed, fill=self._outline(colour), width=self._outline_px)

    def line(self, points: Sequence[Point], colour: Rgb, width: float, depth: float = 1.0) -> None:
        """A line `width` units wide; `depth` (0..1) is how dark it is in a sketch."""
        ink = self._ink(colour)
        if self.sketch and self._mark is None:
            value = round(255 - 185 * depth)
            ink = (value, value, value)
        corners = [(x * self._k, y * self._k) for x, y in points]
        self._draw.line(corners, fill=ink, width=max(1, round(width * self._k)), joint="curve")

    def _box(self, x0: float, y0: float, x1: float, y1: float) -> list[float]:
        return [x0 * self._k, y0 * self._k, x1 * self._k, y1 * self._k]

    def _ink(self, colour: Rgb) -> Ink:
        if self._mark is not None:
            return self._mark
        if self.sketch:
            luma = sum(w * v for w, v in zip(LUMA, colour, strict=True)) / 255
            value = int(195 + 60 * luma)
            return (value, value, value)
        return (int(colour[0]), int(colour[1]), int(colour[2]))

    def _outline(self, colour: Rgb) -> Ink:
        if self._mark is not None:
            return self._mark
        if self.sketch:
            return SKETCH_OUTLINE
        dark = shade(colour, OUTLINE_SHADE)
        return (int(dark[0]), int(dark[1]), int(dark[2]))

    def _style(self, colour: Rgb) -> dict[str, Any]:
        return {
            "fill": self._ink(colour),
            "outline": self._outline(colour),
            "width": self._outline_px,
        }
