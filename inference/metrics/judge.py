"""Who tells what is in a picture: a detector that comes with the models, or a detection model of the user.

What comes with models is registered by whoever puts the program together: no score knows of their world.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from inference.errors import EditorError
from inference.metrics.tiam import Detection
from inference.request import Pixels

BUILT_IN: Final = "built-in"
"""The detector of the built-in models."""


@dataclass(frozen=True)
class Judge:
    """`detect` finds things of `kinds` in pictures (uint8 [H, W, 3 or 4], of any size).

    Args:
        people: those of the kinds whose colours are of their parts (hair, clothes), not of the whole.
    """

    detect: Callable[[Sequence[Pixels]], Sequence[Sequence[Detection]]]
    kinds: frozenset[str]
    people: frozenset[str] = frozenset()


_loaders: dict[str, Callable[[], Judge]] = {}


def register(name: str, load: Callable[[], Judge]) -> None:
    """Make a detector known; `load` is called when it is first asked for, and may raise `EditorError`."""
    _loaders[name] = lru_cache(maxsize=1)(load)


def built_in() -> Judge:
    """The detector of the built-in models, loaded once.

    Raises:
        EditorError: it is not installed.
    """
    if BUILT_IN not in _loaders:
        raise EditorError("There is no detector for the built-in models.", "Install Attune again.")
    return _loaders[BUILT_IN]()


@lru_cache(maxsize=1)
def for_photos(model: str) -> Judge:
    """A detection model of the user: a folder, or a name in the hub's cache; loaded once.

    Raises:
        EditorError: it is not there, or no detection model.
    """
    from inference.metrics.detection import PhotoDetector  # with torch

    detector = PhotoDetector.load(model)
    return Judge(detector, detector.labels)
