"""Evaluation suites: `attune evaluate SUITE --model NAME --json OUT.json`.

    evaluate("attribute", runner=runner, model="mini-sdxl", json_path=Path("out.json"), pairs=200)

The suite "attribute" measures a built-in model with the mini world's own detector: how sliders move one
person and not the other, over held-out prompts and seeds, and how often one and two wanted subjects are
there at all. What has been measured is written after every pair; running again goes on from there.
Pictures in which a person is missing at α = 0 are counted and reported, not measured. The suite "refine" is
in `evaluate_refine`.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.errors import EditorError
from inference.evaluation.judging import Asking, Detect, Report, Runs, refuse_none, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.record import Record
from inference.messages import listed
from inference.operations import AttributeSweep, Generate, SubjectEdit
from inference.progress import Progress
from inference.prompts.words import find_subject

if TYPE_CHECKING:
    from inference.metrics.tiam import Detection


DEFAULT_PAIRS = 200
POSITIONS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
DELAY = 0.2
# no training picture comes from a noise seed, but a range of its own keeps figures comparable
FIRST_SEED = 900_000

PEOPLE = ("man", "woman")
TWO_PEOPLE = (
    "a photo of a man and a woman",
    "a photo of a woman and a man",
    "a photo of a man and a woman on the beach",
    "a photo of a woman and a man in the snow",
    "a picture of a man and a woman on grass",
    "a photo of a man next to a woman",
    "a photo of a woman with a man at night",
    "an image of a man and a woman on the grass",
)
KINDS = ("man", "woman", "cat", "dog", "house", "car", "tree", "ball")
BACKGROUNDS = ("", " on grass", " on the beach", " in the snow")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A prompt and a seed, with the slider of one of its two people."""

    prompt: str
    seed: int
    edited: str
    attribute: str

    @property
    def other(self) -> str:
        return PEOPLE[1 - PEOPLE.index(self.edited)]

    @property
    def key(self) -> str:
        return f"{self.attribute}|{self.edited}|{self.seed}|{self.prompt}"


