"""One file per subject; each has `draw(pen, subject)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from inference.miniworld.scene import Subject

from . import ball, car, cat, dog, house, man, tree, woman
from .pen import Pen

DRAW: Final[Mapping[str, Callable[[Pen, Subject], None]]] = {
    "man": man.draw,
    "woman": woman.draw,
    "cat": cat.draw,
    "dog": dog.draw,
    "house": house.draw,
    "car": car.draw,
    "tree": tree.draw,
    "ball": ball.draw,
}
