"""Named losses over the maps of one pass, for the subjects of one prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from inference.methods.gsn import losses
from inference.methods.gsn.maps import Span, TextMaps, smoothed
from inference.operations import RefineSubject
from inference.prompts.prompt import Prompt
from inference.prompts.words import words


@dataclass(frozen=True)
class Targets:
    """What of the prompt a loss is about.

    Args:
        subjects: each subject's characters, its modifiers included where they stand before it.
        groups: each subject's single words, modifiers first, the noun last.
        others: the words that belong to no subject.
    """

    subjects: tuple[Span, ...]
    groups: tuple[tuple[Span, ...], ...]
    others: tuple[Span, ...]


Objective = Callable[[TextMaps], Tensor]  # maps of N samples → [N]

NEGLECTED = 0.5  # InitNO minds no conflict while the neglect is above


def targets_of(prompt: Prompt, subjects: Sequence[RefineSubject]) -> Targets:
    """The targets that these subjects make; words of which an encoder sees nothing are left out.

    A subject of several words counts its last word as the noun and the others as its modifiers.
    """
    seen = [
        (word.start, word.end)
        for word in words(prompt.text)
        if any(a < word.end and word.start < b for offsets in prompt.offsets.values() for a, b in offsets)
    ]
    groups = tuple(_group(subject, seen) for subject in subjects)
    taken = [span for group in groups for span in group]
    others = tuple(word for word in seen if not any(_meet(word, span) for span in taken))
    return Targets(tuple((s.start, s.end) for s in subjects), groups, others)


def objective(loss: str, targets: Targets, *, averaged: bool = False) -> Objective:
    """The loss of that name (one of `procedures.LOSSES`): the sum of its terms, or their mean."""

    def value(maps: TextMaps) -> Tensor:
        terms = torch.stack(_LOSSES[loss](maps, targets))
        return terms.mean(0) if averaged else terms.sum(0)

    return value


def neglect_and_conflict(maps: TextMaps, targets: Targets) -> tuple[Tensor, Tensor]:
    """InitNO's two scores: [N] each. A single subject has no conflict."""
    excited = _excited(maps, targets)
    return losses.neglect(excited), _conflict(maps, excited)


def _conflict(maps: TextMaps, excited: Sequence[Tensor]) -> Tensor:
    """How much the places where the subjects are seen best look at the same of the image: [N]."""
    places = [seen.flatten(1).argmax(1) for seen in excited]
    return losses.overlap([smoothed(maps.focus_at(place)) for place in places])


_Terms: TypeAlias = tuple[Tensor, ...]  # [N] each


def _neglect_and_overlap(maps: TextMaps, targets: Targets) -> _Terms:
    excited = _excited(maps, targets)
    return losses.neglect(excited), losses.overlap(excited)


def _neglect(maps: TextMaps, targets: Targets) -> _Terms:
    return (losses.neglect(_excited(maps, targets)),)


def _divide_and_bind(maps: TextMaps, targets: Targets) -> _Terms:
    pairs = [
        (maps.probability(*group[-1]), maps.probability(*modifier))
        for group in targets.groups
        for modifier in group[:-1]
    ]
    attend = losses.variation(_excited(maps, targets))
    return (attend, losses.binding(pairs)) if pairs else (attend,)


def _syngen(maps: TextMaps, targets: Targets) -> _Terms:
    groups = [[maps.probability(*span) for span in group] for group in targets.groups]
    others = [maps.probability(*span) for span in targets.others]
    return losses.agreement(groups), losses.separation(groups, others)


def _initno(maps: TextMaps, targets: Targets) -> _Terms:
    """Neglect, conflict once every subject is seen somewhere, and what is seen apart from its region."""
    excited = _excited(maps, targets)
    neglect, conflict = losses.neglect(excited), _conflict(maps, excited)
    # before that, the places that would be told apart mean nothing
    conflict = torch.where(neglect > NEGLECTED, 0 * conflict, conflict)
    return neglect, conflict, losses.strays(excited)


def _excited(maps: TextMaps, targets: Targets) -> list[Tensor]:
    return [maps.excitation(*span) for span in targets.subjects]


def _group(subject: RefineSubject, seen: Sequence[Span]) -> tuple[Span, ...]:
    inside = [word for word in seen if _meet(word, (subject.start, subject.end))]
    modifiers = [span for span in subject.modifiers if not _meet(span, (subject.start, subject.end))]
    return (*modifiers, *(inside or [(subject.start, subject.end)]))


def _meet(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]


NEEDS_FOCUS = frozenset({"initno"})
_LOSSES: dict[str, Callable[[TextMaps, Targets], _Terms]] = {
    "neglect+overlap": _neglect_and_overlap,
    "neglect": _neglect,
    "divide-and-bind": _divide_and_bind,
    "syngen": _syngen,
    "initno": _initno,
}
