"""How much of a slider's effect reaches another subject, for each way to keep it out: the suite "leakage".

The pairs are those of the suite "attribute", the ways those of `inference.methods.only_subject`, alone and
together, and with both people edited at once. What has been measured is kept; running again goes on from
there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from inference.content import DeltaFile, content_hash
from inference.errors import EditorError
from inference.evaluation.attribute import DELAY, Pair, reading, slider_pairs
from inference.evaluation.judging import Asking, Detect, Report, Runs, refuse_none, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.record import Record
from inference.messages import listed
from inference.operations import BOTH_WAYS, BY_LATENTS, BY_TEXT, AttributeSweep, SubjectEdit
from inference.progress import Progress
from inference.prompts.words import find_subject
from inference.request import Result

if TYPE_CHECKING:
    from inference.backbones.base import Backbone

DEFAULT_PAIRS = 24
POSITIONS = (-2.0, -1.0, 0.0, 1.0, 2.0)
FIXED = 1.0  # of the other person's slider while both have one


@dataclass(frozen=True)
class Variant:
    """A way to keep an edit to its subject, and whether the other person is edited as well."""

    only_subject: bool
    orthogonal: bool = False
    both: bool = False
    kept_by: str = BOTH_WAYS


VARIANTS: Mapping[str, Variant] = {
    "whole picture": Variant(False),
    "only subject": Variant(True),
    "by text": Variant(True, kept_by=BY_TEXT),
    "by latents": Variant(True, kept_by=BY_LATENTS),
    "orthogonal": Variant(False, orthogonal=True),
    "only subject, orthogonal": Variant(True, orthogonal=True),
    "both, whole picture": Variant(False, both=True),
    "both, only subject": Variant(True, both=True),
    "both, by text": Variant(True, both=True, kept_by=BY_TEXT),
    "both, by latents": Variant(True, both=True, kept_by=BY_LATENTS),
}


class Models(Runs, Protocol):
    """What is needed of `inference.runner.Runner`."""

    def backbone(self, model: str, progress: Progress) -> Backbone: ...


def evaluate_leakage(
    *,
    runner: Models,
    model: str,
    json_path: Path | None = None,
    pairs: int = DEFAULT_PAIRS,
    attribute: str = "age",
    variants: Sequence[str] = tuple(VARIANTS),
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure sliders of one person in pictures of two; return (and write) the figures.

    Raises:
        EditorError: an unknown attribute or variant, or too few pairs.
    """
    unknown = [name for name in variants if name not in VARIANTS]
    if unknown:
        raise EditorError(
            "“{name}” is no way to keep an edit to its subject.",
            "There are: {known}.",
            name=unknown[0],
            known=listed(VARIANTS),
        )
    refuse_none(pairs)
    reading(attribute)
    progress = progress or Progress()
    settings: dict[str, Any] = {
        "suite": "leakage",
        "model": model,
        "attribute": attribute,
        "delay": DELAY,
        "positions": list(POSITIONS),
    }
    settings["model_hash"] = runner.model_hash(model, progress)
    record = Record(json_path, settings, ("sliders",), summarise)
    work = _Work(
        runner=runner, model=model, detect=detect or shipped_detector(), record=record, progress=progress
    )
    mine = part.of(slider_pairs(attribute, pairs))
    total, done = len(mine) * len(variants), itertools.count(1)
    for pair in mine:
        for name in variants:
            work.measure(pair, name)
            if report is not None:
                report(next(done), total, f"{name}: {pair.prompt}, seed {pair.seed}")
    record.values["summary"] = summarise(record.values)
    record.write()
    return record.values


def summarise(values: Mapping[str, Any]) -> dict[str, Any]:
    """A table for each variant, with its share of the change that the whole picture's slider makes."""
    from inference.metrics.attribute_control import Slider, summary

    sliders = {
        name: {key: Slider.from_json(row) for key, row in found.items()}
        for name, found in values["sliders"].items()
    }
    tables: dict[str, Any] = {}
    for name, found in sliders.items():
        variant = VARIANTS[name]
        table = summary(list(found.values()))
        whole = sliders.get("both, whole picture" if variant.both else "whole picture", {})
        shared = [key for key in found if key in whole and whole[key].present_at_zero]
        unrestricted = sum(whole[key].edited_change for key in shared)
        changed = sum(found[key].edited_change for key in shared)
        table["share_of_unrestricted"] = changed / unrestricted if unrestricted else None
        tables[name] = table
    return tables


@dataclass(frozen=True, kw_only=True)
class _Work(Asking):
    runner: Models
    detect: Detect
    record: Record

    def measure(self, pair: Pair, name: str) -> None:
        from inference.metrics.attribute_control import measure

        known = self.record.values["sliders"].setdefault(name, {})
        if pair.key in known:
            return
        result = self._sweep(pair, VARIANTS[name])
        slider = measure(
            result.images,
            self.detect(result.images),
            POSITIONS,
            edited=pair.edited,
            other=pair.other,
            value=reading(pair.attribute),
        )
        known[pair.key] = slider.to_json()
        self.record.write()

    def _sweep(self, pair: Pair, variant: Variant) -> Result:
        swept = self._edit(pair, pair.edited, 0.0)
        edits = (swept, self._edit(pair, pair.other, FIXED)) if variant.both else (swept,)
        parameters = AttributeSweep(
            prompt=pair.prompt,
            seed=pair.seed,
            edits=edits,
            positions=POSITIONS,
            delay=DELAY,
            only_subject=variant.only_subject,
            kept_by=variant.kept_by,
        )
        if not variant.orthogonal:
            return self.ask("attribute-sweep", parameters)
        # what the library has for it comes back with the smallest run
        found = self.ask("attribute-sweep", replace(parameters, positions=(0.0,)))
        contents: dict[str, Any] = {}
        edits = tuple(
            self._orthogonal(pair, edit, found, contents) for edit in _edits(found.request.parameters)
        )
        return self.ask("attribute-sweep", replace(parameters, edits=edits), contents)

    def _orthogonal(
        self, pair: Pair, edit: SubjectEdit, found: Result, contents: dict[str, Any]
    ) -> SubjectEdit:
        from inference.deltas import delta_from_bytes, delta_to_bytes
        from inference.methods.only_subject import orthogonal

        assert edit.delta is not None, "a request that ran has its deltas"
        backbone = self.runner.backbone(self.model, self.progress)
        delta = delta_from_bytes(cast("bytes", found.contents[edit.delta.hash]), edit.attribute)
        turned = orthogonal(delta, backbone.encode_prompt(pair.prompt), (edit.start, edit.end))
        content = delta_to_bytes(turned)
        contents[content_hash(content)] = content
        return replace(edit, delta=DeltaFile(content_hash(content)))

    def _edit(self, pair: Pair, kind: str, value: float) -> SubjectEdit:
        start, end = find_subject(pair.prompt, kind)
        return SubjectEdit(start=start, end=end, attribute=pair.attribute, value=value)


def _edits(parameters: object) -> tuple[SubjectEdit, ...]:
    assert isinstance(parameters, AttributeSweep), "that was asked for"
    return parameters.edits
