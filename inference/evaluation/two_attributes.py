"""Two sliders at once: one attribute of one person, another one of the other person. The suite "two".

On pictures that the model draws (the pairs of the suite "attribute") and on renders that it has not drawn
(the cases of the suite "picture"). Each of the two sliders is moved through its range while the other one
stands at `FIXED`, so that both are measured in the same pictures:

    cross-talk of A = Σ |B's change while A moves| / Σ |B's change while B moves|

A model that hardly knows B makes that a large share of nothing: `other_change` is the upper sum's mean, in
the attribute's own units.

Beside them stands what the judge makes of sliders that cannot be better: the same scenes, drawn by the world
itself with every attribute as far towards its end as the slider says. Somebody who is blond gets no blonder,
and the hair of old people is gray whatever its colour was, so a rank correlation ends below 1 there as well.

What has been measured is kept; running again goes on from there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from inference.content import Picture, content_hash
from inference.errors import EditorError
from inference.evaluation.attribute import DELAY, reading, slider_pairs
from inference.evaluation.judging import Asking, Detect, Report, Runs, refuse_none, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.picture import cases
from inference.evaluation.record import Record
from inference.messages import listed
from inference.operations import AttributeSweep, EditSweep, SubjectEdit
from inference.progress import Progress
from inference.prompts.words import find_subject
from inference.request import Pixels, Result

if TYPE_CHECKING:
    from inference.miniworld.scene import Scene, Subject

DEFAULT_PAIRS = 24
POSITIONS = (-2.0, -1.0, 0.0, 1.0, 2.0)
FIXED = 1.0
"""Where the slider stands that is not moved."""
COUPLES: Final = (("age", "hair-colour"), ("smile", "age"), ("hair-colour", "smile"))
"""Attributes of the one and of the other person, taking turns."""
DRAWN, RENDERED, TRUE = "generated", "real", "true"
GROUNDS: Final = (DRAWN, RENDERED, TRUE)
_ENDS: Final[Mapping[str, tuple[float, float]]] = {"age": (0.0, 1.0), "smile": (-1.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class Twice:
    """A picture of two people with a slider each: (kind, attribute) of both.

    Args:
        pixels: the render, or None for a picture that is drawn from prompt and seed.
        scene: what the world itself draws at each position, in place of a model.
    """

    prompt: str
    seed: int
    first: tuple[str, str]
    second: tuple[str, str]
    pixels: Pixels | None = None
    scene: Scene | None = None

    @property
    def key(self) -> str:
        return f"{self.seed}|{self.prompt}|{'/'.join(self.first)}|{'/'.join(self.second)}"


def wishes(ground: str, count: int) -> list[Twice]:
    """`count` held-out pictures; people and attributes take turns."""
    couples = [COUPLES[number % len(COUPLES)] for number in range(count)]
    if ground == DRAWN:
        return [
            Twice(prompt=pair.prompt, seed=pair.seed, first=(pair.edited, one), second=(pair.other, other))
            for pair, (one, other) in zip(slider_pairs("age", count), couples, strict=True)
        ]
    return [
        Twice(
            prompt=case.prompt,
            seed=case.number,
            first=(case.edited, one),
            second=(case.other, other),
            pixels=case.pixels,
            scene=case.scene if ground == TRUE else None,
        )
        for case, (one, other) in zip(cases(count), couples, strict=True)
    ]


def evaluate_two(
    *,
    runner: Runs,
    model: str,
    json_path: Path | None = None,
    pairs: int = DEFAULT_PAIRS,
    grounds: Sequence[str] = GROUNDS,
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure two sliders at once; return (and write) the figures.

    Args:
        pairs: pictures of each kind of `grounds`.
        part: what of them is measured here.
        report: told what is done after each measurement.
        detect: replaces the shipped detector.

    Raises:
        EditorError: an unknown kind of pictures, or too few of them.
    """
    unknown = [name for name in grounds if name not in GROUNDS]
    if unknown:
        raise EditorError(
            "“{name}” are no pictures that two sliders are measured on.",
            "There are: {known}.",
            name=unknown[0],
            known=listed(GROUNDS),
        )
    refuse_none(pairs)
    progress = progress or Progress()
    settings: dict[str, Any] = {
        "suite": "two",
        "model": model,
        "positions": list(POSITIONS),
        "fixed": FIXED,
        "model_hash": runner.model_hash(model, progress),
    }
    record = Record(json_path, settings, GROUNDS, summarise)
    work = _Work(runner=runner, model=model, detect=detect or shipped_detector(), progress=progress)
    done = itertools.count(1)
    for ground in grounds:
        mine = part.of(wishes(ground, pairs))
        for wish in mine:
            known = record.values[ground]
            if wish.key not in known:
                known[wish.key] = work.measured(wish)
                record.write()
            if report is not None:
                report(next(done), len(mine) * len(grounds), f"{ground}: {wish.key}")
    record.values["summary"] = summarise(record.values)
    record.write()
    return record.values


