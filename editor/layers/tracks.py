"""The tracks of a layer's sliders, as they were measured on its pictures: they are kept with its recipe.

A track is measured in idle time from many pictures. A document that is opened again has it at once, with its
spacing and the marks where the picture breaks. A track holds for one picture alone (prompt, seed, what it was
made from): a recipe of another one does not take it over.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inference.errors import EditorError
from inference.messages import Message
from inference.operations import LEAST_CHANGE, LONGEST_PROMPT, MOST_CHANGE, MOST_EDITS
from inference.values import Bounds, bounded, items, typed

Key = tuple[int, int, str]
"""Characters [start, end) of the subject, and the attribute."""

_MOST_VALUES = 64
_LEAST_WAY = 1e-9  # between two places
_NAME = Message("A track of the recipe")


@dataclass(frozen=True)
class Track:
    """From values to places (0..1) along a track, and back.

    Args:
        values: rising slider values of which the places are known; between them it is linear.
        places: theirs, from 0 to 1.
        breaks: values in the middle of the steps in which the picture breaks.
    """

    values: tuple[float, ...]
    places: tuple[float, ...]
    breaks: tuple[float, ...] = ()

    @property
    def range(self) -> tuple[float, float]:
        """The usable values."""
        return self.values[0], self.values[-1]

    def place_of(self, value: float) -> float:
        return float(np.interp(value, self.values, self.places))

    def value_at(self, place: float) -> float:
        return float(np.interp(place, self.places, self.values))

    def positions(self, count: int) -> tuple[float, ...]:
        """`count` values at even places, kept to a hundredth; zero, if it is in the range, is one of them."""
        places = [index / (count - 1) for index in range(count)]
        found = [round(self.value_at(place), 2) + 0.0 for place in places]
        low, high = self.range
        if low <= 0 <= high:
            nearest = round(self.place_of(0.0) * (count - 1))
            found[nearest] = 0.0
        return tuple(sorted(set(found)))


class KeptTracks:
    """Tracks by slider, of one picture. May be added to while another thread writes a file.

    Args:
        origin: what picture they are of.
    """

    def __init__(self, origin: Hashable = None, tracks: Mapping[Key, Track] | None = None) -> None:
        self._kept: tuple[Hashable, Mapping[Key, Track]] = (origin, dict(tracks or {}))

    def of(self, origin: Hashable) -> Mapping[Key, Track]:
        """Those of that picture."""
        own, tracks = self._kept
        return tracks if own == origin else {}

    def keep(self, origin: Hashable, tracks: Mapping[Key, Track]) -> None:
        """These alone from now on."""
        self._kept = (origin, dict(tracks))


def to_json(tracks: Mapping[Key, Track]) -> list[dict[str, Any]]:
    return [
        {
            "start": key[0],
            "end": key[1],
            "attribute": key[2],
            "values": list(track.values),
            "places": list(track.places),
            "breaks": list(track.breaks),
        }
        for key, track in sorted(tracks.items())
    ]


def from_json(content: object) -> dict[Key, Track]:
    """Read `to_json`'s values.

    Raises:
        EditorError: something else, or values and places that do not rise together.
    """
    found: dict[Key, Track] = {}
    for value in items(content, "The recipe's tracks", MOST_EDITS):
        one = typed(_Written, value, _NAME)
        rise = _rise(one.values, LEAST_CHANGE / 2) and _rise(one.places, _LEAST_WAY)
        if not rise or not len(one.values) == len(one.places) > 1:
            raise EditorError("{name} does not rise from one end to the other.", name=_NAME)
        if (one.places[0], one.places[-1]) != (0.0, 1.0):
            raise EditorError("{name} does not rise from one end to the other.", name=_NAME)
        found[one.start, one.end, one.attribute] = Track(one.values, one.places, one.breaks)
    return found


@dataclass(frozen=True, kw_only=True)
class _Written:
    start: int = bounded(min=0, max=LONGEST_PROMPT)
    end: int = bounded(min=0, max=LONGEST_PROMPT)
    attribute: str = bounded(most=1000)
    values: tuple[float, ...] = bounded(min=-MOST_CHANGE, max=MOST_CHANGE, most=_MOST_VALUES)
    places: tuple[float, ...] = bounded(min=0, max=1, most=_MOST_VALUES)
    breaks: tuple[float, ...] = field(
        default=(), metadata={"bounds": Bounds(min=-MOST_CHANGE, max=MOST_CHANGE, most=_MOST_VALUES)}
    )


def _rise(values: tuple[float, ...], least: float) -> bool:
    """Whether each is above the one before, and by so much that the slope between them is a number."""
    return all(other - one >= least for one, other in itertools.pairwise(values))
