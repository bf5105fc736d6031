"""Which step a model is best refined at: the validation of arXiv:2504.17525.

    choose_step(runner=runner, model="mini-sd1", method="ours", json_path=Path("steps.json"))

Every second step of the first half of the run is tried on a few prompts and seeds that no report uses. TIAM
is min-max normalised within each set of prompts and added up; the step with the largest sum is chosen.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from inference.errors import EditorError
from inference.evaluation.judging import Detect, Report, Runs, shipped_detector
from inference.evaluation.record import Record
from inference.evaluation.refine import Work, batches
from inference.evaluation.refine_sets import MINI_WORLD, RefinePrompt, World
from inference.evaluation.refine_sets import prompts as prompts_of
from inference.evaluation.refine_sets import seeds as seeds_of
from inference.messages import Message, listed
from inference.methods.gsn.plan import movable_methods
from inference.progress import Progress

USUAL_SETS = ("2", "3")
DEFAULT_PROMPTS, DEFAULT_SEEDS = 10, 16


@dataclass(frozen=True, kw_only=True)
class StepCurve:
    """TIAM at each tried step for each set, and the step that was chosen."""

    method: str
    steps: int
    tried: tuple[int, ...]
    tiam: Mapping[str, tuple[float, ...]]
    pictures: int

    @property
    def sums(self) -> tuple[float, ...]:
        """The sum over the sets of min-max normalised TIAM; a set in which all are equal says nothing."""
        normalised = [_normalised(values) for values in self.tiam.values()]
        return tuple(sum(column) for column in zip(*normalised, strict=True))

    @property
    def chosen(self) -> int:
        """The first of the best steps."""
        return self.tried[self.sums.index(max(self.sums))]

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.chosen,
            "steps": self.steps,
            "tried": list(self.tried),
            "tiam": {name: list(values) for name, values in self.tiam.items()},
            "pictures_per_point": self.pictures,
        }


Cells: TypeAlias = dict[str, dict[str, dict[str, Any]]]  # "step|set" → "seed|prompt" → what was measured


@dataclass(frozen=True)
class Trial:
    """Some seeds of one prompt of a set at one step."""

    set: str
    step: int
    prompt: RefinePrompt
    seeds: tuple[int, ...]

    @property
    def cell(self) -> str:
        return f"{self.step}|{self.set}"

    def is_known(self, cells: Mapping[str, Mapping[str, Any]]) -> bool:
        known = cells.get(self.cell, {})
        return all(key in known for key in self._keys)

    def learn(self, cells: Cells, right: Sequence[bool]) -> None:
        """Put into `cells` whether all subjects were right in the picture of each seed."""
        known = cells.setdefault(self.cell, {})
        for key, one in zip(self._keys, right, strict=True):
            known[key] = {"right": one}

    @property
    def _keys(self) -> tuple[str, ...]:
        return tuple(f"{seed}|{self.prompt.text}" for seed in self.seeds)


def trials(
    *, sets: Sequence[str], steps: int, prompts: int, seeds: int, world: World = MINI_WORLD
) -> list[Trial]:
    """Everything that a curve is made of, so many pictures each as are drawn at once.

    Steps and sets take turns, so that an unfinished search compares equals.
    """
    chosen = {name: prompts_of(name, prompts, validation=True, world=world) for name in sets}
    return [
        Trial(name, step, chosen[name][index], batch)
        for index, step, name in itertools.product(range(prompts), candidates(steps), sets)
        if index < len(chosen[name])
        for batch in batches(seeds_of(index, seeds, validation=True))
    ]


def candidates(steps: int) -> tuple[int, ...]:
    """Every second step of the first half: 0, 2 … 24 of 50."""
    return tuple(range(0, round(steps / 2) + 1, 2)) if steps > 1 else (0,)


def choose_step(
    *,
    runner: Runs,
    model: str,
    method: str = "ours",
    steps: int,
    json_path: Path | None = None,
    prompts: int = DEFAULT_PROMPTS,
    seeds: int = DEFAULT_SEEDS,
    sets: Sequence[str] = USUAL_SETS,
    report: Report | None = None,
    detect: Detect | None = None,
    world: World = MINI_WORLD,
    progress: Progress | None = None,
) -> StepCurve:
    """Measure the curve; a file goes on from what it holds.

    Args:
        steps: of each run, the model's default or another number.
        prompts, seeds: for each set and step.
        detect, world: another detector, and what it knows.

    Raises:
        EditorError: a method whose refinement cannot be moved, or counts below 1.
    """
    if method not in movable_methods():
        movable = listed(movable_methods())
        raise EditorError(
            "“{method}” has no single refinement to move.",
            "Choose of: {movable}.",
            method=method,
            movable=movable,
        )
    for name, count in ((Message("Prompts"), prompts), (Message("Seeds"), seeds), (Message("Steps"), steps)):
        if count < 1:
            raise EditorError("{name} is {count}: at least 1 is needed.", name=name, count=count)
    progress = progress or Progress()
    settings: dict[str, Any] = {"suite": "choose-step", "model": model, "method": method, "steps": steps}
    settings["model_hash"] = runner.model_hash(model, progress)
    record = Record(json_path, settings, ("cells", "costs"))
    work = Work(
        runner=runner,
        model=model,
        detect=detect or shipped_detector(),
        reconstruct=None,
        judge=None,
        record=record,
        progress=progress,
    )
    tried = candidates(steps)
    jobs = trials(sets=sets, steps=steps, prompts=prompts, seeds=seeds, world=world)
    for done, job in enumerate(jobs, 1):
        parameters = {"method": method, "step": job.step, "steps": steps}
        work.measure(job.cell, job.prompt, job.seeds, parameters)
        if report is not None:
            report(done, len(jobs), f"step {job.step}: {job.prompt.text}")
    curve = curve_of(record.values["cells"], method=method, steps=steps, tried=tried, sets=sets)
    record.values["choice"] = curve.to_json()
    record.write()
    return curve


def curve_of(
    cells: Mapping[str, Mapping[str, Any]],
    *,
    method: str,
    steps: int,
    tried: Sequence[int],
    sets: Sequence[str],
) -> StepCurve:
    """The curve of what was measured; a share of 0 for a cell that is empty."""

    def tiam(step: int, name: str) -> float:
        rows = list(cells.get(f"{step}|{name}", {}).values())
        return sum(row["right"] for row in rows) / max(1, len(rows))

    return StepCurve(
        method=method,
        steps=steps,
        tried=tuple(tried),
        tiam={name: tuple(tiam(step, name) for step in tried) for name in sets},
        pictures=min(len(cells.get(f"{step}|{name}", {})) for step in tried for name in sets),
    )


def curve_svg(curve: StepCurve, title: str) -> str:
    """The curve as an SVG picture: TIAM of each set, and the chosen step."""
    width, height, left, bottom = 480, 280, 48, 40
    colours = ("#3b7dd8", "#d8643b", "#3ba35c", "#8a5cc0")

    def x(step: float) -> float:
        return left + (width - left - 16) * step / max(1, curve.tried[-1])

    def y(share: float) -> float:
        return height - bottom - (height - bottom - 32) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="18" font-size="13">{html.escape(title)}</text>',
    ]
    parts += [
        f'<path d="M{left} {y(share):.1f}H{width - 16}" stroke="#ddd"/>'
        f'<text x="{left - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    parts += [
        f'<text x="{x(step):.1f}" y="{height - bottom + 16}" text-anchor="middle">{step}</text>'
        for step in curve.tried
    ]
    parts.append(
        f'<path d="M{x(curve.chosen):.1f} 28V{height - bottom}" stroke="#888" stroke-dasharray="4 3"/>'
    )
    for index, ((name, values), colour) in enumerate(zip(curve.tiam.items(), itertools.cycle(colours))):
        points = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in zip(curve.tried, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{left + 110 * index}" y="{height - 6}" fill="{colour}">{html.escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _normalised(values: Sequence[float]) -> tuple[float, ...]:
    low, high = min(values), max(values)
    return tuple((value - low) / (high - low) if high > low else 0.0 for value in values)