def evaluate_attribute(
    *,
    runner: Runs,
    model: str,
    json_path: Path | None = None,
    pairs: int = DEFAULT_PAIRS,
    attributes: Sequence[str] = ("age",),
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure sliders of people and what is in the pictures; return (and write) the figures.

    Args:
        pairs: prompt × seed pairs for each attribute, and pictures for each TIAM figure.
        part: what of them is measured here.
        report: told what is done after each picture or slider.
        detect: replaces the shipped detector.
        progress: cancels it; each run's own measurements are not kept.

    Raises:
        EditorError: an unknown attribute, or a model or detector that is not there.
    """
    for attribute in attributes:
        reading(attribute)
    refuse_none(pairs)
    progress = progress or Progress()
    settings: dict[str, Any] = {
        "suite": "attribute",
        "model": model,
        "delay": DELAY,
        "positions": list(POSITIONS),
    }
    settings["model_hash"] = runner.model_hash(model, progress)
    record = Record(json_path, settings, ("sliders", "presence"))
    work = _Work(
        runner=runner,
        model=model,
        detect=detect or shipped_detector(),
        record=record,
        report=report or _silent,
        progress=progress,
    )
    started = time.monotonic()
    done = itertools.count(1)
    sliders = [pair for attribute in attributes for pair in part.of(slider_pairs(attribute, pairs))]
    presence = (
        ("one_subject", part.of(one_subject(pairs))),
        ("two_subjects", part.of(two_subjects(pairs))),
    )
    total = len(sliders) + sum(len(wishes) for _, wishes in presence)
    for pair in sliders:
        work.measure_slider(pair)
        work.report(next(done), total, f"{pair.attribute}: {pair.prompt}, seed {pair.seed}")
    for name, wishes in presence:
        for prompt, seed, kinds in wishes:
            work.measure_presence(name, prompt, seed, kinds)
            work.report(next(done), total, f"{name}: {prompt}, seed {seed}")
    record.values["summary"] = summarise(record.values, attributes)
    record.values["seconds"] = record.values.get("seconds", 0.0) + time.monotonic() - started
    record.write()
    return record.values


def summarise(values: Mapping[str, Any], attributes: Sequence[str]) -> dict[str, Any]:
    """The tables made from the single measurements."""
    from inference.metrics.attribute_control import Slider, summary
    from inference.metrics.tiam import Share

    tables: dict[str, Any] = {}
    for attribute in attributes:
        measured = [
            Slider.from_json(entry)
            for key, entry in values["sliders"].items()
            if key.startswith(f"{attribute}|")
        ]
        tables[attribute] = summary(measured)
    for name in ("one_subject", "two_subjects"):
        seen = list(values["presence"].get(name, {}).values())
        tables[f"tiam_{name}"] = Share(hits=sum(seen), total=len(seen)).to_json()
    return tables


def slider_pairs(attribute: str, count: int) -> Iterator[Pair]:
    """`count` pairs, the prompts and the edited person taking turns."""
    for index in range(count):
        yield Pair(
            prompt=TWO_PEOPLE[index % len(TWO_PEOPLE)],
            seed=FIRST_SEED + index,
            edited=PEOPLE[(index // len(TWO_PEOPLE)) % 2],
            attribute=attribute,
        )


def one_subject(count: int) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """(prompt, seed, kinds) of `count` pictures of one subject."""
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        background = BACKGROUNDS[(index // len(KINDS)) % len(BACKGROUNDS)]
        yield f"a photo of a {kind}{background}", FIRST_SEED + index, (kind,)


def two_subjects(count: int) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """(prompt, seed, kinds) of `count` pictures of two different subjects."""
    couples = list(itertools.combinations(KINDS, 2))
    for index in range(count):
        first, second = couples[(index * 5) % len(couples)]  # 5 and 28 have no common factor
        background = BACKGROUNDS[index % len(BACKGROUNDS)]
        yield f"a photo of a {first} and a {second}{background}", FIRST_SEED + index, (first, second)


def reading(attribute: str) -> Callable[[Detection], float]:
    """How an attribute of a person is read from a detection; colours as their place between the two named.

    Raises:
        EditorError: the detector does not measure it.
    """
    from inference.metrics.attribute_control import along
    from inference.metrics.colours import COLOURS, HAIR_COLOURS

    colours = {
        "hair-colour": ("hair", HAIR_COLOURS["black"], HAIR_COLOURS["blond"]),
        "shirt-colour": ("shirt", COLOURS["blue"], COLOURS["red"]),
    }
    if attribute in ("age", "smile"):
        return lambda found: float(found.attributes.get(attribute, math.nan))
    if attribute not in colours:
        known = listed(("age", "smile", *colours))
        raise EditorError(
            "“{attribute}” cannot be measured.", "Choose of: {known}.", attribute=attribute, known=known
        )
    part, low, high = colours[attribute]

    def read(found: Detection) -> float:
        colour = found.colours.get(part)
        return math.nan if colour is None else along([255 * value for value in colour], low, high)

    return read


@dataclass(frozen=True, kw_only=True)
class _Work(Asking):
    detect: Detect
    record: Record
    report: Report

    def measure_slider(self, pair: Pair) -> None:
        from inference.metrics.attribute_control import measure

        if pair.key in self.record.values["sliders"]:
            return
        start, end = find_subject(pair.prompt, pair.edited)
        edit = SubjectEdit(start=start, end=end, attribute=pair.attribute, value=0.0)
        parameters = AttributeSweep(
            prompt=pair.prompt, seed=pair.seed, edits=(edit,), positions=POSITIONS, delay=DELAY
        )
        result = self.ask("attribute-sweep", parameters)
        slider = measure(
            result.images,
            self.detect(result.images),
            POSITIONS,
            edited=pair.edited,
            other=pair.other,
            value=reading(pair.attribute),
        )
        self.record.values["sliders"][pair.key] = slider.to_json()
        self.record.write()

    def measure_presence(self, name: str, prompt: str, seed: int, kinds: Sequence[str]) -> None:
        from inference.metrics.tiam import Wanted, all_right

        known: dict[str, bool] = self.record.values["presence"].setdefault(name, {})
        key = f"{seed}|{prompt}"
        if key in known:
            return
        result = self.ask("generate", Generate(prompt=prompt, seed=seed))
        wanted: list[Wanted] = [Wanted(kind=kind) for kind in kinds]
        right = all_right(self.detect(result.images)[0], wanted)
        self.record.values["presence"].setdefault(name, {})[key] = right
        self.record.write()


def _silent(done: int, total: int, what: str) -> None:
    del done, total, what
