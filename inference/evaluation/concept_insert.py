"""Learnt subjects put into held-out renders: the second half of the suite "concept".

A scene of the mini world shows somebody of the subject's kind beside something else; the true edited picture
is the same scene with the subject's own looks. Every row of the suite "insert" edits with the same learnt
word. Counted are

* *recognised*: the edited picture's subject is told as the learnt one among the thirty (top 1);
* *background*: PSNR against the picture over the pixels that the true edit leaves alone;
* *truth*: PSNR against the true edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from inference.evaluation.insert_sets import PLACES, InsertCase

if TYPE_CHECKING:
    from inference.miniworld.characters import Character
    from inference.miniworld.scene import Scene, Subject

FIRST_SCENE: Final = 98_500_000  # of no training and of no other set
NAMES: Final = ("truth_db", "changed_db", "background_db", "pie_db", "evaluations", "seconds")
_BESIDE: Final = {"man": "tree", "woman": "ball", "cat": "ball", "dog": "tree"}
MOST_SCENES: Final = 100  # of one subject
_OTHER: Final = "tree"


def concept_cases(one: Character, word: str, count: int, index: int) -> list[InsertCase]:
    """`count` scenes with somebody of the subject's kind, to become the subject.

    Args:
        word: the learnt word.
        index: the subject's number, so that each has scenes of its own.
    """
    return [_case(one, word, index * MOST_SCENES + number) for number in range(count)]


def dressed(there: Subject, one: Character) -> Subject:
    """A subject of a scene with the looks of a learnt one; place, size and expression stay."""
    looks = one.subject
    if there.is_person:
        return replace(
            there,
            age=looks.age,
            hair_name=looks.hair_name,
            hair_rgb=looks.hair_rgb,
            skin_rgb=looks.skin_rgb,
            shirt_name=looks.shirt_name,
            shirt_rgb=looks.shirt_rgb,
        )
    return replace(there, colour_name=looks.colour_name, colour_rgb=looks.colour_rgb)


def summarise(rows: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """For each row the share that is recognised, and means with their 95 % intervals."""
    from inference.evaluation.insert import mean_with_interval
    from inference.metrics.tiam import Share

    tables: dict[str, Any] = {}
    for row, found in rows.items():
        measured = list(found.values())
        hits = sum(one["recognised"] for one in measured)
        tables[row] = {
            "recognised": Share(hits=hits, total=len(measured)).to_json(),
            **{name: mean_with_interval([one[name] for one in measured]) for name in NAMES},
        }
    return tables


def _case(one: Character, word: str, number: int) -> InsertCase:
    from inference.miniworld.render import draw_pixels
    from inference.miniworld.scene import sample_scene

    other = _BESIDE.get(one.kind, _OTHER)
    before: Scene = sample_scene(FIRST_SCENE + number, kinds=(one.kind, other), style="photo")
    after = replace(before, subjects=(dressed(before.subjects[0], one), before.subjects[1]))
    source, truth = draw_pixels(before), draw_pixels(after)
    for pixels in (source, truth):
        pixels.setflags(write=False)
    place = PLACES[before.background]
    return InsertCase(
        number=number,
        kind="learnt subject",
        operation_kind="replace",
        source=source,
        truth=truth,
        source_prompt=f"a photo of a {one.kind} and a {other}{place}",
        prompt=f"a photo of a {word} and a {other}{place}",
        there=(one.kind, other),
    )
