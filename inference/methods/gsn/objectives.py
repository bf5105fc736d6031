"""Named losses over the maps of one pass, for the subjects of one prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.methods.gsn import losses
from inference.methods.gsn.maps import Span, TextMaps
from inference.operations import RefineSubject
from inference.prompt import Prompt
from inference.words import words


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


def objective(loss: str, targets: Targets) -> Objective:
    """The loss of that name (one of `recipes.LOSSES`)."""
    return lambda maps: _LOSSES[loss](maps, targets)


def neglect_and_conflict(maps: TextMaps, targets: Targets) -> tuple[Tensor, Tensor]:
    """InitNO's two scores: [N] each. A single subject has no conflict."""
    excited = _excited(maps, targets)
    places = [seen.flatten(1).argmax(1) for seen in excited]
    focus = [maps.focus_at(place) for place in places]
    return losses.neglect(excited), losses.overlap(focus)


def _neglect_and_overlap(maps: TextMaps, targets: Targets) -> Tensor:
    excited = _excited(maps, targets)
    return losses.neglect(excited) + losses.overlap(excited)


def _neglect(maps: TextMaps, targets: Targets) -> Tensor:
    return losses.neglect(_excited(maps, targets))


def _divide_and_bind(maps: TextMaps, targets: Targets) -> Tensor:
    pairs = [
        (maps.probability(*group[-1]), maps.probability(*modifier))
        for group in targets.groups
        for modifier in group[:-1]
    ]
    attend = losses.variation(_excited(maps, targets))
    return attend + losses.binding(pairs) if pairs else attend


def _syngen(maps: TextMaps, targets: Targets) -> Tensor:
    groups = [[maps.probability(*span) for span in group] for group in targets.groups]
    others = [maps.probability(*span) for span in targets.others]
    return losses.agreement(groups) + losses.separation(groups, others)


def _initno(maps: TextMaps, targets: Targets) -> Tensor:
    return torch.stack(neglect_and_conflict(maps, targets)).sum(0)


def _excited(maps: TextMaps, targets: Targets) -> list[Tensor]:
    return [maps.excitation(*span) for span in targets.subjects]


def _group(subject: RefineSubject, seen: Sequence[Span]) -> tuple[Span, ...]:
    inside = [word for word in seen if _meet(word, (subject.start, subject.end))]
    modifiers = [span for span in subject.modifiers if not _meet(span, (subject.start, subject.end))]
    return (*modifiers, *(inside or [(subject.start, subject.end)]))


def _meet(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]


NEEDS_FOCUS = frozenset({"initno"})
_LOSSES: dict[str, Callable[[TextMaps, Targets], Tensor]] = {
    "neglect+overlap": _neglect_and_overlap,
    "neglect": _neglect,
    "divide-and-bind": _divide_and_bind,
    "syngen": _syngen,
    "initno": _initno,
}
