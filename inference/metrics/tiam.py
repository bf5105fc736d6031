"""TIAM (Grimal et al. 2024, arXiv:2307.05134): the share of pictures in which every subject is right.

Generic over the detector: anything that gives, for a list of pictures, a list of detections each.

Counted as its authors do: a subject is right when there is a detection of its kind with its colours, so that
one cat is enough for "a cat and a cat"; detections of different kinds in the same box (a mixture of two
subjects) count for none of them. With `one_each`, our stricter and kinder way, each subject needs a detection
of its own, and a box may hold several kinds.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias


class Detection(Protocol):
    """One found subject. `box`: (x0, y0, x1, y1) as shares of the picture; `colours`: of its parts."""

    @property
    def kind(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def box(self) -> tuple[float, float, float, float]: ...
    @property
    def attributes(self) -> Mapping[str, float]: ...
    @property
    def colours(self) -> Mapping[str, Any]: ...


IsColour: TypeAlias = Callable[[Any, str], bool]

SAME_BOX = 0.95  # boxes of different kinds that overlap so much (intersection over union) are one place


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A subject that a prompt asks for, with the colours of its parts if the prompt names them."""

    kind: str
    colours: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Share:
    """`hits` of `total`, with the 95 % Wilson interval."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.hits, self.total)

    def to_json(self) -> dict[str, float | int | list[float]]:
        return {
            "value": self.value,
            "interval_95": list(self.interval),
            "hits": self.hits,
            "total": self.total,
        }


def wilson_interval(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The score interval of a share; (0, 1) if nothing was counted."""
    if total == 0:
        return (0.0, 1.0)
    share = hits / total
    scale = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (max(0.0, centre - half), min(1.0, centre + half))


def all_right(
    detections: Iterable[Detection],
    wanted: Sequence[Wanted],
    is_colour: IsColour = operator.eq,
    *,
    one_each: bool = False,
) -> bool:
    """Whether each wanted subject is detected, with the wanted colours; see the module's text.

    Args:
        is_colour: tells whether a detected colour goes by a wanted name.
        one_each: subjects need detections of their own. Those of one kind are matched greedily, those with
            most conditions first.
    """
    return all(matched(detections, wanted, is_colour, one_each=one_each))


def matched(
    detections: Iterable[Detection],
    wanted: Sequence[Wanted],
    is_colour: IsColour = operator.eq,
    *,
    one_each: bool = False,
) -> tuple[bool, ...]:
    """For each wanted subject, in their order, whether it is detected; see `all_right`."""
    if one_each:
        return _matched_apart(detections, wanted, is_colour)
    clear = without_mixtures(detections)
    return tuple(any(_is(found, wish, is_colour) for found in clear) for wish in wanted)


def without_mixtures(detections: Iterable[Detection]) -> list[Detection]:
    """The detections whose box is not that of a detection of another kind."""
    every = list(detections)
    return [
        one
        for one in every
        if not any(other.kind != one.kind and overlap(one.box, other.box) >= SAME_BOX for other in every)
    ]


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1), 0..1; 0 for boxes without area."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def _matched_apart(
    detections: Iterable[Detection], wanted: Sequence[Wanted], is_colour: IsColour
) -> tuple[bool, ...]:
    left = list(detections)
    right = [False] * len(wanted)
    for index in sorted(range(len(wanted)), key=lambda index: -len(wanted[index].colours)):
        match = next((found for found in left if _is(found, wanted[index], is_colour)), None)
        if match is not None:
            left.remove(match)
            right[index] = True
    return tuple(right)


def tiam(
    found: Sequence[Sequence[Detection]],
    wanted: Sequence[Sequence[Wanted]],
    is_colour: IsColour = operator.eq,
    *,
    one_each: bool = False,
) -> Share:
    """The share of pictures whose every subject is right; one list of detections and wishes each."""
    right = [
        all_right(one, wishes, is_colour, one_each=one_each)
        for one, wishes in zip(found, wanted, strict=True)
    ]
    return Share(hits=sum(right), total=len(right))


def _is(found: Detection, wanted: Wanted, is_colour: IsColour) -> bool:
    return found.kind == wanted.kind and all(
        part in found.colours and is_colour(found.colours[part], colour)
        for part, colour in wanted.colours.items()
    )
