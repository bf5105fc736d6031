"""Several deltas for one subject side by side: pictures over positions, and what can be measured of them.

    rows = compare_deltas(runner=runner, model="mini-sdxl", deltas={"naive": content, …},
                          prompts=[…], seeds=[0, 1], subject="man")

As figures 2 to 7 of the reproduction report, for any deltas, prompts and seeds. Measures need no detector:
where the subject is says the model's attention to it in the unedited picture.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.content import DeltaFile, content_hash
from inference.errors import EditorError
from inference.evaluation.judging import Asking, Detect, Runs
from inference.operations import AttributeSweep, SubjectEdit
from inference.progress import Progress
from inference.prompts.words import find_subject
from inference.request import Pixels

USUAL_SCALES = (-2.0, -1.0, 0.0, 1.0, 2.0)
MEASURES = ("change", "outside", "reach", "unevenness")
_SEEN = 0.5  # attention of 0..1 from which a place counts as the subject's


@dataclass(frozen=True, kw_only=True)
class Row:
    """One delta on one prompt and seed: a picture for each position, and its measures.

    Attributes:
        change: mean absolute difference from the picture at 0 inside of the subject, 0..1.
        outside: the same outside, as a share of that inside.
        reach: mean absolute difference inside between the pictures of both ends, 0..1.
        unevenness: standard deviation of the steps between neighbouring positions, as a share of their mean.
        values: the attribute as a detector reads it at each position; none without one.

    `span` is what the detector's readings lie apart at most.
    """

    delta: str
    prompt: str
    seed: int
    images: tuple[Pixels, ...]
    change: float
    outside: float
    reach: float
    unevenness: float
    values: tuple[float, ...] = ()

    @property
    def span(self) -> float:
        known = [value for value in self.values if not math.isnan(value)]
        return max(known) - min(known) if known else 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "delta": self.delta,
            "prompt": self.prompt,
            "seed": self.seed,
            "change": self.change,
            "outside": self.outside,
            "reach": self.reach,
            "unevenness": self.unevenness,
            **({"values": list(self.values)} if self.values else {}),
        }


def compare_deltas(
    *,
    runner: Runs,
    model: str,
    deltas: Mapping[str, bytes],
    prompts: Sequence[str],
    seeds: Sequence[int],
    subject: str,
    scales: Sequence[float] = USUAL_SCALES,
    only_subject: bool = False,
    steps: int | None = None,
    attribute: str = "",
    detect: Detect | None = None,
    progress: Progress | None = None,
    report: Callable[[int, int, str], None] | None = None,
) -> list[Row]:
    """A row for each prompt, seed and delta, in this order.

    Args:
        deltas: contents as `inference.deltas.delta_to_bytes` writes them, by what they are called.
        subject: a phrase that every prompt has.
        scales: positions, 0 among them.
        only_subject: keep all else as it is; off, as what a delta does to the rest is to be seen.
        steps: of each run; None is the model's own number.
        attribute, detect: read this attribute of the kind `subject` in the pictures.

    Raises:
        EditorError: a prompt lacks the subject; no positions beside 0; a delta does not fit the model.
    """
    positions = tuple(sorted({*scales, 0.0}))
    if len(positions) < 2:
        raise EditorError("There is no position beside 0.", "Name some, such as -2 -1 0 1 2.")
    spans = [find_subject(prompt, subject) for prompt in prompts]  # before all work
    contents = {content_hash(content): content for content in deltas.values()}
    asking = Asking(runner=runner, model=model, progress=progress or Progress())
    rows: list[Row] = []
    for prompt, (start, end) in zip(prompts, spans, strict=True):
        for seed in seeds:
            for name, content in deltas.items():
                edit = SubjectEdit(
                    start=start,
                    end=end,
                    attribute=attribute or name,
                    value=0.0,
                    delta=DeltaFile(content_hash(content)),
                )
                parameters = AttributeSweep(
                    prompt=prompt,
                    seed=seed,
                    edits=(edit,),
                    positions=positions,
                    only_subject=only_subject,
                    steps=steps,
                )
                result = asking.ask("attribute-sweep", parameters, contents)
                seen = result.maps[f"attention/{start}-{end}"]
                values = _values(result.images, detect, subject, attribute)
                rows.append(_row(name, prompt, seed, positions, result.images, seen, values))
                if report is not None:
                    report(len(rows), len(prompts) * len(seeds) * len(deltas), f"{name}: {prompt}")
    return rows


def summarise(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Means and spreads over prompts and seeds for each delta."""
    from inference.metrics.attribute_control import spread

    return {
        name: {
            "pictures": len(of_delta),
            **{measure: spread([getattr(row, measure) for row in of_delta]) for measure in MEASURES},
            **({"span": spread([row.span for row in of_delta])} if of_delta[0].values else {}),
        }
        for name in dict.fromkeys(row.delta for row in rows)
        for of_delta in [[row for row in rows if row.delta == name]]
    }


def _row(
    name: str,
    prompt: str,
    seed: int,
    positions: Sequence[float],
    images: Sequence[Pixels],
    seen: NDArray[np.float32],
    values: tuple[float, ...],
) -> Row:
    from inference.methods.prompt_to_prompt.places import nearest

    inside = nearest(seen, images[0].shape[:2]) >= _SEEN
    zero = positions.index(0.0)
    differences = [_difference(image, images[zero]) for index, image in enumerate(images) if index != zero]
    change = float(np.mean([one[inside].mean() for one in differences]))
    outside = float(np.mean([one[~inside].mean() for one in differences])) if not inside.all() else 0.0
    steps = np.array([_difference(a, b)[inside].mean() for a, b in itertools.pairwise(images)]) / np.diff(
        positions
    )
    return Row(
        delta=name,
        prompt=prompt,
        seed=seed,
        images=tuple(images),
        change=change,
        outside=outside / change if change else 0.0,
        reach=float(_difference(images[0], images[-1])[inside].mean()),
        unevenness=float(steps.std() / steps.mean()) if steps.any() else 0.0,
        values=values,
    )


def _difference(first: Pixels, second: Pixels) -> NDArray[np.float32]:
    """[H, W] in 0..1."""
    return np.abs(first[..., :3].astype(np.float32) - second[..., :3]).mean(-1) / 255


def _values(images: Sequence[Pixels], detect: Detect | None, kind: str, attribute: str) -> tuple[float, ...]:
    if detect is None:
        return ()
    from inference.evaluation.attribute import reading

    read = reading(attribute)
    found: list[float] = []
    for detections in detect(images):
        best = max((one for one in detections if one.kind == kind), key=lambda one: one.score, default=None)
        found.append(float("nan") if best is None else read(best))
    return tuple(found)
