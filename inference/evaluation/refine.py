"""The suite "refine": TIAM, scores and cost of refinement methods over sets of 2 and 3 subjects.

    evaluate_refine(runner=runner, model="mini-sd1", json_path=Path("out.json"), prompts=100, seeds=8)

Every method gets the same held-out prompts and seeds. What was measured is written after each prompt; running
again goes on from there, also with more prompts, seeds, sets or methods.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from inference.errors import EditorError
from inference.evaluation.judging import Asking, Detect, Report, Runs, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.record import Record
from inference.evaluation.refine_sets import MINI_WORLD, SETS, RefinePrompt, World
from inference.evaluation.refine_sets import prompts as prompts_of
from inference.evaluation.refine_sets import seeds as seeds_of
from inference.messages import Message, listed
from inference.methods.gsn.procedures import METHODS
from inference.operations import Refine
from inference.progress import Progress
from inference.request import Pixels, Result

if TYPE_CHECKING:
    from inference.metrics.clip import ClipSimilarity
    from inference.metrics.similarity import Similarity
    from inference.metrics.tiam import Detection

USUAL_METHODS = ("plain", "ours", "ours+", "initno", "syngen")
DEFAULT_PROMPTS, DEFAULT_SEEDS = 100, 8
MOST_AT_ONCE = 16
# what is averaged for each cell beside TIAM
SCORES = ("confidence", "reconstruction_db", "full_prompt", "least_subject", "text_text")

Score: TypeAlias = dict[str, Any]
Reconstruct: TypeAlias = Callable[[Sequence[Pixels]], Sequence[float]]
Judge: TypeAlias = "Callable[[Pixels, RefinePrompt, Sequence[Detection]], Similarity]"


def evaluate_refine(
    *,
    runner: Runs,
    model: str,
    json_path: Path | None = None,
    prompts: int = DEFAULT_PROMPTS,
    seeds: int = DEFAULT_SEEDS,
    methods: Sequence[str] = USUAL_METHODS,
    sets: Sequence[str] = SETS,
    overrides: Mapping[str, Any] | None = None,
    validation: bool = False,
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    reconstruct: Reconstruct | None = None,
    world: World = MINI_WORLD,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure methods × sets and return (and write) the figures.

    Args:
        prompts, seeds: of each cell; all pictures of a prompt are denoised together, up to 16.
        overrides: parameters of `Refine` that all methods get, such as {"steps": 50}.
        validation: use the prompts and seeds for choosing, not those for reporting.
        part: what of all cells' prompts is measured here.
        detect: replaces the shipped detector.
        reconstruct: gives the PSNR (dB) of each picture after the model's own autoencoder.
        world: what the detector knows.
        judge: a similarity model in place of the built-in one.

    Raises:
        EditorError: an unknown method or set, or a count below 1.
    """
    _check(methods, sets, prompts, seeds)
    progress = progress or Progress()
    settings: dict[str, Any] = {"suite": "refine", "model": model, "validation": validation}
    settings["overrides"] = dict(overrides or {})
    settings["model_hash"] = runner.model_hash(model, progress)
    work = Work(
        runner=runner,
        model=model,
        detect=detect or shipped_detector(),
        reconstruct=reconstruct,
        judge=judge,
        record=Record(json_path, settings, ("cells", "costs")),
        progress=progress,
    )
    started = time.monotonic()
    chosen = {name: prompts_of(name, prompts, validation=validation, world=world) for name in sets}
    jobs = part.of(_jobs(chosen, methods, prompts, seeds, validation=validation))
    for done, (name, method, prompt, first) in enumerate(jobs, 1):
        work.measure(f"{method}|{name}", prompt, first, {"method": method, **(overrides or {})})
        if report is not None:
            report(done, len(jobs), f"{method}, {name}: {prompt.text}")
    values = work.record.values
    values["summary"] = summarise(values)
    values["seconds"] = values.get("seconds", 0.0) + time.monotonic() - started
    work.record.write()
    return values


