"""TIAM (Grimal et al. 2024, arXiv:2307.05134): the share of pictures in which every subject is right.

Generic over the detector: anything that gives, for a list of pictures, a list of detections each.
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
    detections: Iterable[Detection], wanted: Sequence[Wanted], is_colour: IsColour = operator.eq
) -> bool:
    """Whether each wanted subject has a detection of its own, with the wanted colours.

    `is_colour` tells whether a detected colour goes by a wanted name. Subjects of one kind are matched
    greedily, those with most conditions first.
    """
    return all(matched(detections, wanted, is_colour))


def matched(
    detections: Iterable[Detection], wanted: Sequence[Wanted], is_colour: IsColour = operator.eq
) -> tuple[bool, ...]:
    """For each wanted subject, in their order, whether it has a detection of its own; see `all_right`."""
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
) -> Share:
    """The share of pictures whose every subject is right; one list of detections and wishes each."""
    right = [all_right(one, wishes, is_colour) for one, wishes in zip(found, wanted, strict=True)]
    return Share(hits=sum(right), total=len(right))


def _is(found: Detection, wanted: Wanted, is_colour: IsColour) -> bool:
    return found.kind == wanted.kind and all(
        part in found.colours and is_colour(found.colours[part], colour)
        for part, colour in wanted.colours.items()
    )