def summarise(values: Mapping[str, Any]) -> dict[str, Any]:
    """For each kind of pictures: rank correlations and cross-talk, of all sliders and of each attribute's."""
    tables: dict[str, Any] = {}
    for ground in GROUNDS:
        rows = [_Both.of(row) for row in values.get(ground, {}).values()]
        kept = [row for row in rows if row.is_there]
        if not rows:
            continue
        tables[ground] = {"pairs": len(rows), "missing_at_zero": len(rows) - len(kept), **_table(kept)}
        for attribute in sorted({name for row in kept for name in row.attributes}):
            tables[ground][attribute] = _table(kept, attribute)
    return tables


@dataclass(frozen=True, kw_only=True)
class _Both:
    """The two sliders of one picture: `edited` is the moved attribute, `other` the one that stands."""

    attributes: tuple[str, str]
    sliders: tuple[Any, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> _Both:
        from inference.metrics.attribute_control import Slider

        first, second = row["attributes"]
        one, other = (Slider.from_json(values) for values in row["sliders"])
        return cls(attributes=(first, second), sliders=(one, other))

    @property
    def is_there(self) -> bool:
        return all(slider.present_at_zero for slider in self.sliders)


def _table(rows: Sequence[_Both], attribute: str | None = None) -> dict[str, Any]:
    """Of all sliders, or of those that move one attribute."""
    from inference.metrics.attribute_control import spread

    moved = [
        (row.sliders[place], row.sliders[1 - place])
        for row in rows
        for place in (0, 1)
        if attribute in (None, row.attributes[place])
    ]
    # the attribute that stands, measured by its own slider's change
    leaked = sum(slider.other_change for slider, _ in moved)
    wanted = sum(beside.edited_change for _, beside in moved)
    shares = [one.other_change / two.edited_change for one, two in moved if two.edited_change > 0]
    return {
        "sliders": len(moved),
        "spearman": spread([slider.spearman for slider, _ in moved]),
        "edited_change": spread([slider.edited_change for slider, _ in moved]),
        "other_change": spread([slider.other_change for slider, _ in moved]),
        "cross_talk": leaked / wanted if wanted else None,
        "cross_talk_per_slider": spread(shares),
        "pictures_with_a_lost_subject": sum(slider.lost for slider, _ in moved),
    }


@dataclass(frozen=True, kw_only=True)
class _Work(Asking):
    detect: Detect

    def measured(self, wish: Twice) -> dict[str, Any]:
        return {
            "attributes": [wish.first[1], wish.second[1]],
            "sliders": [self._slider(wish, 0), self._slider(wish, 1)],
        }

    def _slider(self, wish: Twice, moved: int) -> dict[str, Any]:
        from inference.metrics.attribute_control import measure

        places = (wish.first, wish.second)
        (kind, attribute), (other, standing) = places[moved], places[1 - moved]
        images = self._sweep(wish, moved).images if wish.scene is None else _drawn(wish, wish.scene, moved)
        found = self.detect(images)
        own, beside = (
            measure(images, found, POSITIONS, edited=kind, other=other, value=reading(name))
            for name in (attribute, standing)
        )
        return replace(own, other=beside.other).to_json()

    def _sweep(self, wish: Twice, moved: int) -> Result:
        edits: list[SubjectEdit] = []
        for place, (kind, attribute) in enumerate((wish.first, wish.second)):
            start, end = find_subject(wish.prompt, kind)
            value = 0.0 if place == moved else FIXED
            edits.append(SubjectEdit(start=start, end=end, attribute=attribute, value=value))
        shared: dict[str, Any] = {"prompt": wish.prompt, "edits": tuple(edits), "positions": POSITIONS}
        shared["index"] = moved
        if wish.pixels is None:
            return self.ask("attribute-sweep", AttributeSweep(seed=wish.seed, delay=DELAY, **shared))
        name = content_hash(wish.pixels)
        return self.ask("edit-sweep", EditSweep(image=Picture(name), **shared), {name: wish.pixels})


def _drawn(wish: Twice, scene: Scene, moved: int) -> list[Pixels]:
    """The world's own pictures of one slider's positions, while the other one stands."""
    from inference.miniworld.render import draw_pixels

    places = (wish.first, wish.second)

    def at(value: float) -> Scene:
        values = {kind: (name, FIXED) for kind, name in places}
        values[places[moved][0]] = (places[moved][1], value)
        subjects = tuple(_turned(one, *values[one.kind]) for one in scene.subjects)
        return replace(scene, subjects=subjects)

    return [draw_pixels(at(value)) for value in POSITIONS]


def _turned(person: Subject, attribute: str, value: float) -> Subject:
    """A person whose attribute is as far from its own value towards its end as `value` is to the slider's."""
    from inference.metrics.colours import HAIR_COLOURS
    from inference.miniworld.palette import mix

    share = abs(value) / max(POSITIONS)
    if attribute == "hair-colour":
        end = HAIR_COLOURS["blond" if value > 0 else "black"]
        return replace(person, hair_rgb=mix(person.hair_rgb, end, share))
    low, high = _ENDS[attribute]
    own = float(getattr(person, attribute))
    return replace(person, **{attribute: own + share * ((high if value > 0 else low) - own)})