def summarise(values: Mapping[str, Any]) -> dict[str, Any]:
    """For each cell: TIAM with its 95 % Wilson interval, means with bootstrapped intervals, mean costs.

    "tiam" counts as TIAM's authors do, "one_each" asks for a detection of its own for each subject.
    """
    from inference.metrics.intervals import bootstrap_interval
    from inference.metrics.tiam import Share

    tables: dict[str, Any] = {}
    for cell, measured in values["cells"].items():
        rows: list[Score] = list(measured.values())
        table: dict[str, Any] = {
            "tiam": Share(hits=sum(row["right"] for row in rows), total=len(rows)).to_json()
        }
        if all("one_each" in row for row in rows):
            table["one_each"] = Share(hits=sum(row["one_each"] for row in rows), total=len(rows)).to_json()
        for score in SCORES:
            known = [row[score] for row in rows if row.get(score) is not None]
            if known:
                mean = sum(known) / len(known)
                table[score] = {"mean": mean, "interval_95": list(bootstrap_interval(known))}
        cost = values["costs"][cell]
        table["per_picture"] = {name: cost[name] / cost["pictures"] for name in cost if name != "pictures"}
        tables[cell] = table
    return tables


def table_rows(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The summary as rows of text: set, method, TIAM, interval, pictures, evaluations, updates."""
    rows: list[tuple[str, ...]] = []
    for cell, table in summary.items():
        method, _, name = cell.partition("|")
        tiam, cost = table["tiam"], table["per_picture"]
        low, high = tiam["interval_95"]
        rows.append(
            (
                name,
                method,
                f"{100 * tiam['value']:.1f} %",
                f"{100 * low:.1f} … {100 * high:.1f}",
                str(tiam["total"]),
                f"{cost['denoiser_evaluations']:.0f}",
                f"{cost['backward_evaluations']:.0f}",
            )
        )
    return sorted(rows, key=lambda row: row[0])


HEADINGS = ("set", "method", "TIAM", "95 %", "pictures", "evaluations", "updates")


@dataclass(frozen=True, kw_only=True)
class Work(Asking):
    """Measures cells of a table into a record.

    Args:
        reconstruct: gives the PSNR (dB) of each picture after the model's own autoencoder, if wanted.
    """

    detect: Detect
    reconstruct: Reconstruct | None
    judge: Judge | None
    record: Record

    def measure(
        self, cell: str, prompt: RefinePrompt, seeds: Sequence[int], parameters: Mapping[str, Any]
    ) -> None:
        """Draw and judge the pictures of a prompt with parameters of `Refine`, unless they are known."""
        known: dict[str, Score] = self.record.values["cells"].setdefault(cell, {})
        if all(f"{seed}|{prompt.text}" in known for seed in seeds):
            return
        given = Refine(
            prompt=prompt.text,
            subjects=prompt.subjects,
            seed=seeds[0],
            pictures=len(seeds),
            map_steps=0,
            **parameters,
        )
        result = self.ask("refine", given)
        found = self.detect(result.images)
        decibels = self.reconstruct(result.images) if self.reconstruct else [None] * len(seeds)
        for seed, image, detections, one in zip(seeds, result.images, found, decibels, strict=True):
            similar = self.judge(image, prompt, detections) if self.judge else built_in(prompt, detections)
            known[f"{seed}|{prompt.text}"] = {
                **score(prompt, detections),
                **dataclasses.asdict(similar),
                "reconstruction_db": one,
            }
        self._add_costs(cell, result, len(seeds))
        self.record.write()

    def _add_costs(self, cell: str, result: Result, pictures: int) -> None:
        measured = result.measured
        added = {
            "pictures": pictures,
            "denoiser_evaluations": measured.denoiser_evaluations,
            "backward_evaluations": measured.backward_evaluations,
            "seconds": sum(measured.seconds.get(name, 0.0) for name in ("sample", "refine", "decode")),
        }
        costs = self.record.values["costs"].setdefault(cell, dict.fromkeys(added, 0))
        for kind, value in added.items():
            costs[kind] += value


def score(prompt: RefinePrompt, detections: Sequence[Detection]) -> Score:
    """Whether all subjects are right (by TIAM, and with one detection each), what was found, how surely."""
    from inference.metrics.tiam import Wanted, all_right

    colours = prompt.colours or ("",) * len(prompt.kinds)
    wanted = [
        Wanted(kind=kind, colours={"colour": colour} if colour else {})
        for kind, colour in zip(prompt.kinds, colours, strict=True)
    ]
    return {
        "right": all_right(detections, wanted, named_colour),
        "one_each": all_right(detections, wanted, named_colour, one_each=True),
        "found": sorted(found.kind for found in detections),
        "confidence": sum(one.score for one in detections) / len(detections) if detections else 0.0,
    }


def built_in(prompt: RefinePrompt, detections: Sequence[Detection]) -> Similarity:
    """The similarities that the detector alone gives."""
    from inference.metrics.similarity import of_detections

    return of_detections(detections, prompt.kinds)


def clip_judge(clip: ClipSimilarity) -> Judge:
    """The similarities that a CLIP model gives; the caption names what the detector found."""

    def judge(image: Pixels, prompt: RefinePrompt, detections: Sequence[Detection]) -> Similarity:
        subjects = [f"a photo of a {kind}" for kind in prompt.kinds]
        found = " and ".join(f"a {one.kind}" for one in detections)
        return clip.similarity(image, prompt.text, subjects, f"a photo of {found or 'nothing'}")

    return judge


def named_colour(colour: Sequence[float], name: str) -> bool:
    """Whether an RGB colour (0..1) is nearer to `name` than to any other named colour."""
    from inference.methods.score import is_colour

    return is_colour(colour, name)


def reconstruction(backbone: Any) -> Reconstruct:
    """PSNR (dB) of pictures after encoding and decoding: how far they are from what the autoencoder knows."""
    from inference.metrics.psnr import psnr

    def measure(images: Sequence[Pixels]) -> list[float]:
        again = [backbone.decode(backbone.encode_image(image))[0] for image in images]
        return [psnr(image, other) for image, other in zip(images, again, strict=True)]

    return measure


def batches(seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """Seeds whose pictures are drawn together, at most `MOST_AT_ONCE` each."""
    return [tuple(seeds[first : first + MOST_AT_ONCE]) for first in range(0, len(seeds), MOST_AT_ONCE)]


def _jobs(
    chosen: Mapping[str, Sequence[RefinePrompt]],
    methods: Sequence[str],
    prompts: int,
    seeds: int,
    *,
    validation: bool,
) -> list[tuple[str, str, RefinePrompt, tuple[int, ...]]]:
    """(set, method, prompt, seeds); methods take turns, so that an unfinished run compares equals."""
    jobs: list[tuple[str, str, RefinePrompt, tuple[int, ...]]] = []
    for index, name in itertools.product(range(prompts), chosen):
        if index >= len(chosen[name]):
            continue
        own = seeds_of(index, seeds, validation=validation)
        jobs += [(name, method, chosen[name][index], batch) for method in methods for batch in batches(own)]
    return jobs


def _check(methods: Sequence[str], sets: Sequence[str], prompts: int, seeds: int) -> None:
    for kind, given, known in ((Message("method"), methods, METHODS), (Message("set"), sets, SETS)):
        unknown = next((one for one in given if one not in known), None)
        if unknown is not None:
            raise EditorError(
                "There is no {kind} “{unknown}”.",
                "There are: {known}.",
                kind=kind,
                unknown=unknown,
                known=listed(known),
            )
    for kind, count in ((Message("Prompts"), prompts), (Message("Seeds"), seeds)):
        if count < 1 or not math.isfinite(count):
            raise EditorError("{kind} is {count}: at least 1 is needed.", kind=kind, count=count)
